"""Which of an index's images is meant: operating system, architecture, and its variant."""

from __future__ import annotations

import platform as machine
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from trimtab.images.errors import ImageReferenceError, NotFoundError

__all__ = ["Platform", "chosen"]

NAMES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386", "ppc64le": "ppc64le"}


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform, as OCI names it: `linux/arm64/v8`."""

    system: str = "linux"
    architecture: str = "amd64"
    variant: str | None = None

    @classmethod
    def parse(cls, text: str | None) -> Self:
        """Of `os/architecture[/variant]`; without a text that of this machine, with Linux as its system."""
        if text is None:
            return cls("linux", NAMES.get(machine.machine(), machine.machine()))
        parts = text.split("/")
        if len(parts) not in {2, 3} or not all(parts):
            raise ImageReferenceError(f"{text!r} is no platform: write it as linux/amd64 or linux/arm/v7")
        return cls(*parts)

    def matches(self, told: Mapping[str, Any]) -> bool:
        """Whether an entry's `platform` is this one."""
        same = told.get("os") == self.system and told.get("architecture") == self.architecture
        return same and self.variant in {None, told.get("variant")}

    def __str__(self) -> str:
        return "/".join(filter(None, (self.system, self.architecture, self.variant)))


def chosen(manifests: Sequence[Mapping[str, Any]], platform: Platform) -> Mapping[str, Any]:
    """The entry of an index for a platform. An index of one image needs no choice.

    Raises:
        NotFoundError: There is none for it; the message names those there are.
    """
    images = [each for each in manifests if not _is_attestation(each)]
    if len(images) == 1:
        return images[0]
    for each in images:
        if platform.matches(_platform(each)):
            return each
    there = sorted({str(_name(_platform(each))) for each in images})[:20]
    raise NotFoundError(f"no image for {platform}; there are: {', '.join(there) or 'none'}")


def _platform(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    told = entry.get("platform")
    return told if isinstance(told, Mapping) else {}


def _name(told: Mapping[str, Any]) -> str:
    return "/".join(str(told[key]) for key in ("os", "architecture", "variant") if told.get(key)) or "unknown"


def _is_attestation(entry: Mapping[str, Any]) -> bool:
    annotations = entry.get("annotations")
    return isinstance(annotations, Mapping) and "vnd.docker.reference.type" in annotations

"""References of images: what registry they are of, and what a copy of them is called."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Reference", "collision_free", "original"]

DEFAULT_REGISTRY = "docker.io"
MAX_TAG = 128
_HOST = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
)
_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-fA-F]{32,128}")
_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference, taken apart.

    Attributes:
        registry: Host and port.
        repository: The path below it.
        tag: None if it has none.
        digest: None if it has none.
    """

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @classmethod
    @lru_cache(maxsize=1024)
    def parse(cls, text: str) -> Reference:
        """Return what a text refers to; without a registry's name it is Docker's.

        Raises:
            ValueError: It is no reference, so it goes nowhere: not to a program, not into a URL.
        """
        if len(text) > _MAX:
            raise ValueError("a reference of an image that is too long")
        rest, at, digest = text.removeprefix("docker://").partition("@")
        first, slash, path = rest.partition("/")
        if slash and (any(mark in first for mark in ".:[") or first == "localhost"):
            registry, rest = first, path
        else:
            registry, rest = DEFAULT_REGISTRY, rest if slash else f"library/{rest}"
        repository, colon, tag = rest.partition(":")
        if (
            not _HOST.fullmatch(registry)
            or not _REPOSITORY.fullmatch(repository)
            or (colon and not _TAG.fullmatch(tag))
            or (at and not _DIGEST.fullmatch(digest))
        ):
            raise ValueError("no reference of an image")
        return cls(registry, repository, tag or None, digest or None)

    @property
    def name(self) -> str:
        """Registry and repository."""
        return f"{self.registry}/{self.repository}"

    @property
    def is_local(self) -> bool:
        """Whether it is the name that podman gives to what is in no registry."""
        return self.registry == "localhost"

    def pinned(self, digest: str) -> str:
        """Return the reference of a digest in the same repository."""
        return f"{self.name}@{digest}"

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.name}{tag}@{self.digest}" if self.digest else f"{self.name}{tag}"


def collision_free(push: str, reference: Reference, identity: str) -> str:
    """Return where an image of a build is copied to: no two builds or repositories share a tag.

    Args:
        push: The intermediate registry: host and, as a rule, a path.
        reference: What is copied.
        identity: The build's.

    The repository is named after the last part of the source's and a digest of the whole; the tag ends with a digest of the
    build's identity. On quay.io, where a path has two parts, everything is one repository, as with the original.
    """
    last = reference.repository.rpartition("/")[2]
    place = f"{last[:60]}-{_short(reference.name, 10)}"
    tag, mark = reference.tag or "untagged", _short(f"{identity} {reference}", 12)
    if _is_single(push):
        return f"{push}:{place[: MAX_TAG - 50]}-{tag[:30]}-{mark}"
    return f"{push}/{place}:{tag[: MAX_TAG - 20]}-{mark}"


def original(push: str, reference: Reference) -> str:
    """Return where the original copied an image to, for who has to find old tags again; names may collide."""
    last = reference.repository.rpartition("/")[2]
    if _is_single(push):
        version = reference.digest.partition(":")[2] if reference.digest else reference.tag
        return f"{push}:{f'{last}-{version}' if version else last}"[: len(push) + 1 + MAX_TAG]
    return f"{push}/{last}:{reference.tag or 'latest'}"


def _is_single(push: str) -> bool:
    return "quay.io" in push


def _short(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]

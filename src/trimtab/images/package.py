"""A package in an image, whatever system it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packageurl import PackageURL

__all__ = ["Package", "Place", "identifier"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the image a fact comes from.

    Parameters:
        path: The file that says it.
        layer: Digest of the layer that brought it; None for a root directory, which has no layers.
    """

    path: str
    layer: str | None


@dataclass(frozen=True, slots=True)
class Package:
    """One installed package.

    Parameters:
        type: Its system, as package URLs call it: deb, rpm, apk, pypi, conda, npm, maven, golang.
        name: Its name there.
        version: The whole version: with epoch and release, where the system has them.
        place: Where it was found.
        location: The directory it is installed in, of systems that have several.
        architecture: What machines it is for.
        source: The source package it was built from, with its version after a blank where that differs.
        licence: As it says itself.
        editable: Whether it is a reference to a directory of sources.
        origin: Where it was installed from, if it was no index (PEP 610), without credentials.
        relations: What it needs: lines of its database by kind (`depends`, `pre-depends`, `replaces`, `requires`).
    """

    type: str
    name: str
    version: str
    place: Place
    location: str = ""
    architecture: str = ""
    source: str = ""
    licence: str = ""
    editable: bool = False
    origin: str = ""
    relations: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    @property
    def epoch(self) -> str | None:
        """The number before the colon of a version that has one."""
        epoch, colon, _ = self.version.partition(":")
        return epoch if colon else None

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What makes it this package: two of the same identity at two places are duplicates."""
        return self.type, self.name, self.version, self.architecture


def identifier(package: Package, os_release: Mapping[str, str]) -> PackageURL:
    """The package URL, as the purl specification has it for the package's type.

    Names are a stranger's: one that no URL of its type can hold has the type `generic`.
    """
    from packageurl import PackageURL

    qualifiers: dict[str, str] = {}
    namespace, name, version = None, package.name, package.version
    if package.type in {"deb", "rpm", "apk"}:
        namespace = os_release.get("id") or {"deb": "debian", "apk": "alpine"}.get(package.type)
        qualifiers = _system_qualifiers(package, os_release)
        if package.type == "rpm":
            version = version.partition(":")[2] or version
    elif package.type in {"npm", "golang", "maven"}:
        namespace, _, name = name.replace(":", "/").strip("/").rpartition("/")
    elif package.type == "conda" and package.architecture:
        qualifiers = {"subdir": package.architecture}
    elif package.type == "pypi" and package.origin:
        qualifiers = {"vcs_url" if "+" in package.origin else "download_url": package.origin}
    return (
        _url(package.type, namespace or "", name, version, qualifiers)
        or _url("generic", "", package.name.strip().strip("/"), version, {})
        or PackageURL("generic", None, "unknown")
    )


def _url(
    kind: str, namespace: str, name: str, version: str, qualifiers: Mapping[str, str]
) -> PackageURL | None:
    """The package URL, if it is one that can be read again."""
    from packageurl import PackageURL

    def text(value: str) -> str:  # what is no text of Unicode, replaced
        return value.encode("utf-8", "replace").decode()

    told = {key: text(value) for key, value in qualifiers.items()}
    try:
        found = PackageURL(kind, text(namespace) or None, text(name), text(version) or None, told)
        PackageURL.from_string(found.to_string())
    except (ValueError, TypeError):
        return None
    return found


def _system_qualifiers(package: Package, os_release: Mapping[str, str]) -> dict[str, str]:
    distribution = "-".join(filter(None, (os_release.get("id"), os_release.get("version_id"))))
    found = {"arch": package.architecture, "distro": distribution}
    if package.type == "rpm" and package.epoch:
        found["epoch"] = package.epoch
    if package.source:
        found["upstream"] = package.source.replace(" ", "@")
    return {key: value for key, value in found.items() if value}

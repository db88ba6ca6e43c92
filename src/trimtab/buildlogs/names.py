"""Names, versions and requirements, as installers print them."""

import re
from typing import Final

__all__ = ["artifact_identity", "normalised", "requirement", "split_installed"]

_SEPARATORS: Final = re.compile(r"[-_.]+")
_REQUIREMENT: Final = re.compile(
    r"([A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9])?)(?:\[[^\]]{0,200}\])?\s{0,4}(?:\(?((?:===?|!=|~=|[<>]=?)[^;()\s]{1,200}(?:,\s?[^;()\s]{1,100}){0,20})\)?)?"
)
_PINNED: Final = re.compile(r"={2,3}\s?([^,*;\s]+)$")
_SUFFIXES: Final = (".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz", ".tar.zst")


def normalised(name: str) -> str:
    """A name as PEP 503 compares it."""
    if name.isalnum():
        return name.lower()
    name = name.replace("_", "-").replace(".", "-").lower()
    return _SEPARATORS.sub("-", name) if "--" in name else name


def requirement(text: str) -> tuple[str, str | None, str | None]:
    """Name, specifier and, if that pins it, the version, of a text such as `six[all]>=1,<2`; an empty name if it is none."""
    found = _REQUIREMENT.match(text)
    if not found:
        return "", None, None
    name, specifier = found.groups()
    pinned = _PINNED.match(specifier) if specifier else None
    return name, specifier, pinned[1] if pinned else None


def split_installed(text: str) -> tuple[str, str]:
    """Name and version of `python-dateutil-2.8.0`: the version is behind the last dash, as wheels and pip write it."""
    name, dash, version = text.rpartition("-")
    return (name, version) if dash and version[:1].isdigit() else (text, "")


def artifact_identity(file: str) -> tuple[str, str] | None:
    """Name and version in the name of a wheel or sdist; None if it is no such name."""
    name = file.rpartition("/")[2].partition("#")[0]
    if name.endswith(".whl"):
        parts = name.split("-")
        return (parts[0], parts[1]) if len(parts) >= 5 else None  # noqa: PLR2004 # name, version and three tags
    for suffix in _SUFFIXES:
        if name.endswith(suffix):
            found = split_installed(name.removesuffix(suffix))
            return found if found[1] else None
    return None

"""Packages that tell their name and version in a file of their own: conda's, npm's, Java's, Go's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from trimtab.images.package import Package

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimtab.images.databases.reading import Reading
    from trimtab.images.tree import Entry

__all__ = ["Identity", "from_json", "package"]

LONGEST = 500
Identity = dict[str, str]


def from_json(data: bytes, **fields: str) -> Identity:
    """Fields of a JSON object under our names.

    Raises:
        ValueError: It is none, or lacks name or version.
    """
    try:
        told: Any = json.loads(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(told, dict) or not told.get("name") or not told.get("version"):
        raise ValueError("no JSON object with name and version")
    found = {
        ours: told.get(theirs) for ours, theirs in ({"name": "name", "version": "version"} | fields).items()
    }
    return {name: value[:LONGEST] for name, value in found.items() if isinstance(value, str)}


def package(kind: str, told: Mapping[str, str], entry: Entry, reading: Reading) -> Package | None:
    """The package, if name and version are texts."""
    if not (told.get("name") and told.get("version")):
        return None
    return Package(
        kind,
        told["name"],
        told["version"],
        reading.place(entry),
        location="/" + entry.path.rpartition("/")[0],
        architecture=told.get("architecture", ""),
        licence=told.get("licence", ""),
        origin=told.get("origin", ""),
    )

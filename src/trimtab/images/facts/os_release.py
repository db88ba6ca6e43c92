"""What system an image is of: `etc/os-release`, which links may lead elsewhere to inside the image."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from trimtab.images.interests import Interest

if TYPE_CHECKING:
    from trimtab.images.databases.reading import Reading

__all__ = ["INTERESTS", "os_release"]

PLACES = ("etc/os-release", "usr/lib/os-release")
INTERESTS = (Interest(named=("os-release", "initrd-release"), within=("etc/", "usr/lib/"), limit=1 << 16),)


def os_release(reading: Reading) -> dict[str, str]:
    """Its variables, names in lower case; nothing where there is none, as in images made from scratch."""
    for path in PLACES:
        entry = reading.tree.find(path)
        if entry is not None and isinstance(entry.content, bytes):
            lines = entry.content.decode("utf-8", "replace").splitlines()
            return dict(pair for line in lines if (pair := _variable(line)))
    return {}


def _variable(line: str) -> tuple[str, str] | None:
    name, equals, value = line.strip().partition("=")
    if not equals or not name.replace("_", "").isalnum():
        return None
    try:
        return name.lower(), "".join(shlex.split(value))
    except ValueError:  # an unclosed quote
        return name.lower(), value.strip("\"'")

"""The Pipfile that AICoE-CI leaves in the images it builds."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

from trimtab.images.interests import Interest

if TYPE_CHECKING:
    from trimtab.images.databases.reading import Reading

__all__ = ["INTERESTS", "pipfiles"]

DIRECTORY = "opt/aicoe-ci/"


def _toml(data: bytes) -> Any:
    try:
        return tomllib.loads(data.decode())
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None


INTERESTS = (
    Interest(named=("Pipfile",), within=(DIRECTORY,), limit=1 << 20, condense=_toml),
    Interest(named=("Pipfile.lock",), within=(DIRECTORY,), limit=16 << 20, condense=_json),
)


def pipfiles(reading: Reading) -> dict[str, object]:
    """`requirements` and `requirements_lock`, each None where there is none."""
    found = {"requirements": "Pipfile", "requirements_lock": "Pipfile.lock"}
    entries = {key: reading.tree.find(DIRECTORY + name) for key, name in found.items()}
    return {key: entry.content if entry else None for key, entry in entries.items()}

"""Files from outside, bounded."""

import json
import tomllib
from pathlib import Path
from typing import Any

from trimtab.stacks.errors import RequirementsError

__all__ = ["read_bytes", "read_json", "read_text", "read_toml"]

LIMIT = 32 * 1024 * 1024


def read_bytes(path: Path, limit: int = LIMIT) -> bytes:
    """The content of a file.

    Raises:
        RequirementsError: It cannot be read, or is too large.
    """
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RequirementsError(f"{path}: {reason}; name a file that can be read") from None
    if len(content) > limit:
        raise RequirementsError(f"{path} has more than {limit} bytes")
    return content


def read_text(path: Path, limit: int = LIMIT) -> str:
    """The text of a file.

    Raises:
        RequirementsError: It cannot be read, or is no UTF-8.
    """
    try:
        return read_bytes(path, limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequirementsError(f"{path} is no UTF-8: {error.reason} at byte {error.start}") from None


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file.

    Raises:
        RequirementsError: It is none.
    """
    try:
        return tomllib.loads(read_text(path))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RequirementsError(f"{path} is no TOML: {error}") from None


def read_json(path: Path, limit: int = LIMIT) -> Any:
    """A JSON file.

    Raises:
        RequirementsError: It is none.
    """
    try:
        return json.loads(read_text(path, limit))
    except (ValueError, RecursionError) as error:
        raise RequirementsError(f"{path} is no JSON: {error}") from None

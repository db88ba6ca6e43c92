"""Ids of analyses: `<kind>-<YYMMDDHHMMSS>-<16 hex digits>`, in UTC."""

import re
import secrets
from datetime import UTC, datetime
from enum import StrEnum

__all__ = ["PATTERN", "Kind", "kind_of", "new_id"]

PATTERN = r"^(package-extract|buildlog-parser|build-analysis)-[A-Za-z0-9-]{1,100}$"
_ID = re.compile(PATTERN)


class Kind(StrEnum):
    """What an id is of: how it begins."""

    IMAGE = "package-extract"
    LOG = "buildlog-parser"
    BUILD = "build-analysis"


def new_id(kind: Kind) -> str:
    """A new id."""
    return f"{kind}-{datetime.now(UTC):%y%m%d%H%M%S}-{secrets.token_hex(8)}"


def kind_of(text: str) -> Kind | None:
    """What an id is of; None: it is none."""
    found = _ID.fullmatch(text)
    return Kind(found[1]) if found else None

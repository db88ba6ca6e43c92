"""Ids, which become labels, names of containers and of directories."""

import re

from trimtab.engines.errors import RefusedError

__all__ = ["check_id"]

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


def check_id(engine: str, inspection: str) -> None:
    """Refuse an id that could be no label or name.

    Raises:
        RefusedError: It is none.
    """
    if not _ID.fullmatch(inspection):
        raise RefusedError(
            engine, (f"the id {inspection[:200]!r} has more than letters, digits, dots and dashes",)
        )

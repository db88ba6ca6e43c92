"""One value of a table, whatever a document has there: bounded, and such as every format holds."""

import json
import math
from datetime import datetime
from typing import Any, TypeAlias

__all__ = ["MAX_TEXT", "Cell", "Row", "plain", "storable"]

MAX_TEXT = 4096
"""Characters of a text; a longer one is cut, and ends with an ellipsis."""

Cell: TypeAlias = bool | int | float | str | datetime | None
Row: TypeAlias = dict[str, Cell]

_WHOLE = 1 << 63


def plain(value: Any) -> Cell:
    """One value as a cell: what is no finite number of 64 bits becomes what is nearest to it."""
    if isinstance(value, bool | None | datetime):
        return value
    if isinstance(value, int):
        return value if -_WHOLE <= value < _WHOLE else _finite(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return storable(text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…")


def storable(text: str) -> str:
    """The same text, without half pairs of surrogates, which no file could hold."""
    return text.encode("utf-8", "replace").decode()


def _finite(value: int) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None

"""A nested document as cells under flat names, as the original's notebooks have them: `usage__ru_utime`.

Documents come from where a stranger's program ran, so all is bounded: depth, names, texts, and how many cells there are.
"""

import json
import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, TypeAlias

__all__ = ["MAX_CELLS", "MAX_DEPTH", "MAX_NAME", "MAX_TEXT", "SEPARATOR", "Cell", "Row", "flat", "plain"]

SEPARATOR = "__"
MAX_DEPTH = 16
"""Objects in one another; what is deeper is left out."""
MAX_NAME = 256
"""Characters of a flat name; a cell with a longer one is left out."""
MAX_TEXT = 4096
"""Characters of a text; a longer one is cut, and ends with an ellipsis."""
MAX_CELLS = 5000
"""Of one document; further ones are left out."""

Cell: TypeAlias = bool | int | float | str | datetime | None
Row: TypeAlias = dict[str, Cell]

_FLAGS = "hwinfo__cpu_features__flags"
_WHOLE = 1 << 63
# Nothing to compare by: hashes of files, the proof of the wrapper, bytes that are there as text, too.
_IGNORED = frozenset({"hashes", "proof", "stdout_base64", "stderr_base64", "stdout_raw"})


def flat(document: Mapping[str, Any]) -> Row:
    """All values of a document by flat name.

    Flags of a processor are `flag__<name>`, true; the packages that a run found installed are `installed__<name>`, with their version. Other
    lists are their JSON as text.
    """
    found: Row = {}
    for name, cell in _cells("", document, MAX_DEPTH):
        if len(found) >= MAX_CELLS:
            break
        if len(name) <= MAX_NAME:
            found[_storable(name)] = cell
    return found


def plain(value: Any) -> Cell:
    """One value as a cell: what is no finite number of 64 bits becomes what is nearest to it."""
    if isinstance(value, bool | None | datetime):
        return value
    if isinstance(value, int):
        return value if -_WHOLE <= value < _WHOLE else _finite(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return _storable(text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…")


def _cells(name: str, value: Any, depth: int) -> Iterator[tuple[str, Cell]]:
    if isinstance(value, Mapping):
        for key, each in value.items() if depth else ():
            if key not in _IGNORED:
                yield from _cells(f"{name}{SEPARATOR}{key}" if name else str(key), each, depth - 1)
    elif name == _FLAGS and isinstance(value, list):
        yield from ((f"flag{SEPARATOR}{each}", True) for each in value if isinstance(each, str))
    elif name == "packages" and isinstance(value, list):
        yield from _installed(value)
    elif value is not None:
        yield name, plain(value)


def _installed(packages: list[Any]) -> Iterator[tuple[str, Cell]]:
    from trimtab.catalog.stacks import normalise

    for each in packages:
        name, version = (each.get(key) if isinstance(each, Mapping) else None for key in ("name", "version"))
        if isinstance(name, str) and isinstance(version, str):
            yield f"installed{SEPARATOR}{normalise(name)}", plain(version)


def _finite(value: int) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None


def _storable(text: str) -> str:
    """Half a pair of surrogates is no text that a file could hold."""
    return text.encode("utf-8", "replace").decode()

"""A nested document as cells under flat names, as the original's notebooks have them: `usage__ru_utime`.

Documents come from where a stranger's program ran, so all is bounded: depth, names, texts, and how many cells there are.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from trimtab.frames.cell import Cell, Row, plain, storable

__all__ = ["MAX_CELLS", "MAX_DEPTH", "MAX_NAME", "SEPARATOR", "flat"]

SEPARATOR = "__"
MAX_DEPTH = 16
"""Objects in one another; what is deeper is left out."""
MAX_NAME = 256
"""Characters of a flat name; a cell with a longer one is left out."""
MAX_CELLS = 5000
"""Of one document; further ones are left out."""

_FLAGS = "hwinfo__cpu_features__flags"
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
            found[storable(name)] = cell
    return found


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

"""Plain tables: space aligned columns under upper-case headers, no rules. Their layout is interface."""

from collections.abc import Iterable, Sequence
from typing import Any


def format_table(rows: Iterable[Sequence[Any]], headers: Sequence[str]) -> str:
    """Lay out ``rows`` in columns; a cell may be a list of lines, and None is an empty one."""
    from tabulate import tabulate

    cells = [[_cell(value) for value in row] for row in rows]
    # Numbers stay text: aligning or reformatting them would change what was measured.
    return tabulate(cells, headers, tablefmt="plain", disable_numparse=True)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return "\n".join(str(line) for line in value) if isinstance(value, list | tuple) else str(value)

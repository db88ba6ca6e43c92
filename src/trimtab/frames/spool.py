"""Rows on their way into a table, in a temporary file: which columns there are, and of what kind, is known at the end only.

So as many inspections as one likes take the memory of a few hundred rows.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any, Self, TypeAlias

from trimtab.frames.cell import Cell, Row

__all__ = ["MAX_COLUMNS", "Kind", "Spool"]

MAX_COLUMNS = 5000
"""Of a table; further ones are left out, and their number is told."""
IN_MEMORY = 1 << 20
ROWS = 500

Kind: TypeAlias = str
"""`bool`, `int`, `float`, `str` or `datetime`."""


class Spool:
    """Rows, and the columns that they have.

    Args:
        limit: Columns at most.

    Attributes:
        columns: The kind of each, in the order in which they came.
        count: Rows.
        left_out: Names of columns that there was no room for, as many as are told.
    """

    def __init__(self, limit: int = MAX_COLUMNS) -> None:
        self.columns: dict[str, Kind] = {}
        self.count = 0
        self.left_out: set[str] = set()
        self._limit = limit
        self._numbers: dict[str, int] = {}
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY, "w+", encoding="utf-8")  # noqa: SIM115 - closed by close()

    @classmethod
    def of(cls, rows: Iterable[Row], limit: int = MAX_COLUMNS) -> Self:
        """All of these rows; if one cannot be had, nothing is kept."""
        spool = cls(limit)
        try:
            for row in rows:
                spool.add(row)
        except BaseException:
            spool.close()
            raise
        return spool

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give up the file."""
        self._file.close()

    def add(self, row: Row) -> None:
        """Keep a row."""
        kept = [
            (self._numbers[name], _written(cell)) for name, cell in row.items() if self._noted(name, cell)
        ]
        self._file.write(json.dumps(kept) + "\n")
        self.count += 1

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows, each cell as the kind of its column has it; without what is not there."""
        names, kinds = list(self.columns), list(self.columns.values())
        for cells in self._lines():
            yield {names[number]: _read(value, kinds[number]) for number, value in cells}

    def batches(self, size: int = ROWS) -> Iterator[Any]:
        """The same as record batches of Arrow."""
        import pyarrow as pa

        schema, rows = self.schema, self.rows()
        while part := list(islice(rows, size)):
            arrays = [pa.array([row.get(each.name) for row in part], each.type) for each in schema]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    @property
    def schema(self) -> Any:
        """That of Arrow."""
        import pyarrow as pa

        types = {
            "bool": pa.bool_(),
            "int": pa.int64(),
            "float": pa.float64(),
            "str": pa.string(),
            "datetime": pa.timestamp("us", tz="UTC"),
        }
        return pa.schema([(name, types[kind]) for name, kind in self.columns.items()])

    def _noted(self, name: str, cell: Cell) -> bool:
        """Whether the cell is to be kept; its column is then known."""
        if cell is None:
            return False
        kind = type(cell).__name__
        known = self.columns.get(name)
        if known is None and len(self.columns) >= self._limit:
            if len(self.left_out) < self._limit:
                self.left_out.add(name)
            return False
        self._numbers.setdefault(name, len(self._numbers))
        self.columns[name] = kind if known is None else _both(known, kind)
        return True

    def _lines(self) -> Iterator[list[tuple[int, Any]]]:
        self._file.seek(0)
        for line in self._file:
            yield json.loads(line)


def _both(one: Kind, other: Kind) -> Kind:
    """The kind that has room for both; a text always has."""
    if one == other:
        return one
    return "float" if {one, other} == {"int", "float"} else "str"


def _written(cell: Cell) -> Any:
    return {"time": cell.isoformat()} if isinstance(cell, datetime) else cell


def _read(value: Any, kind: Kind) -> Any:
    if isinstance(value, dict):
        return datetime.fromisoformat(value["time"]) if kind == "datetime" else value["time"]
    if kind == "float":
        return float(value)
    return value if kind != "str" or isinstance(value, str) else json.dumps(value)

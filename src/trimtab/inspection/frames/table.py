"""Inspections as one table of Arrow."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loguru import logger

from trimtab.frames.spool import MAX_COLUMNS, Spool
from trimtab.inspection.frames.rows import Per, Refused, rows
from trimtab.store import Inspections, Store

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["frame"]


def frame(
    inspections: Inspections | Store | str | Path | None = None,
    *,
    ids: Iterable[str] | None = None,
    per: Per = "run",
    refused: Refused | None = None,
    columns: int = MAX_COLUMNS,
) -> "pa.Table":
    """Inspections as a table: `.to_pandas()` of it is a frame of pandas, `polars.from_arrow(...)` one of polars.

    Args:
        inspections: Where they are; by default where the settings say. A path, a URL or a store has them right in it, as published
            data sets do.
        ids: Which; by default all that may be read.
        per: `run`: a row for each run. `inspection`: one for each inspection, with the median of what was measured over its batch, what
            all runs have in common, and statistics.
        refused: Told which inspections cannot be read; by default the log is. They are left out.
        columns: How many there may be at most.

    Raises:
        UnavailableError: The store cannot be read.
        StoreURLError: What is given names none.
    """
    import pyarrow as pa

    with Spool.of(rows(_place(inspections), ids=ids, per=per, refused=refused), columns) as spool:
        if spool.left_out:
            logger.warning("{} columns are left out: {} is the most", len(spool.left_out), columns)
        return pa.Table.from_batches(spool.batches(), schema=spool.schema)


def _place(given: Any) -> Inspections:
    if isinstance(given, Inspections):
        return given
    if given is None:
        from trimtab.store.default import default_store

        return Inspections(*default_store())
    return Inspections(given if isinstance(given, Store) else Store.open(str(given)), None)

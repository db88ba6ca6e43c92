"""Observations as a table: a row for each fact, with its subject, its source, and how we know it."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from trimtab.catalog import Database
from trimtab.catalog import observations as catalog
from trimtab.frames import Row, Spool, plain

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["frame", "observation_row", "observation_rows"]


def observation_rows(
    database: Database, *, relations: Iterable[str] | None = None, kinds: Iterable[str] | None = None
) -> Iterator[Row]:
    """A row for each observation; `at` is a time, and all else text.

    Args:
        database: The catalog.
        relations: Of these alone; by default all but `provides`, of which there are thousands an image.
        kinds: Of objects of these kinds alone.

    Raises:
        trimtab.catalog.UnavailableError: The database cannot be used.
    """
    with database.read() as connection:
        for each in catalog.observed(connection, relations=relations, kinds=kinds):
            yield observation_row(asdict(each))


def observation_row(observation: Mapping[str, Any]) -> Row:
    """The row of one observation, as a server answers it, or `asdict` gives it."""
    return {name: plain(value) for name, value in observation.items()} | {"at": _time(observation["at"])}


def frame(
    database: Database | None = None,
    *,
    relations: Iterable[str] | None = None,
    kinds: Iterable[str] | None = None,
) -> "pa.Table":
    """Observations as a table of Arrow: `.to_pandas()` of it is a frame of pandas, `polars.from_arrow(...)` one of polars.

    Args:
        database: The catalog; by default that of the settings.
        relations: Of these alone; by default all but `provides`.
        kinds: Of objects of these kinds alone.
    """
    import pyarrow as pa

    from trimtab.settings import Settings

    with ExitStack() as stack:
        if database is None:
            database = Database(Settings().url)
            stack.callback(database.close)
        spool = stack.enter_context(Spool.of(observation_rows(database, relations=relations, kinds=kinds)))
        return pa.Table.from_batches(spool.batches(), schema=spool.schema)


def _time(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None

"""How an inspection stands, also before it is over."""

from collections.abc import Sequence
from typing import Any

from trimtab.catalog import inspections as catalog
from trimtab.catalog.database import Database
from trimtab.store import InspectionStore, NotFoundError

__all__ = ["report_of"]

RUN = ("item", "attempt", "state", "exit_code", "signal", "timed_out", "oom_killed", "duration")


def report_of(database: Database, inspection: InspectionStore) -> dict[str, Any] | None:
    """Its report; of what is under way, or was made by the original, the same as far as rows tell.

    Args:
        database: The catalog.
        inspection: In the store.

    Returns:
        The document; None: there is no such inspection.

    Raises:
        DocumentError: It was torn.
        UnavailableError: Store or database cannot be read.
    """
    try:
        return dict(inspection.retrieve_report())
    except NotFoundError:
        with database.read() as connection:
            row = catalog.by_id(connection, inspection.inspection_id)
            runs = catalog.runs_of(connection, inspection.inspection_id)
    return None if row is None else _of_rows(row, runs)


def _of_rows(row: catalog.Row, runs: Sequence[catalog.Row]) -> dict[str, Any]:
    failure = {"kind": row["failure_class"], "reason": row["failure_reason"]}
    return {
        "inspection_id": row["id"],
        "state": row["state"],
        "owner": row["owner"],
        "engine": {"name": row["engine"]},
        "build": row["build"],
        "runs": [{name: each[name] for name in RUN} for each in runs],
        "failure": failure if row["failure_class"] else None,
    }

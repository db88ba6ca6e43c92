"""How an inspection stands, in the words of the original: of a build's pod, and of an Argo workflow."""

from datetime import UTC, datetime
from typing import Any

from trimtab.catalog import InspectionState
from trimtab.catalog.inspections import Row
from trimtab.server.inspections.library import Found

__all__ = ["UNKNOWN", "status_of"]

UNKNOWN = {"build": None, "workflow": None, "data_stored": False, "state": "unknown"}
QUEUED, BUILDING = InspectionState.QUEUED, InspectionState.BUILDING
PHASES = {
    InspectionState.QUEUED: "Pending",
    InspectionState.BUILDING: "Running",
    InspectionState.RUNNING: "Running",
    InspectionState.SUCCEEDED: "Succeeded",
}


def status_of(found: Found) -> dict[str, Any]:
    """The status object: the original's keys, and `state`."""
    stored = found.stored.exists()
    if found.row is None:
        return UNKNOWN | {"data_stored": stored}
    return {
        "build": _build(found.row),
        "workflow": _workflow(found.row),
        "data_stored": stored,
        "state": found.state,
    }


def _build(row: Row) -> dict[str, Any]:
    state = row["state"]
    failed = state == InspectionState.BUILD_FAILED
    code = 1 if failed else 0 if row["build"] else None
    reason = row["failure_reason"] if failed else "Completed" if row["build"] else None
    return {
        "container": (row["build"] or {}).get("reference"),
        "exit_code": code,
        "finished_at": _moment(row["ended_at"]) if failed else None,
        "reason": reason,
        "started_at": _moment(row["started_at"]),
        "state": {QUEUED: "scheduling", BUILDING: "running"}.get(state, "terminated"),
    }


def _workflow(row: Row) -> dict[str, Any]:
    return {
        "phase": PHASES.get(row["state"], "Failed"),
        "startedAt": _moment(row["started_at"]),
        "finishedAt": _moment(row["ended_at"]),
        "message": row["failure_reason"],
        "nodes": {},
    }


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"

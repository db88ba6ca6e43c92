"""How an inspection ends: once, with its documents, and then its rows."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from trimtab.catalog import InspectionState, record
from trimtab.catalog.rebuild import documents_of
from trimtab.engines import EngineUnavailableError
from trimtab.store import FailureReport, Report, RunReport
from trimtab.workflows.building import NOTE, report_of
from trimtab.workflows.work import Work

__all__ = ["CAPABILITIES", "STARTED", "clean", "conclude", "state_of"]

CAPABILITIES, STARTED = "engine.json", "started.json"


async def conclude(work: Work, runs: Sequence[RunReport], *, cancelled: bool = False) -> Report:
    """Write how it ended, unless that was done; then its rows.

    Args:
        work: The inspection.
        runs: All attempts of its runs.
        cancelled: It was broken off because somebody wished so.

    Returns:
        The report that is stored: that of whoever was first.
    """
    return await asyncio.to_thread(_conclude, work, runs, cancelled=cancelled)


async def clean(work: Work) -> None:
    """Remove what the engine and the journal hold of it."""
    with suppress(EngineUnavailableError):  # what it holds carries our label, and goes with its age
        await work.engine.clean(work.id)
    await asyncio.to_thread(work.journal.remove)


def state_of(
    noted: dict[str, Any] | None, runs: Sequence[RunReport], *, cancelled: bool = False
) -> InspectionState:
    """Which state it ends in."""
    if cancelled:
        return InspectionState.CANCELLED
    if not noted or "build" not in noted:
        return InspectionState.BUILD_FAILED
    last = {each["item"]: each["state"] for each in runs}
    good = all(each == "succeeded" for each in last.values())
    return InspectionState.SUCCEEDED if good else InspectionState.FAILED


def _conclude(work: Work, runs: Sequence[RunReport], *, cancelled: bool) -> Report:
    noted = work.journal.read(NOTE)
    report = Report(
        inspection_id=work.id,
        state=state_of(noted, runs, cancelled=cancelled).value,
        owner=work.submission.owner,
        engine=work.journal.read(CAPABILITIES) or {"name": work.submission.engine},
        created=_moment(work.submission.created),
        started=work.journal.read(STARTED) or _moment(work.submission.created),
        ended=datetime.now(UTC).isoformat(),
        build=report_of(noted or {}),
        runs=list(runs),
        failure=_failure(noted, runs, cancelled=cancelled),
    )
    stored = work.stored.conclude(dict(work.submission.specification), report)
    with work.place.database.write() as connection:
        record(connection, documents_of(work.stored))
    work.tell("over", text=stored["state"])
    return stored


def _failure(
    noted: dict[str, Any] | None, runs: Sequence[RunReport], *, cancelled: bool
) -> FailureReport | None:
    if cancelled:
        return None
    if noted and "failure" in noted:
        return noted["failure"]  # type: ignore[no-any-return] # it is of JSON
    last = {each["item"]: each["failure"] for each in runs}
    return next((each for each in last.values() if each), None)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()

"""How an inspection ends: once, with its documents, and then its rows."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from trimtab.catalog import InspectionState, record
from trimtab.catalog.rebuild import documents_of
from trimtab.engines import EngineUnavailableError
from trimtab.store import FailureReport, NotFoundError, Report, RunReport
from trimtab.workflows.building import NOTE, report_of
from trimtab.workflows.place import Place
from trimtab.workflows.submission import Submission
from trimtab.workflows.work import Work

__all__ = ["CAPABILITIES", "STARTED", "call_off", "clean", "conclude", "concluded", "state_of"]

CAPABILITIES, STARTED = "engine.json", "started.json"


async def conclude(
    work: Work,
    runs: Sequence[RunReport],
    ending: InspectionState | None = None,
    failure: FailureReport | None = None,
) -> Report:
    """Write how it ended, unless that was done; then its rows.

    Args:
        work: The inspection.
        runs: All attempts of its runs.
        ending: How it was broken off; None: it went its way.
        failure: Why it was.

    Returns:
        The report that is stored: that of whoever was first.
    """
    report = await asyncio.to_thread(_report, work, runs, ending, failure)
    return _tell(work, await work.outside(_put, work.place, work.submission, report))


async def concluded(work: Work) -> Report | None:
    """How it ended, if that is written; its rows are then, too."""
    stored = await work.outside(_stored, work)
    if stored is None:
        return None
    return _tell(work, await work.outside(_put, work.place, work.submission, stored))


def call_off(place: Place, submission: Submission, ending: InspectionState) -> Report:
    """Conclude what was not begun.

    Args:
        place: Where it is kept.
        submission: What was accepted.
        ending: In which state it ends.

    Returns:
        The report that is stored: that of whoever was first.
    """
    created, now = _moment(submission.created), datetime.now(UTC).isoformat()
    report = Report(
        inspection_id=submission.id,
        state=ending.value,
        owner=submission.owner,
        engine={"name": submission.engine},
        created=created,
        started=now,
        ended=now,
        build=None,
        runs=[],
        failure=None,
    )
    return _put(place, submission, report)


async def clean(work: Work) -> None:
    """Remove what the engine and the journal hold of it."""
    with suppress(EngineUnavailableError):  # what it holds carries our label, and goes with its age
        await work.engine.clean(work.id)
    await asyncio.to_thread(work.journal.remove)


def state_of(noted: dict[str, Any] | None, runs: Sequence[RunReport]) -> InspectionState:
    """Which state it ends in, if it was not broken off."""
    if not noted or "build" not in noted:
        return InspectionState.BUILD_FAILED
    last = {each["item"]: each["state"] for each in runs}
    good = all(each == "succeeded" for each in last.values())
    return InspectionState.SUCCEEDED if good else InspectionState.FAILED


def _report(
    work: Work, runs: Sequence[RunReport], ending: InspectionState | None, failure: FailureReport | None
) -> Report:
    noted = work.journal.read(NOTE)
    return Report(
        inspection_id=work.id,
        state=(ending or state_of(noted, runs)).value,
        owner=work.submission.owner,
        engine=work.journal.read(CAPABILITIES) or {"name": work.submission.engine},
        created=_moment(work.submission.created),
        started=work.journal.read(STARTED) or _moment(work.submission.created),
        ended=datetime.now(UTC).isoformat(),
        build=report_of(noted or {}),
        runs=list(runs),
        failure=failure if ending else _failure(noted, runs),
    )


def _put(place: Place, submission: Submission, report: Report) -> Report:
    """Documents first, then the rows."""
    inspection = place.inspections[submission.id]
    stored = inspection.conclude(dict(submission.specification), report)
    with place.database.write() as connection:
        record(connection, documents_of(inspection))
    return stored


def _stored(work: Work) -> Report | None:
    try:
        return work.stored.retrieve_report()
    except NotFoundError:
        return None


def _tell(work: Work, report: Report) -> Report:
    work.tell("over", text=report["state"])
    return report


def _failure(noted: dict[str, Any] | None, runs: Sequence[RunReport]) -> FailureReport | None:
    if noted and "failure" in noted:
        return noted["failure"]  # type: ignore[no-any-return] # it is of JSON
    last = {each["item"]: each["failure"] for each in runs}
    return next((each for each in last.values() if each), None)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()

"""One run of the batch: its attempts, until one leaves a result or the bound is reached.

A run counts once: its result is put if absent, and an attempt that was begun and not noted as ended, because the process that
made it was killed in the middle, is recorded as lost and made anew. That it was begun is in the journal, and in a row of the
catalog: who takes over on another machine has no more than that, and the results in the store.
"""

import asyncio
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from trimtab.catalog import (
    InspectionState,
    RunDocuments,
    RunState,
    advance,
    forget_run,
    record_run,
    submissions,
)
from trimtab.engines import BuildGoneError, EngineUnavailableError, RefusedError, Run, RunRequest
from trimtab.store import DocumentError, NotFoundError, RunReport
from trimtab.store.documents import decode
from trimtab.workflows.building import build, build_of
from trimtab.workflows.failures import of_run
from trimtab.workflows.journal import EndedError
from trimtab.workflows.outcome import result_of
from trimtab.workflows.work import Work

__all__ = ["KILLED", "UNWANTED", "forget", "keep", "recall", "run"]

KILLED = "the process that made it was ended in the middle"
UNWANTED = "it was under way when the inspection was ended on request"
TOKEN = "TRIMTAB_RUN_TOKEN"  # noqa: S105 - the name of a variable
REFUSED = "it was refused, and so not tried again"
LIMIT = 1 << 20


async def run(work: Work, item: int, *, warmup: bool = False) -> list[RunReport]:
    """Make a run, unless that was done.

    Args:
        work: The inspection, which was built.
        item: Which; a warm-up has a number beyond the batch.
        warmup: It is not counted: nothing of it is stored.

    Returns:
        What the inspection's report says of each attempt.

    Raises:
        EndedError: Somebody else ended the inspection.
    """
    found = await asyncio.to_thread(_noted, work, item)
    while not found or _again(found[-1], work.patience.attempts):
        attempt = len(found) + 1
        if found:
            reason = str(found[-1]["lost"])
            work.tell("retrying", item, reason, warmup=warmup, attempt=attempt)
            await asyncio.sleep(work.patience.before(attempt))
        async with work.rooms.run(work.specification.run.requests.to_resources().cpu):
            found.append(await _attempt(work, item, attempt, warmup=warmup))
    for each in found if not warmup else ():
        await work.outside(_keep, work, each)
    work.tell("ran", item, _told(found[-1]), warmup=warmup, attempt=len(found))
    return found


def keep(work: Work, unseen: str = KILLED) -> list[RunReport]:
    """Store what is noted of the batch of an inspection that was broken off, and tell what that is.

    Args:
        work: The inspection.
        unseen: Why nobody saw the end of what was under way.
    """
    items = range(work.specification.batch_size)
    found = [each for item in items for each in _noted(work, item, unseen)]
    for each in found:
        _keep(work, each)
    return found


def recall(work: Work) -> None:
    """Note what is known of runs that were made on another machine: their rows, and results in the store."""
    with work.place.database.read() as connection:
        reports = submissions.reports(connection, work.id)
    for each in reports:
        _recall(work, each)


def forget(work: Work) -> None:
    """Whoever goes on makes what is under way as if it had not been begun: it is ended, and nobody's fault."""
    specification = work.specification
    for item in range(specification.batch_size + specification.run.warmup):
        for attempt in range(1, work.patience.attempts + 1):
            name = work.journal.run(item, attempt)
            if work.journal.read(f"{name}.begun") is None or work.journal.read(f"{name}.json") is not None:
                continue
            work.journal.forget(f"{name}.begun")
            with work.place.database.write() as connection:
                forget_run(connection, work.id, item, attempt)


def _recall(work: Work, report: Any) -> None:
    item, attempt = report["item"], report["attempt"]
    name = work.journal.run(item, attempt)
    if work.journal.read(f"{name}.begun") is not None:
        return
    if report["state"] != RunState.LOST:
        report = _recalled(work, report)
    if report["state"] != RunState.RUNNING:
        work.journal.write(f"{name}.json", {"report": report, "stored": True})
    work.journal.write(f"{name}.begun", report["started"])


def _recalled(work: Work, report: Any) -> Any:
    """What is to be said of a run that is in the store; whoever made it may have died before it was said."""
    try:
        result = work.stored.results.retrieve_result(report["item"])
    except NotFoundError:
        return {**report, "state": RunState.RUNNING.value}
    if report["state"] != RunState.RUNNING:
        return report
    code, ended = result.get("exit_code"), datetime.now(UTC)
    run = Run(
        exit_code=code if isinstance(code, int) else None,
        signal=result.get("signal"),
        oom_killed=False,
        timed_out=bool(result.get("timed_out")),
        lost=None,
        started=datetime.fromisoformat(report["started"]),
        ended=ended,
        log=work.journal.directory,
        notes=(KILLED + ", after its result was stored",),
    )
    return _report(report["item"], report["attempt"], run, result)


def _again(last: RunReport, attempts: int) -> bool:
    return last["state"] == "lost" and last["attempt"] < attempts and REFUSED not in last["notes"]


async def _attempt(work: Work, item: int, attempt: int, *, warmup: bool) -> RunReport:
    name, token = work.journal.run(item, attempt), secrets.token_hex(16)
    output = await asyncio.to_thread(work.journal.empty, name)
    began = datetime.now(UTC).isoformat()
    await work.outside(_begin, work, item, attempt, began, warmup)
    work.journal.write(f"{name}.begun", began)
    work.tell("running", item, warmup=warmup, attempt=attempt)
    done = await _made(work, item, output, token)
    result = await asyncio.to_thread(result_of, done, output, token)
    report = _report(item, attempt, done, result)
    work.journal.write(f"{name}.json", {"report": report, "result": result})
    return report


def _begin(work: Work, item: int, attempt: int, began: str, warmup: bool) -> None:  # noqa: FBT001 # called in a thread
    """A row for whoever looks on, or takes over. Nothing is begun of what somebody else ended."""
    row = {"item": item, "attempt": attempt, "state": RunState.RUNNING.value, "started": began}
    with work.place.database.write() as connection:
        if not advance(connection, work.id, InspectionState.RUNNING):
            raise EndedError(f"somebody else ended {work.id}")
        if not warmup:
            record_run(connection, work.id, RunDocuments(item, report=row))


async def _made(work: Work, item: int, output: Path, token: str) -> Run:
    """Run it; what was built and is gone is built again, once."""
    noted, began = work.journal.read("build.json"), datetime.now(UTC)
    sink = partial(work.watcher.output, item)
    try:
        try:
            return await work.engine.run(_request(work, item, noted, output, token), sink)
        except BuildGoneError:
            noted = await build(work, anew=True)
            if "build" not in noted:
                raise
            return await work.engine.run(_request(work, item, noted, output, token), sink)
    except (EngineUnavailableError, RefusedError) as error:
        log, notes = output.with_name(output.name + ".log"), (REFUSED,) * isinstance(error, RefusedError)
        return Run(None, None, False, False, str(error), began, datetime.now(UTC), log, notes)


def _request(work: Work, item: int, noted: dict[str, Any], output: Path, token: str) -> RunRequest:
    wanted = work.specification.run
    return RunRequest(
        id=work.id,
        item=item,
        build=build_of(noted),
        resources=wanted.requests.to_resources(),
        timeout=wanted.timeout,
        network=wanted.isolation.network,
        output=output,
        environment={TOKEN: token},
        reuse=wanted.isolation.scope == "batch",
    )


def _report(item: int, attempt: int, done: Run, result: dict[str, Any] | None) -> RunReport:
    told = None if result is None else result.get("exit_code")
    exit_code = told if isinstance(told, int) else done.exit_code
    failure = of_run(done, result)
    state = "lost" if done.lost is not None else "failed" if failure else "succeeded"
    return RunReport(
        item=item,
        attempt=attempt,
        state=state,
        exit_code=exit_code,
        signal=_signal(done, result),
        timed_out=bool(done.timed_out or (result or {}).get("timed_out")),
        oom_killed=done.oom_killed,
        lost=done.lost,
        started=done.started.isoformat(),
        ended=done.ended.isoformat(),
        failure=failure,
        notes=list(done.notes),
    )


def _noted(work: Work, item: int, unseen: str = KILLED) -> list[RunReport]:
    """The attempts that were begun, in order; one whose end nobody saw is lost."""
    found: list[RunReport] = []
    for attempt in range(1, work.patience.attempts + 1):
        name = work.journal.run(item, attempt)
        began = work.journal.read(f"{name}.begun")
        if began is None:
            break
        noted = work.journal.read(f"{name}.json")
        found.append(_broken(item, attempt, began, unseen) if noted is None else noted["report"])
    return found


def _signal(done: Run, result: Mapping[str, Any] | None) -> int | None:
    """The signal that ended the script, by the wrapper's proved word; else what the engine takes the exit code for."""
    if result is not None and result.get("proof") and "signal" in result:
        told = result["signal"]
        return told if isinstance(told, int) else None
    return done.signal


def _broken(item: int, attempt: int, began: str, reason: str) -> RunReport:
    return RunReport(
        item=item,
        attempt=attempt,
        state="lost",
        exit_code=None,
        signal=None,
        timed_out=False,
        oom_killed=False,
        lost=reason,
        started=began,
        ended=began,
        failure={"kind": "infrastructure", "reason": reason, "lines": []},
        notes=[],
    )


def _keep(work: Work, report: RunReport) -> None:
    """Documents first, then the row."""
    name = work.journal.run(report["item"], report["attempt"])
    noted = work.journal.read(f"{name}.json") or {}
    if noted.get("stored"):  # on another machine
        return
    result = hwinfo = None
    if report["state"] != "lost":
        output = work.journal.directory / name
        log, hwinfo = output.with_name(output.name + ".log"), _hwinfo(output / "hwinfo")
        result = work.stored.results.store_run(
            report["item"], _result(noted, output), hwinfo=hwinfo, log=log if log.exists() else b""
        )
    with work.place.database.write() as connection:
        # Of what is over or shall end, the rows are written from the documents, and by whoever concludes it.
        if advance(connection, work.id, InspectionState.RUNNING):
            record_run(connection, work.id, RunDocuments(report["item"], result, hwinfo, report))


def _result(noted: dict[str, Any], output: Path) -> dict[str, Any] | bytes:
    """As the wrapper wrote it, to the byte, if it did."""
    found: dict[str, Any] = noted["result"]
    return (output / "result").read_bytes() if found.get("proof") else found


def _hwinfo(path: Path) -> dict[str, Any] | None:
    """What it ran on, if the wrapper left that and the script let it be."""
    try:
        return decode(path.read_bytes(), path.name) if path.stat().st_size <= LIMIT else None
    except (OSError, DocumentError, NotFoundError):
        return None


def _told(report: RunReport) -> str:
    failure = report["failure"]
    return failure["reason"] if failure else ""

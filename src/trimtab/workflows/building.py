"""The build of an inspection: once, or as often as the infrastructure needs, within a bound."""

import asyncio
import shutil
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from trimtab.catalog import InspectionState, advance
from trimtab.engines import Build, EngineError
from trimtab.inspection import build_request, write_context
from trimtab.inspection.context.containerfile import containerfile
from trimtab.store import BuildReport
from trimtab.workflows.failures import is_transient, of_build
from trimtab.workflows.journal import EndedError
from trimtab.workflows.work import Work

__all__ = ["NOTE", "build", "build_of", "keep", "report_of"]

NOTE = "build.json"


async def build(work: Work, *, anew: bool = False) -> dict[str, Any]:
    """Build, unless that was done; its log and Containerfile are stored then.

    Args:
        work: The inspection.
        anew: What was built is gone; build it again.

    Raises:
        EndedError: Somebody else ended it.

    Returns:
        `build`: what was built; or `failure`: why it could not be.
    """
    noted: dict[str, Any] | None = None if anew else work.journal.read(NOTE)
    if noted is None:
        await work.outside(_advance, work)
        work.tell("building")
        noted = await _built(work)
        work.journal.write(NOTE, noted)
    await work.outside(keep, work)
    work.tell("built", text=_told(noted))
    return noted


def build_of(noted: dict[str, Any]) -> Build:
    """What runs start from."""
    found = noted["build"]
    return Build(**{**found, "log": Path(found["log"]), "left_out": tuple(found["left_out"])})


def report_of(noted: dict[str, Any]) -> BuildReport | None:
    """What the inspection's report says of it."""
    found = noted.get("build")
    names = ("reference", "digest", "cached", "seconds", "size", "left_out")
    # A note of an earlier release has no size.
    return None if found is None else BuildReport(**{name: found.get(name) for name in names})  # type: ignore[typeddict-item]


async def _built(work: Work) -> dict[str, Any]:
    attempt = 1
    while True:
        await asyncio.sleep(work.patience.before(attempt))
        try:
            done = await _once(work)
        except EngineError as error:
            if attempt >= work.patience.attempts or not is_transient(error):
                return {"failure": of_build(error), "attempts": attempt}
            attempt += 1
            work.tell("retrying", text=str(error), attempt=attempt)
        else:
            document = asdict(done) | {"log": str(done.log), "environment": dict(done.environment)}
            return {"build": document, "attempts": attempt}


async def _once(work: Work) -> Build:
    context = work.journal.context
    async with work.rooms.builds.taken():
        await asyncio.to_thread(shutil.rmtree, context, ignore_errors=True)
        specification = work.specification
        written = await asyncio.to_thread(write_context, specification, context)
        request = build_request(specification, written, work.id, best_effort=work.submission.best_effort)
        return await work.engine.build(request, partial(work.watcher.output, None))


def _advance(work: Work) -> None:
    with work.place.database.write() as connection:
        if not advance(connection, work.id, InspectionState.BUILDING, engine=work.submission.engine):
            raise EndedError(f"somebody else ended {work.id}")


def keep(work: Work) -> None:
    """Store what the build left, also one that was broken off."""
    log = work.journal.context.with_name(work.journal.context.name + ".log")
    if not log.exists() and work.stored.build.document_exists("log"):  # it was built on another machine
        return
    work.stored.build.store_build(log if log.exists() else b"", containerfile(work.specification))


def _told(noted: dict[str, Any]) -> str:
    failure = noted.get("failure")
    return str(failure["reason"]) if failure else ""

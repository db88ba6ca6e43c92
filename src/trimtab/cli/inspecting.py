"""Inspections that this process makes: new ones, and those that a killed one left."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from trimtab.catalog import CatalogError
from trimtab.cli.inspection_output import exit_code, print_report
from trimtab.cli.inspection_progress import Progress
from trimtab.cli.inspection_report import write_report
from trimtab.cli.session_options import Output
from trimtab.cli.stopping import stoppable
from trimtab.engines import EngineUnavailableError, choose
from trimtab.inspection import Specification
from trimtab.settings import Settings
from trimtab.store import NotFoundError, Report, StoreError
from trimtab.workflows import BusyError, Journal, Place, Submission
from trimtab.workflows.course import Course
from trimtab.workflows.work import Work

if TYPE_CHECKING:
    from trimtab.engines import Capabilities, Engine

__all__ = ["Wish", "inspect_here", "resume_here"]

FAILURE = 1
KEPT = 86400.0  # seconds that an engine keeps what a killed process left
PROBLEMS = (StoreError, CatalogError, EngineUnavailableError, BusyError, OSError)


@dataclass(frozen=True)
class Wish:
    """What is asked for on the command line.

    Attributes:
        specification: What is built and run.
        engine: One of `trimtab.engines.CHOICES`.
        best_effort: Leave out what the engine cannot do.
        folder: Of the report; by default one of the home directory.
    """

    specification: Specification
    engine: str
    best_effort: bool = False
    folder: Path | None = None


def inspect_here(settings: Settings, wish: Wish, output: Output, *, follow: bool) -> int:
    """Make an inspection, and print its report.

    Returns:
        The exit code: 0 all is well; 1 the stack or the script failed, or it could not be done; 3 the infrastructure lost
        all runs; 130 or 143 a signal ended it.
    """

    async def go(place: Place) -> int:
        _tell_of_left(place)
        engine, capabilities = await _engine(place, wish.engine)
        submission = Submission.of(
            wish.specification, engine.name, deployment=place.deployment, best_effort=wish.best_effort
        )
        journal = Journal(place.work / submission.id)
        with (
            _told_of(place, submission.id, output, wish.folder),
            Progress(wish.specification, follow=follow) as progress,
            journal.held(),
        ):
            progress.warn(capabilities.warnings)
            report = await _course(Work(place, engine, journal, submission, progress), capabilities)
        return exit_code(report)

    return _run(settings, go)


def resume_here(settings: Settings, ids: Sequence[str], output: Output, *, follow: bool) -> int:
    """Continue what killed processes left: all of it, or these.

    Returns:
        The exit code of the one that went worst.
    """

    async def go(place: Place) -> int:
        journals = [Journal(place.work / each) for each in ids] if ids else Journal.left(place.work)
        codes = [await _resume(place, each, output, follow=follow) for each in journals]
        if not journals:
            typer.echo("Nothing is left to be continued.", err=True)
        return max(codes, default=0)

    return _run(settings, go)


async def _resume(place: Place, journal: Journal, output: Output, *, follow: bool) -> int:
    submission = journal.submission()
    if submission is None:
        raise BusyError(f"{journal.directory.name} is not under way: it is over, or there is none such")
    if journal.is_queued():
        raise BusyError(f"{submission.id} is in the queue, and goes on when `trimtab serve` does")
    specification = Specification.load(submission.specification)
    with _told_of(place, submission.id, output), journal.held():
        engine, capabilities = await _engine(place, submission.engine)
        with Progress(specification, follow=follow) as progress:
            report = await _course(Work(place, engine, journal, submission, progress), capabilities)
    return exit_code(report)


@contextmanager
def _told_of(place: Place, inspection_id: str, output: Output, folder: Path | None = None) -> Iterator[None]:
    """Print the report of what is made meanwhile, and write its page; also if a signal ends it, for what was done."""
    try:
        yield
    except asyncio.CancelledError:
        with suppress(NotFoundError):  # it was ended before anything was accepted
            _tell_of(place, inspection_id, output, folder)
        raise
    _tell_of(place, inspection_id, output, folder)


def _tell_of(place: Place, inspection_id: str, output: Output, folder: Path | None) -> None:
    """The report, and where its page is, which goes beside what programs read."""
    stored = place.inspections[inspection_id]
    print_report(stored.retrieve_report(), output)
    page = write_report(stored, folder or place.home / "reports" / inspection_id)
    typer.echo(f"Report: {page}", err=output is not Output.table)


async def _course(work: Work, capabilities: "Capabilities") -> Report:
    try:
        return await Course(work, capabilities).go()
    except PROBLEMS as error:
        typer.echo(f"Error: {error}", err=True)
        typer.echo(
            f"{work.id} is kept as far as it came: `trimtab inspections resume {work.id}` goes on", err=True
        )
        raise typer.Exit(FAILURE) from None


async def _engine(place: Place, name: str) -> tuple["Engine", "Capabilities"]:
    """The engine, after the end of what killed processes left running."""
    engine, capabilities = await choose(name, place.engines)
    await engine.expire(KEPT)
    return engine, capabilities


def _run(settings: Settings, go: Callable[[Place], Awaitable[int]]) -> int:
    try:
        with Place.open(settings) as place:
            return asyncio.run(stoppable(go(place)))
    except PROBLEMS as error:
        typer.echo(f"Error: {error}", err=True)
        return FAILURE


def _tell_of_left(place: Place) -> None:
    left = Journal.left(place.work)
    if left:
        names = ", ".join(Path(each.directory).name for each in left[:3])
        more = f" and {len(left) - 3} more" if len(left) > 3 else ""  # noqa: PLR2004 # as many as are shown
        typer.echo(
            f"Left by a process that was killed: {names}{more}. `trimtab inspections resume` goes on",
            err=True,
        )

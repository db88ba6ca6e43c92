"""Inspections that a server makes, followed from here."""

import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import typer

from trimtab.cli.connection import LostError, SourceError, connect
from trimtab.cli.inspection_copies import library
from trimtab.cli.inspection_output import exit_code, print_report
from trimtab.cli.inspection_progress import Progress
from trimtab.cli.inspection_report import write_report
from trimtab.cli.inspection_source import Remote
from trimtab.cli.session_options import Output
from trimtab.inspection import Specification
from trimtab.settings import ClientSettings
from trimtab.workflows import Event

__all__ = ["follow_there", "inspect_there"]

INTERRUPTED = 130
PATIENCE = 300.0
PAUSE = 1.0


def inspect_there(
    settings: ClientSettings,
    specification: Specification,
    output: Output,
    *,
    best_effort: bool,
    follow: bool = False,
    folder: Path | None = None,
) -> int:
    """Submit an inspection, follow it, and print its report, as a page too if a folder is given for it.

    The exit code is that of `inspect_here`.

    Raises:
        SourceError: The server refuses, or cannot be reached.
    """
    assert settings.server is not None
    with connect(settings.server, settings.token) as connection:
        remote = Remote(connection)
        inspection_id = remote.submit(specification.document(), best_effort=best_effort)
        code = follow_there(remote, inspection_id, specification, output, logs=follow)
    if folder is not None and code != INTERRUPTED:
        with library(settings.server) as copies:
            page = write_report(copies.get(inspection_id), folder)
        typer.echo(f"Report: {page}", err=output is not Output.table)
    return code


def follow_there(
    remote: Remote, inspection_id: str, specification: Specification, output: Output, *, logs: bool = False
) -> int:
    """Show how an inspection goes on, with the logs if that is wanted, and its report in the end.

    Raises:
        SourceError: The server refuses, or cannot be reached for several minutes.
    """
    try:
        with Progress(specification, follow=logs) as progress:
            for event in _events(remote, inspection_id):
                progress.event(event)
                if logs and event.kind in {"building", "running"} and not event.warmup:
                    _show_log(remote, event, progress)
        report = remote.report(inspection_id)
    except KeyboardInterrupt:
        typer.echo(
            f"{inspection_id} goes on at the server; `trimtab inspections cancel {inspection_id}` ends it",
            err=True,
        )
        return INTERRUPTED
    print_report(report, output)
    return exit_code(report)


def _show_log(remote: Remote, event: Event, progress: Progress) -> None:
    """What is printed, up to its end; events wait meanwhile. Nothing is kept of a warm-up's."""
    attempt = None if event.item is None else event.attempt
    try:
        for each in remote.tail(event.inspection, event.item, attempt):
            progress.output(event.item, each)
    except LostError:
        raise
    except SourceError:  # it was lost, or deleted: the next event tells
        return


def _events(remote: Remote, inspection_id: str) -> Iterator[Event]:
    """Each event once, up to the last, also where the server is away for a while."""
    seen: set[tuple[object, ...]] = set()
    heard = time.monotonic()
    while True:
        try:
            for document in remote.events(inspection_id):
                heard = time.monotonic()
                event = _event(document)
                key = (event.kind, event.item, event.attempt, event.warmup)
                if key not in seen:
                    seen.add(key)
                    yield event
                if event.kind == "over":
                    return
        except LostError:
            if time.monotonic() - heard > PATIENCE:
                raise
        time.sleep(PAUSE)


def _event(document: dict[str, Any]) -> Event:
    return Event(**{each.name: document[each.name] for each in fields(Event)})

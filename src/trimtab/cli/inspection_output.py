"""Inspections as they are printed: as tables for people, or as JSON or YAML."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import typer

from trimtab.cli.json_text import UNSEEN, json_text
from trimtab.cli.session_options import Output

__all__ = ["exit_code", "print_document", "print_inspections", "print_report", "print_rows"]

WIDE = 200
FAILURE, NOTHING = 1, 3


def exit_code(report: Mapping[str, Any]) -> int:
    """0: all is well; 1: it failed; 3: the infrastructure lost every run, or the build."""
    if report["state"] == "succeeded":
        return 0
    if report["state"] == "build_failed" and (report.get("failure") or {}).get("kind") == "infrastructure":
        return NOTHING
    runs = report.get("runs") if report["state"] == "failed" else None
    return NOTHING if runs and all(each["state"] == "lost" for each in runs) else FAILURE


def print_document(document: Any, output: Output) -> None:
    """As JSON or YAML."""
    if output is Output.yaml:
        import yaml

        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
        if UNSEEN.search(
            text
        ):  # what a terminal obeys is written as an escape, and then all that is not ASCII
            text = yaml.safe_dump(document, sort_keys=False)
        typer.echo(text, nl=False)
    else:
        typer.echo(json_text(document))


def print_rows(names: Sequence[str] | None, rows: Sequence[Sequence[Any]]) -> None:
    """A table of plain values; without names, of facts and what they are."""
    from rich.markup import escape

    table = _table(*names) if names else _table(header=False)
    for each in rows:
        table.add_row(*(escape(str(cell)) for cell in each))
    _print(table)


def print_report(report: Mapping[str, Any], output: Output) -> None:
    """How an inspection ended, or how it stands."""
    if output is not Output.table:
        print_document(report, output)
        return
    from rich.markup import escape

    facts = _table(header=False)
    for name, value in _facts(report):
        if value:
            facts.add_row(name, escape(value))
    _print(facts)
    if runs := report.get("runs"):
        _print(_runs(runs))


def print_inspections(rows: Sequence[Mapping[str, Any]]) -> None:
    """One line for each."""
    from rich.markup import escape

    if not rows:
        typer.echo("No inspections. Make one with `trimtab inspect`.")
        return
    table = _table("INSPECTION", "STATE", "BASE", "RUNS", "ENGINE", "CREATED")
    for each in rows:
        created = f"{datetime.fromtimestamp(each['created_at'], UTC):%Y-%m-%d %H:%M}"
        cells = (each["id"], each["state"], each["base"], each["batch_size"], each["engine"] or "", created)
        table.add_row(*(escape(str(cell)) for cell in cells))
    _print(table)


def _facts(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    build, failure, engine = (report.get(name) or {} for name in ("build", "failure", "engine"))
    yield "Inspection", report["inspection_id"]
    yield "State", report["state"]
    yield "Engine", " ".join(filter(None, (engine.get("name"), engine.get("version"))))
    if build:
        cached = ", from the cache" if build.get("cached") else ""
        yield "Build", f"{build.get('seconds', 0):.1f} s{cached}"
        yield "Digest", build.get("digest") or ""
        yield "Left out", "\n".join(build.get("left_out") or ())
    if failure:
        yield "Failure", f"{failure.get('kind')}: {failure.get('reason')}"
        yield "", "\n".join(failure.get("lines") or ())


def _runs(runs: Sequence[Mapping[str, Any]]) -> Any:
    from rich.markup import escape

    table = _table("RUN", "ATTEMPT", "STATE", "EXIT", "SECONDS", "WHY")
    for each in runs:
        failure, code = each.get("failure") or {}, each.get("exit_code")
        cells = (
            each["item"],
            each.get("attempt", 1),
            each["state"],
            "" if code is None else code,
            _seconds(each),
            failure.get("reason") or "",
        )
        table.add_row(*(escape(str(cell)) for cell in cells))
    return table


def _seconds(run: Mapping[str, Any]) -> str:
    try:
        started, ended = (datetime.fromisoformat(run[name]) for name in ("started", "ended"))
    except (KeyError, ValueError, TypeError):
        return ""
    return f"{(ended - started).total_seconds():.2f}"


def _table(*names: str, header: bool = True) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=header)
    for name in names:
        table.add_column(name, no_wrap=name == "INSPECTION")
    if not header:
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
    return table


def _print(table: Any) -> None:
    """Cut to the terminal's width, but never in a pipe."""
    from rich.console import Console

    console = Console()
    (console if console.is_terminal else Console(width=WIDE)).print(table)

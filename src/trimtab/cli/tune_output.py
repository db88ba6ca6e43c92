"""What `trimtab tune` prints at its end: a table for people, or a document for programs."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trimtab.cli.json_text import json_text
from trimtab.optimizer.report import words
from trimtab.pages.numbers import value

if TYPE_CHECKING:
    from servo.types.checks import Check
    from trimtab.optimizer.report import Report, Written

__all__ = ["print_checks", "print_result", "result"]

STYLES = {"improved": "bold green", "no improvement shown": "bold", "not measured": "bold red"}


def print_result(report: "Report", written: "Written", form: str, code: int) -> None:
    """The result: in words and a table, or as one document."""
    if form != "table":
        _print(result(report, written, code), form)
        return
    console = Console(highlight=False, soft_wrap=True)
    found = report.finding
    console.print()
    console.print(
        f"[{STYLES[found.verdict]}]{escape(words.headline(report))}[/]: {escape(words.summary(report))}"
    )
    if found.interval is not None:
        console.print(escape(words.certainty(report)))
    console.print()
    if found.verdict == "improved":
        console.print(_settings(report))
        console.print()
    console.print(f"{escape(words.spent(report))}. {escape(words.left_in_place(report))}")
    console.print(f"Report: {escape(str(written.html))}")


def _settings(report: "Report") -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("SETTING", "BEFORE", "NOW"):
        table.add_column(name, style="dim" if name == "BEFORE" else "", no_wrap=True)
    for each in report.settings:
        style = "bold" if each.changed else "dim"
        unit = f" {each.unit}" if each.unit else ""
        now = f"[{style}]{escape(value(each.after))}{escape(unit)}[/]"
        table.add_row(escape(each.name), f"{escape(value(each.before))}{escape(unit)}", now)
    return table


def result(report: "Report", written: "Written", code: int) -> dict[str, Any]:
    """The result for programs; the report's JSON holds all the rest."""
    found = report.finding
    return {
        "session": report.id,
        "application": report.application,
        "state": report.state,
        "message": report.message,
        "exit_code": code,
        "verdict": found.verdict,
        "objective": report.goal.objective,
        "baseline_value": found.baseline_value,
        "value": found.value,
        "improvement": found.improvement,
        "interval": list(found.interval) if found.interval else None,
        "confidence": found.confidence,
        "probability": found.probability,
        "readings": {"baseline": found.n_baseline, "candidate": found.n_candidate},
        "baseline": dict(report.baseline),
        "settings": dict(found.point or report.baseline),
        "left_in_place": words.left_in_place(report),
        "trials": len(report.trials),
        "report": {"html": str(written.html), "json": str(written.json)},
    }


def print_checks(found: Mapping[str, Sequence["Check"]], form: str) -> None:
    """What the checks of a dry run came to."""
    if form == "table":
        from servo.check_tables import check_table

        results: Any = found
        typer.echo(check_table(results, verbose=True))
        return
    from servo.check_tables import check_records

    records: Any = found
    _print({"checks": json.loads(json.dumps(check_records(records), default=str))}, form)


def _print(document: Mapping[str, Any], form: str) -> None:
    if form == "json":
        typer.echo(json_text(document))
        return
    import yaml

    typer.echo(yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True), nl=False)

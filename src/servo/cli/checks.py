"""``servo check``: whether the servo is ready to run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from servo.cli.context import Context
from servo.cli.failures import FAILED
from servo.cli.groups import CLI
from servo.cli.loop import run_async
from servo.cli.options import OutputForm, Verbose, choice
from servo.cli.sections import Section
from servo.cli.tables import Output, print_json

if TYPE_CHECKING:
    from servo.checks import Check, CheckFilter
    from servo.servo import Servo
    from servo.types.core import ErrorSeverity

cli = CLI()

NEVER = "never"


@cli.command(
    section=Section.ops,
    examples=(
        "servo check",
        "servo check --verbose load",
        "servo check --id check_target --output json",
        "servo check --progressive",
    ),
)
def check(
    context: Context,
    connectors: Annotated[
        list[str] | None, typer.Argument(metavar="CONNECTORS", help="Connectors to check, by default all")
    ] = None,
    *,
    ids: Annotated[
        list[str] | None, typer.Option("--id", metavar="ID", help="Run the check of this id only; repeatable")
    ] = None,
    tags: Annotated[
        list[str] | None,
        typer.Option("--tag", metavar="TAG", help="Run checks with this tag only; repeatable"),
    ] = None,
    halt_on: Annotated[
        str,
        typer.Option(
            "--halt-on",
            help="End the checks of a connector at a failure this grave",
            **choice("warning", "common", "critical", NEVER),
        ),
    ] = "critical",
    progressive: Annotated[
        bool,
        typer.Option(
            "--progressive",
            help="Try failing checks again, with remedies, as `checks:` in the configuration says and `run --check` does",
        ),
    ] = False,
    verbose: Verbose = False,
    output: OutputForm = "table",
) -> None:
    """Check that the servo is ready to run."""
    servos = context.servos
    if progressive:
        ready = [run_async(servo.check_servo(typer.echo)) for servo in servos]
        raise typer.Exit(0 if all(ready) else FAILED)
    matching = filter_for(ids, tags)
    severity = _severity(halt_on)
    found = {servo.name: run_checks(context, servo, connectors, matching, severity) for servo in servos}
    if output == Output.json:
        _print_records(found)
    else:
        _print_tables(found, verbose=verbose)
    passed = all(it.passed for results in found.values() for checks in results.values() for it in checks)
    raise typer.Exit(0 if passed else FAILED)


def filter_for(ids: Sequence[str] | None, tags: Sequence[str] | None) -> CheckFilter:
    """Return the filter for checks with one of ``ids`` and one of ``tags``."""
    from servo.checks import CheckFilter

    return CheckFilter(id=list(ids) if ids else None, tags=set(tags) if tags else None)


def _severity(name: str) -> ErrorSeverity | None:
    from servo.types.core import ErrorSeverity

    return None if name == NEVER else ErrorSeverity[name]


def run_checks(
    context: Context,
    servo: Servo,
    connectors: Sequence[str] | None,
    matching: CheckFilter,
    halt_on: ErrorSeverity | None,
) -> dict[str, list[Check]]:
    """Run the checks once, without remedies, and return them by the name of their connector.

    Raises:
        typer.BadParameter: a connector is not active, or none was found that matches.
    """
    from servo.cli.operations import require_connectors
    from servo.readiness import as_checks

    include = require_connectors(servo, connectors)
    results = context.dispatch(
        servo, "check", matching, halt_on=halt_on, include=include, return_exceptions=True
    )
    found = {
        result.connector.name: [it for it in as_checks(result.value) if _is_shown(it, matching)]
        for result in results
    }
    if not any(found.values()):
        raise typer.BadParameter("there are no such checks: see `servo check --verbose` for what there is")
    return {name: checks for name, checks in found.items() if checks}


def _is_shown(check: Check, matching: CheckFilter) -> bool:
    # What was required and passed was not asked for; what was required and failed explains what is missing.
    return matching.matches(check) or not check.passed


def _print_tables(found: dict[str, dict[str, list[Check]]], *, verbose: bool) -> None:
    from servo.check_tables import check_table

    for servo, results in found.items():
        if len(found) > 1:
            typer.echo(servo)
        typer.echo(check_table(results, verbose=verbose))


def _print_records(found: dict[str, dict[str, list[Check]]]) -> None:
    from servo.check_tables import check_records

    tables = {servo: check_records(results) for servo, results in found.items()}
    print_json(next(iter(tables.values())) if len(tables) == 1 else tables)

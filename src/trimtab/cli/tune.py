"""`trimtab tune`."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from trimtab.cli.tune_command import Request

__all__ = ["app"]

USAGE, FAILURE = 2, 1
LATEST = "latest"

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


class Output(StrEnum):
    """How the result is printed."""

    table = "table"
    json = "json"
    yaml = "yaml"


@app.command()
def tune(
    config: Annotated[Path, typer.Argument(help="The servo.yaml of the application.", metavar="SERVO.YAML")],
    *,
    objective: Annotated[
        str | None, typer.Option(help="What is wanted, such as 'maximize throughput / cost'.")
    ] = None,
    slo: Annotated[
        list[str] | None, typer.Option(help="Such as 'latency_p99 <= 200ms'; may be repeated.")
    ] = None,
    price: Annotated[
        list[str] | None, typer.Option(help="Price of a setting's unit, as web.cpu=30; may be repeated.")
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="At most this many trials.")] = 30,
    time: Annotated[
        str | None, typer.Option(help="At most this long, such as 2h.", metavar="DURATION")
    ] = None,
    duration: Annotated[
        str, typer.Option(help="How long each trial is measured.", metavar="DURATION")
    ] = "60s",
    warmup: Annotated[str, typer.Option(help="Load before that is not measured.", metavar="DURATION")] = "0s",
    settlement: Annotated[str, typer.Option(help="Wait after settings changed.", metavar="DURATION")] = "0s",
    strategy: Annotated[str, typer.Option(help="Which search proposes settings.")] = "gaussian-process",
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    apply: Annotated[bool, typer.Option(help="Leave an improvement in place at the end.")] = True,
    warm_start: Annotated[
        bool, typer.Option(help="Use the history of the application's earlier sessions.")
    ] = True,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the unfinished session of the application.")
    ] = False,
    session: Annotated[
        str | None, typer.Option(help="Continue this session; implies --resume.", metavar="ID")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Run the checks only.")] = False,
    report: Annotated[
        Path | None,
        typer.Option(help="Folder of the report. [reports/SESSION in the home directory]", metavar="DIR"),
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print the result.")] = Output.table,
    home: Annotated[Path | None, typer.Option(help="Directory of the embedded state.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the agent's log as well.")] = False,
) -> None:
    """Tune the application that a servo.yaml describes: agent and optimizer in one process.

    The application is measured as it is, other settings are tried, and what is best is compared with the
    beginning before it is called an improvement. Only what improves stays; Ctrl-C at any time puts the
    settings back and writes the report; a second one does not wait for that.

    Exit codes: 0 done, whether or not something better was found; 1 failed; 2 wrong usage; 3 nothing was
    measured; 130 interrupted (143 by SIGTERM).

    \b
    Examples:
      trimtab tune servo.yaml --objective 'maximize throughput' --slo 'latency_p99 <= 200ms' --trials 30
      trimtab tune servo.yaml --objective 'minimize cost' --price web.cpu=30 --price web.replicas=5 \\
          --slo 'error_rate <= 1%' --duration 2m --warmup 20s --time 3h
      trimtab tune servo.yaml --dry-run
      trimtab tune servo.yaml --resume
    """  # noqa: D301 # \b is Click's mark of a paragraph not to be wrapped
    goal = {"objective": objective, "slos": slo or [], "prices": price or []}
    spec: dict[str, Any] = {
        "budget": {"trials": trials, "seconds": time},
        "control": {"duration": duration, "warmup": warmup, "settlement": settlement},
        "strategy": strategy,
        "seed": seed,
        "apply": apply,
        "warm_start": warm_start,
    }
    resuming = resume or session is not None
    if objective is None and not resuming and not dry_run:
        _refuse("--objective is missing: say what is wanted, such as --objective 'maximize throughput'")
    if objective is not None and resuming:
        _refuse("--resume continues a session with the goal it has: leave --objective out")
    from trimtab.cli.tune_command import Request

    request = Request(
        config=config,
        goal=goal if objective is not None else None,
        spec=spec,
        resume=session or (LATEST if resume else None),
        dry_run=dry_run,
        report=report,
        output=output,
        home=home,
        verbose=verbose,
    )
    raise typer.Exit(_run(request))


def _run(request: "Request") -> int:
    from trimtab.cli.tune_command import Refused, run

    try:
        return run(request)
    except Refused as refusal:
        typer.echo(f"Error: {refusal}", err=True)
        return refusal.code


def _refuse(problem: str) -> NoReturn:
    typer.echo(f"Error: {problem}", err=True)
    raise typer.Exit(USAGE)

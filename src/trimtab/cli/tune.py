"""`trimtab tune`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from trimtab.cli import session_options as options
from trimtab.cli.application import application
from trimtab.cli.session_options import Output

if TYPE_CHECKING:
    from trimtab.cli.tune_command import Request

__all__ = ["app"]

USAGE, FAILURE = 2, 1
LATEST = "latest"

app = application()


@app.command()
def tune(
    config: Annotated[Path, typer.Argument(help="The servo.yaml of the application.", metavar="SERVO.YAML")],
    *,
    objective: Annotated[
        str | None, typer.Option(help="What is wanted, such as 'maximize throughput / cost'.")
    ] = None,
    slo: options.Slos = None,
    price: options.Prices = None,
    trials: options.Trials = 30,
    time: options.Time = None,
    duration: options.Duration = "60s",
    warmup: options.Warmup = "0s",
    settlement: options.Settlement = "0s",
    strategy: options.Strategy = "gaussian-process",
    seed: options.Seed = 0,
    apply: options.Apply = True,
    warm_start: options.WarmStart = True,
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

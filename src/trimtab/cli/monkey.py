"""`trimtab monkey`."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.application import application

__all__ = ["app"]

app = application()


@app.command()
def monkey(
    requirements: Annotated[
        str,
        typer.Option(
            "--requirements",
            "-r",
            envvar="THOTH_ADVISER_REQUIREMENTS",
            help="File with requirements, or their text.",
        ),
    ],
    stack_output: Annotated[
        str,
        typer.Option(
            "--stack-output",
            "-o",
            envvar="THOTH_DEPENDENCY_MONKEY_STACK_OUTPUT",
            metavar="{-|DIR|URL}",
            help="Where stacks go: - prints each, a directory gets NUMBER/Pipfile.lock, a URL is a server that inspects them.",
        ),
    ],
    *,
    requirements_format: Annotated[
        str,
        typer.Option(
            "--requirements-format", "-f", envvar="THOTH_REQUIREMENTS_FORMAT", help="pipenv or requirements."
        ),
    ] = "pipenv",
    report_output: Annotated[
        str,
        typer.Option(
            "--report-output",
            "-R",
            envvar="THOTH_DEPENDENCY_MONKEY_REPORT_OUTPUT",
            metavar="{-|FILE|URL}",
            help="Where the report goes; to a URL it is posted.",
        ),
    ] = "-",
    context: Annotated[
        str | None,
        typer.Option(
            envvar="THOTH_AMUN_CONTEXT",
            help="A specification without python, as a JSON file or its text; each stack is inspected so.",
        ),
    ] = None,
    count: Annotated[
        int, typer.Option(min=1, envvar="THOTH_DEPENDENCY_MONKEY_COUNT", help="How many stacks.")
    ] = 3,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            envvar="THOTH_DEPENDENCY_MONKEY_SEED",
            help="Of what is drawn; else a new one, which the report has.",
        ),
    ] = None,
    decision_type: Annotated[
        str,
        typer.Option(
            envvar="THOTH_DEPENDENCY_MONKEY_DECISION_TYPE", help="all, from the newest on; or random."
        ),
    ] = "all",
    predictor: Annotated[
        str,
        typer.Option(
            envvar="THOTH_ADVISER_PREDICTOR",
            help="AUTO goes by the decision; PackageCombinations varies what its config names.",
        ),
    ] = "AUTO",
    predictor_config: Annotated[
        str | None,
        typer.Option(
            envvar="THOTH_ADVISER_PREDICTOR_CONFIG",
            help="YAML or a file of it, such as 'package_combinations: [six]'.",
        ),
    ] = None,
    pipeline: Annotated[
        str | None,
        typer.Option(
            envvar="THOTH_ADVISER_PIPELINE", help="The original's pipeline, as JSON, YAML or a file."
        ),
    ] = None,
    runtime_environment: Annotated[
        str | None,
        typer.Option(
            "--runtime-environment",
            "-e",
            help="JSON, YAML or a file of it; python_version and platform are used.",
        ),
    ] = None,
    limit_latest_versions: Annotated[
        int, typer.Option(help="Of each package only so many of its newest versions; -1 for all.")
    ] = -1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Make stacks, and hand none on.")] = False,
    no_pretty: Annotated[bool, typer.Option("--no-pretty", "-P", help="The report on one line.")] = False,
    parallel: Annotated[
        int | None, typer.Option(min=1, max=64, help="Processes of uv at once; two for each core by default.")
    ] = None,
    home: Annotated[Path | None, typer.Option(help="Directory of the embedded state.")] = None,
) -> None:
    """Make many valid stacks for the same requirements, and have each inspected.

    Options, variables and report are those of Dependency Monkey; the resolver is uv. The token for a server is read from TRIMTAB_TOKEN.

    Exit codes: 0 done; 1 it failed, as the report says; 2 asked for wrongly; 130 interrupted.

    \b
    Examples:
      trimtab monkey -r Pipfile -o stacks --count 20 --decision-type random --seed 7
      trimtab monkey -r Pipfile --context ac.json -o http://localhost:8080/api/v1 -R report.json
      trimtab monkey -r requirements.txt -f requirements -o - --predictor PackageCombinations --predictor-config 'package_combinations: [six]'
      jq -r '.result.report.responses[].response' report.json > scheduled.txt
    """  # noqa: D301 # \b is Click's mark of a paragraph not to be wrapped
    from trimtab.cli.monkey_running import Asked, run_monkey

    asked = Asked(
        requirements, requirements_format, context, count, seed, decision_type, predictor, predictor_config, pipeline,
        runtime_environment, limit_latest_versions, dry_run, stack_output, report_output, parallel, home,
    )  # fmt: skip
    raise typer.Exit(run_monkey(asked, pretty=not no_pretty))

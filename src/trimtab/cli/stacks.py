"""`trimtab stacks`: candidate dependency stacks."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.session_options import Output
from trimtab.cli.stacks_options import (
    Accept,
    AllowLicence,
    Base,
    DenyLicence,
    Extra,
    IndexDate,
    KnownLicences,
    Newest,
    Osv,
    Parallel,
    PlanName,
    Platform,
    Python,
    Question,
    Requirements,
    Rules,
    Vary,
    Yanked,
)

__all__ = ["app"]

app = typer.Typer(
    help="""Other valid stacks for the same direct requirements.

    \b
    Examples:
      trimtab stacks count requirements.txt
      trimtab stacks candidates pyproject.toml --plan random --count 50 --seed 7
    """,  # \b is Click's mark of a paragraph not to be wrapped
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

COUNT_EXAMPLES = """\
\b
Examples:
  trimtab stacks count requirements.txt
  trimtab stacks count Pipfile --newest 10 --samples 400
  trimtab stacks count pyproject.toml --python 3.12 --platform x86_64-manylinux_2_28 --output json
"""
CANDIDATES_EXAMPLES = """\
\b
Examples:
  trimtab stacks candidates requirements.txt --count 20 --seed 7 --directory stacks
  trimtab stacks candidates pyproject.toml --plan pairwise --newest 5 --osv osv.zip
  trimtab stacks candidates uv.lock --plan around --vary six --vary urllib3
  trimtab stacks candidates Pipfile --plan bisect --good good.txt --bad bad.txt --verdicts verdicts.json
"""


@app.callback()
def _group() -> None:
    """Other valid stacks for the same direct requirements."""


@app.command(epilog=COUNT_EXAMPLES)
def count(
    requirements: Requirements,
    *,
    samples: Annotated[int, typer.Option(min=1, help="How many combinations are resolved.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Of the sample.")] = 0,
    extra: Extra = None,
    python: Python = None,
    platform: Platform = None,
    index_date: IndexDate = None,
    vary: Vary = None,
    newest: Newest = None,
    rules: Rules = None,
    base: Base = None,
    osv: Osv = None,
    accept: Accept = None,
    allow_licence: AllowLicence = None,
    deny_licence: DenyLicence = None,
    known_licences: KnownLicences = False,
    yanked: Yanked = False,
    parallel: Parallel = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print.")] = Output.table,
    home: Annotated[Path | None, typer.Option(help="Directory of the embedded state.")] = None,
) -> None:
    """Say how many combinations of versions there are, how many are valid, and how sure that is.

    Exit codes: 0 counted; 1 no stack is valid, or an index does not answer; 2 asked for wrongly.
    """
    from trimtab.cli.stacks_commands import count_stacks

    question = Question(
        requirements, tuple(extra or ()), python, platform, index_date, tuple(vary) if vary else None, newest,
        tuple(rules or ()), base, tuple(osv or ()), tuple(accept or ()), tuple(allow_licence or ()),
        tuple(deny_licence or ()), known_licences, yanked, parallel, home,
    )  # fmt: skip
    count_stacks(question, samples=samples, seed=seed, output=output)


@app.command(epilog=CANDIDATES_EXAMPLES)
def candidates(
    requirements: Requirements,
    *,
    plan: Annotated[PlanName, typer.Option(help="In which order stacks are made.")] = PlanName.random,
    number: Annotated[int, typer.Option("--count", min=1, help="At most so many candidates.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Of what is drawn.")] = 0,
    lock: Annotated[
        Path | None, typer.Option(help="Lock whose neighbours the plan around makes; FILE, if that is one.")
    ] = None,
    good: Annotated[Path | None, typer.Option(help="Lock that passes, for the plan bisect.")] = None,
    bad: Annotated[Path | None, typer.Option(help="Lock that fails, for the plan bisect.")] = None,
    verdicts: Annotated[
        Path | None, typer.Option(help="What trying stacks showed, as JSON: pass, fail or unknown by stack.")
    ] = None,
    directory: Annotated[
        Path | None, typer.Option(help="Write the lock of each to NUMBER/requirements.txt in this directory.")
    ] = None,
    extra: Extra = None,
    python: Python = None,
    platform: Platform = None,
    index_date: IndexDate = None,
    vary: Vary = None,
    newest: Newest = None,
    rules: Rules = None,
    base: Base = None,
    osv: Osv = None,
    accept: Accept = None,
    allow_licence: AllowLicence = None,
    deny_licence: DenyLicence = None,
    known_licences: KnownLicences = False,
    yanked: Yanked = False,
    parallel: Parallel = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print.")] = Output.table,
    home: Annotated[Path | None, typer.Option(help="Directory of the embedded state.")] = None,
) -> None:
    """Make valid stacks, none of which is built or run.

    Exit codes: 0 there are some; 1 no stack is valid, or an index does not answer; 2 asked for wrongly; 3 the plan has none.
    """
    from trimtab.cli.stacks_commands import make_candidates
    from trimtab.cli.stacks_plan import Locks

    question = Question(
        requirements, tuple(extra or ()), python, platform, index_date, tuple(vary) if vary else None, newest,
        tuple(rules or ()), base, tuple(osv or ()), tuple(accept or ()), tuple(allow_licence or ()),
        tuple(deny_licence or ()), known_licences, yanked, parallel, home,
    )  # fmt: skip
    make_candidates(
        question, plan, Locks(lock, good, bad), number=number, seed=seed, verdicts=verdicts,
        directory=directory, output=output,
    )  # fmt: skip

"""`trimtab campaigns`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.application import application
from trimtab.cli.session_options import Output
from trimtab.cli.stacks_options import (
    Accept,
    AllowLicence,
    DenyLicence,
    Extra,
    IndexDate,
    KnownLicences,
    Newest,
    Osv,
    Platform,
    Python,
    Question,
    Requirements,
    Rules,
    Vary,
    Yanked,
)

if TYPE_CHECKING:
    from trimtab.settings import ClientSettings

__all__ = ["app"]

app = application(
    """Campaigns: many stacks inspected under one question; on this machine, or at a server.

    A server is named by --server or TRIMTAB_SERVER; its token is read from TRIMTAB_TOKEN.

    \b
    Examples:
      trimtab campaigns run requirements.txt --context context.json --plan breakers --engine process
      trimtab campaigns list
      trimtab campaigns show campaign-261126221732-0123456789abcdef --output json
      trimtab campaigns resume
      trimtab campaigns list --server https://trimtab.example.com
    """,  # \b is Click's mark of a paragraph not to be wrapped
)

Id = Annotated[str, typer.Argument(help="Id of the campaign.", metavar="CAMPAIGN")]
Format = Annotated[Output, typer.Option("--output", "-o", help="How to print.")]
Home = Annotated[Path | None, typer.Option(help="Directory of the embedded state.")]
Server = Annotated[
    str | None, typer.Option(help="URL of a server, instead of this machine's store and catalog.")
]
PLANS = "breakers, adaptive, pairwise, random, all, floor, newest, around or bisect"


@app.command()
def run(
    requirements: Requirements,
    *,
    context: Annotated[
        Path,
        typer.Option(
            help="An inspection's specification without python, as JSON: the script that each stack is tried with.",
            metavar="SPEC",
        ),
    ],
    plan: Annotated[
        str, typer.Option(help=f"In which order stacks are tried: {PLANS}.", metavar="PLAN")
    ] = "pairwise",
    stacks: Annotated[int, typer.Option(min=1, help="At most so many stacks are tried.")] = 40,
    runs: Annotated[int | None, typer.Option(min=1, help="At most so many runs, all together.")] = None,
    time: Annotated[
        str | None, typer.Option(help="Nothing new is begun after this long, such as 2h.", metavar="DURATION")
    ] = None,
    parallel: Annotated[int, typer.Option(min=1, max=64, help="Inspections at the same time.")] = 1,
    attempts: Annotated[
        int, typer.Option(min=1, max=10, help="Inspections of a stack, while the infrastructure fails.")
    ] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Of what is drawn.")] = 0,
    find: Annotated[
        int | None, typer.Option(min=1, help="End after so many breakers; all, by default. For breakers.")
    ] = None,
    slower: Annotated[
        float | None,
        typer.Option(help="Find what takes so many times as much, too, such as 2. For breakers."),
    ] = None,
    metric: Annotated[
        str, typer.Option(help="Of which --slower speaks: duration, memory, or result.NAME.", metavar="NAME")
    ] = "duration",
    objective: Annotated[
        str | None, typer.Option(help="Such as 'minimize duration'. For adaptive.", metavar="TEXT")
    ] = None,
    strategy: Annotated[
        str | None, typer.Option(help="Which way to search. For adaptive.", metavar="NAME")
    ] = None,
    lock: Annotated[
        Path | None, typer.Option(help="Lock whose neighbours the plan around tries; FILE, if that is one.")
    ] = None,
    good: Annotated[Path | None, typer.Option(help="Lock that passes, for the plan bisect.")] = None,
    bad: Annotated[Path | None, typer.Option(help="Lock that fails, for the plan bisect.")] = None,
    engine: Annotated[
        str, typer.Option(help="auto, container, podman, docker, kubernetes or process.", metavar="ENGINE")
    ] = "auto",
    best_effort: Annotated[
        bool, typer.Option("--best-effort", help="Leave out what the engine cannot do, and say so.")
    ] = False,
    extra: Extra = None,
    python: Python = None,
    platform: Platform = None,
    index_date: IndexDate = None,
    vary: Vary = None,
    newest: Newest = None,
    rules: Rules = None,
    osv: Osv = None,
    accept: Accept = None,
    allow_licence: AllowLicence = None,
    deny_licence: DenyLicence = None,
    known_licences: KnownLicences = False,
    yanked: Yanked = False,
    output: Format = Output.table,
    home: Home = None,
) -> None:
    """Inspect many stacks of the same requirements, and say what broke.

    Progress goes to standard error, the report to standard output. Ctrl-C leaves the campaign as far as it came; `trimtab campaigns
    resume` goes on, also after a kill.

    Exit codes: 0 it is over; 1 no stack is valid, or it could not go on; 2 asked for wrongly; 3 nothing was tried; 130
    interrupted.

    \b
    Examples:
      trimtab campaigns run requirements.txt --context context.json --plan breakers --engine process
      trimtab campaigns run Pipfile --context context.json --plan breakers --find 1 --slower 2 --metric result.elapsed
      trimtab campaigns run pyproject.toml --context context.json --plan adaptive --objective 'minimize duration' --stacks 60
      trimtab campaigns run uv.lock --context context.json --plan bisect --good good.txt --bad bad.txt
    """  # noqa: D301 # \b is Click's mark of a paragraph not to be wrapped
    from trimtab.cli.campaigns_asking import Asked, asked
    from trimtab.cli.campaigns_here import run_here

    question = Question(
        requirements, tuple(extra or ()), python, platform, index_date, tuple(vary) if vary else None, newest,
        tuple(rules or ()), None, tuple(osv or ()), tuple(accept or ()), tuple(allow_licence or ()),
        tuple(deny_licence or ()), known_licences, yanked, None, home,
    )  # fmt: skip
    wanted = Asked(
        question, context, plan, seed, lock, good, bad, find, slower, metric, objective, strategy,
        {"stacks": stacks, "runs": runs, "parallel": parallel, "attempts": attempts}, time,
    )  # fmt: skip
    raise typer.Exit(run_here(asked(wanted), engine, output, home, best_effort=best_effort))


@app.command("list")
def list_(
    *,
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most this many, the newest.")] = 100,
    output: Format = Output.table,
    server: Server = None,
    home: Home = None,
) -> None:
    """List campaigns, the newest first."""
    from trimtab.cli.campaigns_kept import list_kept

    list_kept(_settings(server, home), limit, output)


@app.command()
def show(
    campaign_id: Id,
    *,
    output: Format = Output.table,
    server: Server = None,
    home: Home = None,
) -> None:
    """Show a campaign: its report, or how far it is."""
    from trimtab.cli.campaigns_kept import show_kept

    show_kept(_settings(server, home), campaign_id, output)


@app.command()
def report(
    campaign_id: Id,
    *,
    objective: Annotated[
        str | None,
        typer.Option(
            help="What is best, such as 'minimize memory'. [the campaign's own, else minimize its metric]",
            metavar="TEXT",
        ),
    ] = None,
    directory: Annotated[
        Path | None, typer.Option(help="Where it is written. [reports/CAMPAIGN in the home]")
    ] = None,
    like: Annotated[
        Path | None,
        typer.Option(
            help="The project's file: the lock to ship is of its kind (Pipfile, pyproject.toml, uv.lock, pylock.toml). [requirements.txt]",
            metavar="FILE",
        ),
    ] = None,
    server: Server = None,
    home: Home = None,
) -> None:
    """Write what a campaign showed: a page, its data as JSON, and the lock to ship.

    \b
    Examples:
      trimtab campaigns report campaign-261126221732-0123456789abcdef
      trimtab campaigns report campaign-261126221732-0123456789abcdef --objective 'minimize memory' --like Pipfile
    """  # noqa: D301 # \b is Click's mark of a paragraph not to be wrapped
    from trimtab.cli.campaigns_report import write_report

    write_report(_settings(server, home), campaign_id, objective, directory, like)


@app.command()
def resume(
    campaign_ids: Annotated[
        list[str] | None,
        typer.Argument(help="Ids of campaigns; all that were left.", metavar="[CAMPAIGN]..."),
    ] = None,
    *,
    output: Format = Output.table,
    home: Home = None,
) -> None:
    """Go on with campaigns that were interrupted or killed, from where they were."""
    from trimtab.cli.campaigns_here import resume_here

    raise typer.Exit(resume_here(tuple(campaign_ids or ()), output, home))


@app.command()
def cancel(
    campaign_id: Id, *, output: Format = Output.table, server: Server = None, home: Home = None
) -> None:
    """End a campaign, whoever works on it; what is done of it stays."""
    from trimtab.cli.campaigns_here import cancel_here
    from trimtab.cli.campaigns_kept import cancel_there

    if (settings := _settings(server, home)).server:
        cancel_there(settings, campaign_id)
        return

    raise typer.Exit(cancel_here(campaign_id, output, home))


@app.command()
def delete(
    campaign_ids: Annotated[list[str], typer.Argument(metavar="CAMPAIGN...", help="Ids of campaigns.")],
    *,
    server: Server = None,
    home: Home = None,
) -> None:
    """Delete campaigns that are over. Their inspections stay."""
    from trimtab.cli.campaigns_kept import delete_kept

    delete_kept(_settings(server, home), campaign_ids)


def _settings(server: str | None, home: Path | None) -> "ClientSettings":
    from trimtab.cli.options import read_settings
    from trimtab.settings import ClientSettings

    return read_settings(ClientSettings, {"server": server, "home": home})

"""``servo kubernetes``: remove what agents have left in a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from servo.cli.failures import FAILED, USAGE, fail
from servo.cli.groups import CLI
from servo.cli.loop import run_async
from servo.cli.options import OutputForm
from servo.cli.sections import Section
from servo.cli.tables import Output, print_json, print_table

if TYPE_CHECKING:
    from servo.connectors.kubernetes.cleaning import Cleaned

cli = CLI(name="kubernetes", section=Section.connectors, help="Look after what agents change in a cluster")


@cli.callback()
def _group() -> None:
    """Make this a group though it has one command."""


@cli.command(
    examples=(
        "servo kubernetes clean --namespace shop --dry-run",
        "servo kubernetes clean --namespace shop",
        "servo kubernetes clean --namespace shop --baseline --output json",
    )
)
def clean(
    *,
    namespace: Annotated[
        list[str] | None, typer.Option("-n", "--namespace", metavar="TEXT", help="Where; repeatable  [default: that of the context]")
    ] = None,
    kubeconfig: Annotated[
        Path | None, typer.Option("--kubeconfig", metavar="FILE", help="The cluster  [default: as kubectl finds it]")
    ] = None,
    kube_context: Annotated[
        str | None, typer.Option("--context", metavar="TEXT", help="Context of the kubeconfig")
    ] = None,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Take back accepted settings, too: as before any agent")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also what belongs to an agent that is alive; it loses it")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done")] = False,
    output: OutputForm = "table",
) -> None:  # fmt: skip
    """Take back unfinished adjustments, and remove tuning pods, records and leases.

    Needs no servo.yaml. Exit codes: 0 it is clean; 1 an agent that is alive holds something; 2 it was asked for wrongly.
    """
    from servo.errors import ConfigurationError
    from servo.kubernetes import KubernetesError

    try:
        done = run_async(_clean(namespace or [""], kubeconfig, kube_context, baseline, force, dry_run))
    except ConfigurationError as error:
        fail(str(error), USAGE)
    except KubernetesError as error:
        fail(str(error))
    rows = [(where, each.kind, each.name, each.action, each.detail) for where, each in done]
    headers = ("namespace", "kind", "name", "action", "detail")
    if output == Output.json:
        print_json([dict(zip(headers, row, strict=True)) for row in rows])
    elif rows:
        print_table([(*row[:4], row[4][:100]) for row in rows], [each.upper() for each in headers], end="")
    else:
        typer.echo("nothing is left of any agent")
    if any(each.action == "held" for _, each in done):
        typer.echo("an agent that is alive holds something: stop it, or give --force", err=True)
        raise typer.Exit(FAILED)


async def _clean(
    namespaces: list[str],
    kubeconfig: Path | None,
    kube_context: str | None,
    baseline: bool,  # noqa: FBT001 - the options of the command, one to one
    force: bool,  # noqa: FBT001 - as above
    dry_run: bool,  # noqa: FBT001 - as above
) -> list[tuple[str, Cleaned]]:
    from servo.connectors.kubernetes.cleaning import clean as cleaned
    from servo.kubernetes import Client

    async with Client.open(kubeconfig, kube_context) as client:
        return [
            (where, each)
            for where in (given or client.namespace for given in namespaces)
            for each in await cleaned(client, where, baseline=baseline, force=force, dry_run=dry_run)
        ]

"""`trimtab catalog`."""

from collections import Counter
from typing import Annotated

import typer

from trimtab.cli.application import application
from trimtab.cli.place import FAILURE, opened
from trimtab.cli.session_options import Output

__all__ = ["app"]

app = application(
    """The rows by which inspections are found and questions answered; the documents of the store are what they are made of.

    \b
    Examples:
      trimtab catalog rebuild
      trimtab catalog rebuild --output json
    """,  # \b is Click's mark of a paragraph not to be wrapped
)


@app.callback()
def _group() -> None:
    """The rows by which inspections are found, and questions answered."""


@app.command()
def rebuild(
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print.")] = Output.table,
) -> None:
    """Write the rows of all inspections and campaigns, and what builds taught, once more; delete those whose documents are gone.

    It may be broken off and done again, and others may work meanwhile: what is not over keeps its rows. Exit codes: 0 all were
    written; 1 some cannot be read, or the database or the store cannot be used.
    """
    from itertools import chain

    from trimtab.catalog.campaign_rebuild import rebuild_campaigns
    from trimtab.catalog.observations.replaying import replay
    from trimtab.catalog.rebuild import rebuild as rebuilt
    from trimtab.cli.counting import counting

    counts: Counter[str] = Counter(written=0, removed=0, refused=0)
    refused: dict[str, str] = {}
    with opened() as place, counting("documents read") as progress:
        inspections = place.inspections
        told = replay(place.database, inspections.store, inspections.deployment)
        for each in chain(
            rebuilt(place.database, inspections), rebuild_campaigns(place.database, inspections), told
        ):
            counts[each.change] += 1
            progress(counts.total(), None)
            if each.change == "refused":
                refused[each.inspection_id] = each.reason
    _print(counts, refused, output)
    if refused:
        raise typer.Exit(FAILURE)


def _print(counts: Counter[str], refused: dict[str, str], output: Output) -> None:
    from trimtab.cli.inspection_output import print_document

    if output is not Output.table:
        print_document({**counts, "reasons": refused}, output)
        return
    for name, reason in refused.items():
        typer.echo(f"{name} is refused: {reason}", err=True)
    typer.echo(", ".join(f"{count} {change}" for change, count in counts.items()))
    if refused:
        typer.echo("Error: see `trimtab store check` for what to do about those that were refused", err=True)

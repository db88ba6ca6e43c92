"""Commands about what is put together: ``servo list``, ``connectors``, ``show`` and ``init``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from servo.cli import initialization, show
from servo.cli.context import Context
from servo.cli.groups import CLI
from servo.cli.options import OutputForm, Verbose
from servo.cli.sections import Section
from servo.cli.tables import Output, print_json, print_table, records

if TYPE_CHECKING:
    from servo.connector import BaseConnector

cli = CLI()
cli.command(
    "init",
    section=Section.assembly,
    examples=("servo init", "servo init --no-dotenv"),
)(initialization.init)


@cli.command("list", section=Section.assembly, examples=("servo list", "servo list --output json"))
def list_(context: Context, output: OutputForm = "table") -> None:
    """List servos in the assembly."""
    rows = [(servo.name, servo.config.optimizer.id, servo.description) for servo in context.servos]
    if output == Output.json:
        print_json(records(rows, ("name", "optimizer", "description")))
    else:
        print_table(rows, ("NAME", "OPTIMIZER", "DESCRIPTION"), end="")


@cli.command(section=Section.assembly, examples=("servo connectors", "servo connectors --verbose"))
def connectors(*, verbose: Verbose = False, output: OutputForm = "table") -> None:
    """Display available connectors."""
    from servo.cli.catalogue import available_types

    rows = [
        (connector.__default_name__, *describe_type(connector, verbose=verbose))
        for connector in available_types()
    ]
    headers = ["NAME", "VERSION", "DESCRIPTION", *(VERBOSE if verbose else ())]
    if output == Output.json:
        print_json(records(rows, [header.lower() for header in headers]))
    else:
        print_table(rows, headers)


VERBOSE = ("HOMEPAGE", "MATURITY", "LICENSE")


def describe_type(connector: type[BaseConnector], *, verbose: bool) -> tuple[Any, ...]:
    """Return the cells that describe a class of connector: version, description and, if verbose, three more."""
    cells = (str(connector.version), connector.description)
    if not verbose:
        return cells
    return (
        *cells,
        *(value and str(value) for value in (connector.homepage, connector.maturity, connector.license)),
    )


cli.add_typer(
    show.cli, name="show", rich_help_panel=str(Section.assembly), help="Display one or more resources"
)

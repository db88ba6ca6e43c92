"""``servo version``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from servo.cli.groups import CLI
from servo.cli.options import choice
from servo.cli.sections import Section
from servo.cli.tables import print_json

if TYPE_CHECKING:
    from servo.connector import BaseConnector

cli = CLI()


@cli.command(
    section=Section.other,
    examples=("servo version", "servo version --short wait", "servo version -f json"),
)
def version(
    connector: Annotated[
        str | None,
        typer.Argument(metavar="CONNECTOR", help="Connector to display, by default the servo itself"),
    ] = None,
    *,
    short: Annotated[bool, typer.Option("-s", "--short", help="Display short version details")] = False,
    form: Annotated[
        str, typer.Option("-f", "--format", help="Select output format", **choice("text", "json"))
    ] = "text",
) -> None:
    """Display version."""
    shown = _type(connector)
    if form == "json":
        print_json(_fields(shown, short=short))
    else:
        typer.echo(shown.version_summary() if short else shown.summary())


def _type(connector: str | None) -> type[BaseConnector]:
    if connector is not None:
        from servo.cli.catalogue import find_type

        return find_type(connector)
    from servo.servo import Servo

    return Servo


def _fields(connector: type[BaseConnector], *, short: bool) -> dict[str, Any]:
    fields = {"name": connector.name, "version": str(connector.version), "cryptonym": connector.cryptonym}
    if short:
        return fields
    return fields | {
        "maturity": connector.maturity and str(connector.maturity),
        "description": connector.description,
        "homepage": connector.homepage and str(connector.homepage),
        "license": connector.license and str(connector.license),
    }

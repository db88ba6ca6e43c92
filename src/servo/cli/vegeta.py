"""``servo vegeta``: the load of a servo's configuration, by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from servo.cli.connectors import selection
from servo.cli.context import Context
from servo.cli.groups import CLI
from servo.cli.operations import control_for, print_measured
from servo.cli.options import OutputForm
from servo.cli.sections import Section

if TYPE_CHECKING:
    from servo.connector import BaseConnector


def _connector_type() -> type[BaseConnector]:
    from servo.connectors.vegeta import VegetaConnector

    return VegetaConnector


cli = CLI(
    name="vegeta",
    section=Section.connectors,
    help="Load testing with Vegeta",
    callback=selection(_connector_type),
)


@cli.command(examples=("servo vegeta attack", "servo vegeta attack -d 5m --output json"))
def attack(
    context: Context,
    *,
    duration: Annotated[
        str, typer.Option("-d", "--duration", metavar="DURATION", help="How long to attack, e.g. 30s or 5m")
    ] = "1m",
    humanize: Annotated[bool, typer.Option("--humanize/--no-humanize", help="Show times as ages")] = True,
    output: OutputForm = "table",
) -> None:
    """Attack the configured targets, and display what was measured."""
    servo, connector = context.servo, context.connector
    assert servo is not None
    assert connector is not None
    control = control_for(duration)
    measured = context.dispatch(servo, "measure", control=control, include=[connector])
    print_measured([servo], [measured], humanize=humanize, output=output)

"""``servo prometheus``: what the Prometheus of a servo scrapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from servo.cli.connectors import selection
from servo.cli.context import Context
from servo.cli.groups import CLI
from servo.cli.loop import run_async
from servo.cli.options import OutputForm
from servo.cli.sections import Section
from servo.cli.tables import Output, print_json, print_table, timeago

if TYPE_CHECKING:
    from servo.connector import BaseConnector
    from servo.connectors.prometheus import ActiveTarget, PrometheusConnector


def _connector_type() -> type[BaseConnector]:
    from servo.connectors.prometheus import PrometheusConnector

    return PrometheusConnector


cli = CLI(
    name="prometheus",
    section=Section.connectors,
    help="Metrics from Prometheus",
    callback=selection(_connector_type),
)


@cli.command(examples=("servo prometheus targets", "servo prometheus -c staging_prom targets --output json"))
def targets(context: Context, *, output: OutputForm = "table") -> None:
    """Display what is scraped."""
    from servo.connectors.prometheus import Client

    connector = cast("PrometheusConnector", context.connector)
    client = Client(connector.config.base_url, connector.config, connector._global_config)  # noqa: SLF001 - settings of all connectors have no other name
    found = run_async(client.list_targets("active")).active
    if output == Output.json:
        print_json([target.model_dump(mode="json") for target in found])
        return
    print_table(map(_row, found), ("POOL", "HEALTH", "URL", "LABELS", "LAST SCRAPED", "ERROR"))


def _row(target: ActiveTarget) -> tuple[Any, ...]:
    from servo.connectors.quoting import harmless

    scraped = timeago(target.last_scraped_at) if target.last_scraped_at else "never"
    labels = [harmless(f"{key}={value}") for key, value in sorted(target.labels.items())]
    return (
        harmless(target.pool),
        harmless(target.health),
        harmless(target.url),
        labels,
        scraped,
        harmless(target.last_error or ""),
    )

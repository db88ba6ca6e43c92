"""Commands that do to the application what an optimizer would ask for: ``describe``, ``measure``, ``adjust``; and
``run``, which asks one.
"""  # noqa: D205 - one sentence

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from servo.cli.context import Context
from servo.cli.failures import fail
from servo.cli.groups import CLI
from servo.cli.options import OutputForm
from servo.cli.running import run
from servo.cli.sections import Section
from servo.cli.show import listed, print_for_each
from servo.cli.sidecar import eject_sidecar, inject_sidecar
from servo.cli.tables import Output, by_key, describe_moment, print_json

if TYPE_CHECKING:
    from servo.events import EventResult
    from servo.servo import Servo
    from servo.types.api import Adjustment, Control

cli = CLI()
cli.command(
    section=Section.ops,
    examples=(
        "servo run",
        "servo run --check",
        "servo run --dry-run",
        "servo --name web run",
        "SERVO_LOG_FORMAT=json servo --log-file /var/log/servo.log run",
    ),
)(run)


@cli.command(section=Section.ops, examples=("servo describe", "servo describe web --output json"))
def describe(
    context: Context,
    connectors: Annotated[
        list[str] | None, typer.Argument(metavar="CONNECTORS", help="Connectors to ask, by default all")
    ] = None,
    *,
    output: OutputForm = "table",
) -> None:
    """Display current state of servo resources."""
    servos = context.servos
    tables = []
    for servo in servos:
        include = require_connectors(servo, connectors)
        results = context.dispatch(servo, "describe", include=include)
        tables.append([(it.connector.name, *_shown(it)) for it in results])
    print_for_each(servos, ("CONNECTOR", "COMPONENTS", "METRICS"), tables, output, end="")


def _shown(result: EventResult) -> tuple[list[str], list[str]]:
    from servo.runner.operations import value_of
    from servo.types.api import Description

    description = value_of(result, Description)
    return settings_of(description), metrics_of(description)


def settings_of(description: Any) -> list[str]:
    """Return ``component.setting=value`` for each setting of a description."""
    return [
        f"{component.name}.{setting.name}={setting.human_readable_value}"
        for component in description.components
        for setting in component.settings
    ]


def metrics_of(description: Any) -> list[str]:
    """Return ``metric (unit)`` for each metric of a description."""
    return [f"{metric.name} ({metric.unit.value})" for metric in description.metrics]


def require_connectors(servo: Servo, names: Sequence[str] | None) -> list[str] | None:
    """Return ``names``, or None for all.

    Raises:
        typer.BadParameter: one of them is not active.
    """
    active = [connector.name for connector in servo.all_connectors]
    for name in names or ():
        if name not in active:
            raise typer.BadParameter(
                f"no connector found named '{name}' (there are: {', '.join(sorted(active))})"
            )
    return list(names) if names else None


@cli.command(
    section=Section.ops,
    examples=(
        "servo measure",
        "servo measure throughput latency -d 30s",
        "servo measure -c load --output json",
    ),
)
def measure(
    context: Context,
    metrics: Annotated[
        list[str] | None, typer.Argument(metavar="METRICS", help="Metrics to measure, by default all")
    ] = None,
    *,
    connectors: Annotated[
        list[str] | None,
        typer.Option(
            "-c", "--connectors", metavar="CONNECTOR", help="Connectors to measure with; repeatable"
        ),
    ] = None,
    duration: Annotated[
        str, typer.Option("-d", "--duration", metavar="DURATION", help="How long to measure, e.g. 30s or 5m")
    ] = "0",
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Has no effect")] = False,  # noqa: ARG001 - interface
    humanize: Annotated[bool, typer.Option("--humanize/--no-humanize", help="Show times as ages")] = True,
    output: OutputForm = "table",
) -> None:
    """Capture measurements for one or more metrics."""
    control = control_for(duration)
    servos = context.servos
    chosen = [
        (servo, require_connectors(servo, connectors), require_metrics(context, servo, metrics))
        for servo in servos
    ]
    measured = [
        context.dispatch(servo, "measure", metrics=names, control=control, include=include)
        for servo, include, names in chosen
    ]
    print_measured(servos, measured, humanize=humanize, output=output)


def print_measured(
    servos: Sequence[Servo], measured: Sequence[Sequence[Any]], *, humanize: bool, output: str
) -> None:
    """Print the readings that the connectors of each servo answered ``measure`` with."""
    if output == Output.json:
        found = {
            servo.name: _readings_for_programs(results)
            for servo, results in zip(servos, measured, strict=True)
        }
        print_json(next(iter(found.values())) if len(found) == 1 else found)
        return
    tables = [_reading_rows(results, humanize=humanize) for results in measured]
    print_for_each(servos, ("METRIC", "UNIT", "READINGS"), tables, output)


def control_for(duration: str) -> Control:
    """Return what tells connectors to measure for ``duration``.

    Raises:
        typer.BadParameter: it is no duration.
    """
    from servo.types.api import Control
    from servo.types.core import Duration

    remedy, option = "write a number and a unit, such as 30s or 5m", "'-d' / '--duration'"
    try:
        span = Duration(duration)
    except ValueError as error:
        raise typer.BadParameter(f"{error}: {remedy}", param_hint=option) from error
    if span < Duration(0):
        raise typer.BadParameter(f"{duration} is less than nothing: {remedy}", param_hint=option)
    return Control(duration=span)


def require_metrics(context: Context, servo: Servo, names: Sequence[str] | None) -> list[str] | None:
    """Return ``names``, or None for all.

    Raises:
        typer.BadParameter: nobody measures one of them.
    """
    if not names:
        return None
    known = {metric.name for _, metric in listed(context.dispatch(servo, "metrics"))}
    for name in names:
        if name not in known:
            there = ", ".join(sorted(known)) or "none"
            raise typer.BadParameter(f"no metric found named '{name}' (there are: {there})")
    return list(names)


def _points(results: Iterable[Any]) -> list[tuple[Any, Any, Any]]:
    """Return metric, point and connector of all readings, those of a series one by one, in the order of time."""
    from servo.runner.operations import value_of
    from servo.types.api import Measurement

    found = []
    for result in results:
        for reading in value_of(result, Measurement).readings:
            points = getattr(reading, "data_points", [reading])
            found += [(reading.metric, point, result.connector) for point in points]
    return sorted(found, key=lambda it: it[1].time.timestamp())


def _reading_rows(results: Sequence[Any], *, humanize: bool) -> list[tuple[Any, ...]]:
    points = _points(results)
    several = len({connector.name for _, _, connector in points}) > 1

    def cell(point: Any, connector: Any) -> str:
        text = f"{point.value:.2f} ({describe_moment(point.time, humanize=humanize)})"
        return f"{text} [{connector.name}]" if several else text

    groups = by_key(
        ((metric, cell(point, connector)) for metric, point, connector in points),
        key=lambda metric: metric.name,
    )
    return [(metric.name, metric.unit.value, cells) for metric, cells in groups.items()]


def _readings_for_programs(results: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {
            "metric": metric.name,
            "unit": metric.unit.value,
            "time": point.time.isoformat(),
            "value": point.value,
            "connector": connector.name,
        }
        for metric, point, connector in _points(results)
    ]


cli.command(
    section=Section.ops,
    examples=(
        "servo inject-sidecar -n shop -s web -i opsani/envoy-proxy:v1.24.0 deployment/web",
        "servo inject-sidecar -p 8080 -i opsani/envoy-proxy:v1.24.0 deploy/web",
    ),
)(inject_sidecar)
cli.command(section=Section.ops, examples=("servo eject-sidecar -n shop deployment/web",))(eject_sidecar)


@cli.command(section=Section.ops, examples=("servo adjust web.cpu=1.5 web.replicas=3",))
def adjust(
    context: Context,
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="SETTINGS", help="Settings to change: component.setting=value"),
    ] = None,
    *,
    output: OutputForm = "table",
) -> None:
    """Adjust settings for one or more components."""
    adjustments = [parse_adjustment(text) for text in settings or ()]
    if not adjustments:
        raise typer.BadParameter("no settings given: name at least one as component.setting=value")
    servos = context.servos
    results = [context.dispatch(servo, "adjust", adjustments) for servo in servos]
    if not any(results):
        fail("adjustment failed: no connector handled the request")
    tables = [
        [(it.connector.name, _shown(it)[0]) for it in found if it.value is not None] for found in results
    ]
    print_for_each(servos, ("CONNECTOR", "SETTINGS"), tables, output)


def parse_adjustment(text: str) -> Adjustment:
    """Return what ``component.setting=value`` says; the setting is what follows the last dot.

    Raises:
        typer.BadParameter: it is not of that form.
    """
    from servo.types.api import Adjustment

    selector, equals, value = text.partition("=")
    component, dot, setting = selector.rpartition(".")
    if not (equals and dot and component and setting and value):
        raise typer.BadParameter(
            f"unable to parse setting descriptor '{text}': expected format is `component.setting=value`"
        )
    return Adjustment(component_name=component, setting_name=setting, value=value)

"""``servo show``: what an assembly consists of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from servo.cli.context import Context
from servo.cli.groups import CLI
from servo.cli.options import ConfigFile, Level, Limit, Name, NoColor, OutputForm, Verbose
from servo.cli.sections import LogLevel, Section
from servo.cli.tables import Output, by_key, print_json, print_table, records

if TYPE_CHECKING:
    from servo.events import EventResult
    from servo.servo import Servo


def globals_again(
    context: Context,
    *,
    config_file: ConfigFile = None,
    name: Name = None,
    limit: Limit = None,
    log_level: Level = None,
    no_color: NoColor = False,
) -> None:
    """Display one or more resources."""
    state = context.state
    state.config_file = Path(config_file or state.config_file)
    state.name = name or state.name
    state.limit = limit or state.limit
    state.log_level = LogLevel(log_level or state.log_level)
    state.no_color = no_color or state.no_color


cli = CLI(
    section=Section.assembly,
    callback=globals_again,
    epilog="servo show components\nservo show events --by-connector\nservo show -n web metrics",
)


def listed(results: Iterable[EventResult]) -> list[tuple[Any, Any]]:
    """Return each connector with each item of the list it answered with.

    Raises:
        ConnectorError: One answered with something else.
    """
    from servo.runner.operations import value_of

    return [(result.connector, item) for result in results for item in value_of(result, list)]


def print_for_each(
    servos: Sequence[Servo],
    headers: Sequence[str],
    tables: Iterable[Sequence[Any]],
    output: str,
    *,
    end: str = "\n",
) -> None:
    """Print a table for each servo, under its name if there are several; or all of it as one JSON object."""
    if output == Output.json:
        keys = [header.lower() for header in headers]
        found = {servo.name: records(rows, keys) for servo, rows in zip(servos, tables, strict=True)}
        print_json(next(iter(found.values())) if len(found) == 1 else found)
        return
    for servo, rows in zip(servos, tables, strict=True):
        if len(servos) > 1:
            typer.echo(servo.name)
        if rows:
            print_table(rows, headers, end=end)


@cli.command(
    section=Section.commands, examples=("servo show components", "servo show components --output json")
)
def components(context: Context, output: OutputForm = "table") -> None:
    """Display adjustable components."""
    servos = context.servos
    tables = [_component_rows(context.dispatch(servo, "components")) for servo in servos]
    print_for_each(servos, ("COMPONENT", "SETTINGS", "CONNECTOR"), tables, output)


def _component_rows(results: Iterable[Any]) -> list[tuple[Any, ...]]:
    found = [(component, connector.name) for connector, component in listed(results)]
    return [
        (component.name, sorted(_setting(setting) for setting in component.settings), connector)
        for component, connector in sorted(found, key=lambda pair: pair[0].name)
    ]


def _setting(setting: Any) -> str:
    return f"{setting.name}={setting.human_readable_value} {setting.summary()}"


@cli.command(section=Section.commands, examples=("servo show connectors", "servo show connectors --verbose"))
def connectors(context: Context, *, verbose: Verbose = False, output: OutputForm = "table") -> None:
    """Display active connectors."""
    from servo.cli.assembly import VERBOSE, describe_type

    servos = context.servos
    tables = [
        [
            (connector.name, type(connector).name, *describe_type(type(connector), verbose=verbose))
            for connector in sorted(servo.all_connectors, key=lambda it: it.name)
        ]
        for servo in servos
    ]
    headers = ("NAME", "TYPE", "VERSION", "DESCRIPTION", *(VERBOSE if verbose else ()))
    print_for_each(servos, headers, tables, output)


@cli.command(
    section=Section.commands,
    examples=(
        "servo show events",
        "servo show events --all --by-connector",
        "servo show events --before --after",
    ),
)
def events(
    context: Context,
    *,
    every: Annotated[
        bool, typer.Option("-a", "--all", help="Include connectors that are not active")
    ] = False,
    by_connector: Annotated[
        bool, typer.Option("-c", "--by-connector", help="List events by connector")
    ] = False,
    before: Annotated[
        bool | None, typer.Option("--before/--no-before", help="Show handlers before events")
    ] = None,
    on: Annotated[bool | None, typer.Option("--on/--no-on", help="Show handlers on events")] = None,
    after: Annotated[
        bool | None, typer.Option("--after/--no-after", help="Show handlers after events")
    ] = None,
    output: OutputForm = "table",
) -> None:
    """Display event handlers and connectors."""
    from servo.cli.catalogue import available_types

    servos = context.servos
    prepositions = chosen_prepositions(before=before, on=on, after=after)
    headers = ("CONNECTOR", "EVENTS") if by_connector else ("EVENT", "CONNECTORS")
    tables = []
    for servo in servos:
        # An active connector may have handlers of its own beside those of its class.
        active = list(servo.all_connectors)
        idle = set(available_types()) - {type(it) for it in active} if every else set()
        tables.append(_event_rows([*active, *idle], prepositions, by_connector=by_connector))
    print_for_each(servos, headers, tables, output)


def chosen_prepositions(*, before: bool | None, on: bool | None, after: bool | None) -> list[str]:
    """Return the prepositions that the flags ask for: those asked for, else all without those declined."""
    flags = {"before": before, "on": on, "after": after}
    wanted = [name for name, flag in flags.items() if flag]
    return wanted or [name for name, flag in flags.items() if flag is None]


def _event_rows(
    connectors: Iterable[Any], prepositions: Sequence[str], *, by_connector: bool
) -> list[tuple[str, list[str]]]:
    from servo.events import get_events

    # By the name of the event, its phases in their order.
    handled = sorted(
        {
            (event.name, ("before", "on", "after").index(str(handler.preposition)), _class_name(connector))
            for connector in connectors
            for event in get_events()
            for handler in connector.get_event_handlers(event)
            if str(handler.preposition) in prepositions
        }
    )
    labelled = [
        (f"{('before ', '', 'after ')[phase]}{event}", connector) for event, phase, connector in handled
    ]
    if by_connector:
        return list(by_key((connector, label) for label, connector in labelled).items())
    groups: dict[str, list[str]] = {}
    for label, connector in labelled:
        groups.setdefault(label, []).append(connector)
    return list(groups.items())


def _class_name(connector: Any) -> str:
    owner: Any = connector if isinstance(connector, type) else type(connector)
    return str(owner.name)


@cli.command(section=Section.commands, examples=("servo show metrics", "servo show metrics --output json"))
def metrics(context: Context, output: OutputForm = "table") -> None:
    """Display available metrics."""
    servos = context.servos
    tables = [_metric_rows(context.dispatch(servo, "metrics")) for servo in servos]
    print_for_each(servos, ("METRIC", "UNIT", "CONNECTORS"), tables, output)


def _metric_rows(results: Iterable[Any]) -> list[tuple[Any, ...]]:
    pairs = [((metric.name, metric.unit), type(connector).name) for connector, metric in listed(results)]
    groups = by_key(pairs, key=lambda metric: (metric[0], metric[1].value))
    return [(name, _unit(unit), sorted(set(connectors))) for (name, unit), connectors in groups.items()]


def _unit(unit: Any) -> str:
    return f"{unit.name} ({unit.value})" if unit.value else str(unit.name)

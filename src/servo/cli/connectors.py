"""Commands that connectors bring along: ``servo <connector> …``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from servo.cli.context import Context
from servo.cli.groups import CLI
from servo.cli.sections import Section

if TYPE_CHECKING:
    from servo.connector import BaseConnector

ENTRY_POINTS = "servo.connectors"
# Those of ours are added by the application, so that listing commands need not import the connectors.
BUNDLED = "servo.connectors."


class ConnectorCLI(CLI):
    """The commands of one type of connector; making one adds it to ``servo``.

    Args:
        connector_type: the class whose active instance the commands are for.
        name: what to type after ``servo``; by default the connector's default name with dashes.
        help: what the help says; by default the connector's description.
        section: the heading under which the group is listed.
        options: whatever else Typer takes.
    """

    __clis__: ClassVar[set[ConnectorCLI]] = set()
    _built: ClassVar[dict[int, Any]] = {}

    def __init__(
        self,
        connector_type: type[BaseConnector],
        *,
        name: str | None = None,
        help: str | None = None,  # noqa: A002 - the original's signature
        section: Section = Section.connectors,
        callback: Callable[..., Any] | None = None,
        **options: Any,
    ) -> None:
        from servo.utilities.strings import commandify

        self.connector_type = connector_type
        super().__init__(
            section=section,
            name=name or commandify(connector_type.__default_name__),
            help=help or connector_type.description,
            callback=callback or selection(lambda: connector_type),
            **options,
        )
        self.__clis__.add(self)

    @classmethod
    def commands(cls) -> dict[str, Any]:
        """Return the groups of commands by the word they are called with."""
        for cli in cls.__clis__:
            if id(cli) not in cls._built:
                cls._built[id(cli)] = typer.main.get_command(cli)
                # Typer passes this on to groups of groups only.
                cls._built[id(cli)].rich_help_panel = str(cli.section)
        return {group.name: group for group in cls._built.values()}


def selection(connector_type: Callable[[], type[BaseConnector]]) -> Callable[..., None]:
    """Return what takes the option ``--connector`` of a group of commands.

    Args:
        connector_type: returns the class whose active instance the commands are for, when one of them runs.
    """

    def select(
        context: Context,
        connector: Annotated[
            str | None,
            typer.Option(
                "-c", "--connector", metavar="CONNECTOR", help="Connector to use, where there are several"
            ),
        ] = None,
    ) -> None:
        # Not looked for yet: help, and usage errors of the command itself, need no configuration.
        context.meta["servo.connector"] = lambda: find_connector(context, connector_type(), connector)

    return select


def find_connector(context: Context, connector_type: type[BaseConnector], name: str | None) -> BaseConnector:
    """Return the active connector of ``connector_type``, or the one called ``name`` among several.

    Raises:
        typer.BadParameter: no servo is selected, or no connector, or it is not clear which.
    """
    servo = context.servo
    if servo is None:
        names = _listed(it.name for it in context.servos)
        raise typer.BadParameter(f"no servo selected: choose one of {names} with 'servo --name NAME ...'")
    found = {it.name: it for it in servo.connectors if isinstance(it, connector_type)}
    if not found:
        raise typer.BadParameter(
            f"no active connector of type {connector_type.__name__}: add one to {context.config_file}"
        )
    if name is None and len(found) == 1:
        return next(iter(found.values()))
    if name is None:
        raise typer.BadParameter(
            f"several connectors to choose from: pick one of {_listed(found)} with --connector"
        )
    if name not in found:
        raise typer.BadParameter(f"no connector named '{name}': there is {_listed(found)}")
    return found[name]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in sorted(names))


_loaded = False


def load_third_parties() -> None:
    """Import the connectors of other packages, once, for the commands they may define.

    What cannot be imported is a warning in the log: a broken package must not take ``servo`` away.
    """
    global _loaded  # noqa: PLW0603 - as with any import, once per process
    if _loaded:
        return
    _loaded = True
    from importlib.metadata import entry_points

    for entry_point in sorted(entry_points(group=ENTRY_POINTS), key=lambda it: it.name):
        if not entry_point.value.startswith(BUNDLED):
            _load(entry_point)


def _load(entry_point: Any) -> None:
    try:
        entry_point.load()
    except Exception as error:  # noqa: BLE001 - whatever a foreign module raises
        from servo import logging

        logging.configure()  # the command that will do so by the options is not known yet
        logging.logger.warning(
            "Connector '{}' ({}) cannot be imported: {}: {}",
            entry_point.name,
            entry_point.value,
            type(error).__name__,
            error,
        )

"""Which connectors there are, whether or not a configuration uses them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from servo.connector import BaseConnector


def available_types() -> list[type[BaseConnector]]:
    """Return the servo and every connector that is installed, in the order of their names."""
    from servo.connector import ConnectorLoader
    from servo.servo import Servo

    return sorted({Servo, *ConnectorLoader().load()}, key=lambda it: it.__default_name__)


def find_type(identifier: str) -> type[BaseConnector]:
    """Return the class of connector that goes by a name, a class name or a dotted path.

    Raises:
        typer.BadParameter: there is none.
    """
    from servo.routes import find_connector_type
    from servo.servo import Servo

    known = available_types()
    if identifier in {Servo.__default_name__, Servo.__name__}:
        return Servo
    try:
        found = find_connector_type(identifier)
    except (ValueError, TypeError) as error:
        raise typer.BadParameter(str(error)) from error
    if found is None:
        names = ", ".join(it.__default_name__ for it in known)
        raise typer.BadParameter(f'no connector found for the identifier "{identifier}" (there are: {names})')
    return found


def descriptor(specifications: Sequence[str]) -> list[str] | dict[str, str]:
    """Return what ``connectors:`` says for specifications of the form ``connector`` or ``alias:connector``.

    Raises:
        typer.BadParameter: one of them names no connector, or an alias is given twice.
    """
    pairs = [
        (alias if colon else "", name or alias)
        for alias, colon, name in (it.partition(":") for it in specifications)
    ]
    types = {name: find_type(name) for _, name in pairs}
    if not any(alias for alias, _ in pairs):
        return [name for _, name in pairs]
    named: dict[str, str] = {}
    for alias, name in pairs:
        key = alias or types[name].__default_name__
        if key in named:
            raise typer.BadParameter(
                f"'{key}' is given twice: choose another alias", param_hint="'CONNECTORS'"
            )
        named[key] = name
    return named

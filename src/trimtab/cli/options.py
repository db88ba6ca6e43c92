"""Settings read for a command: options win over the environment, and that over defaults."""

from collections.abc import Mapping
from typing import Any, TypeVar

import typer
from pydantic import ValidationError

from trimtab.settings import Settings

__all__ = ["read_settings"]

T = TypeVar("T", bound=Settings)


def read_settings(kind: type[T], options: Mapping[str, Any] | None = None) -> T:
    """The settings, with the options that were given; a wrong one ends the command with a message and code 2."""
    given = {name: value for name, value in (options or {}).items() if value is not None}
    try:
        return kind(**given)
    except ValidationError as error:
        for each in error.errors():
            name = ".".join(map(str, each["loc"]))
            source = f"--{name.replace('_', '-')}" if name in given else f"TRIMTAB_{name.upper()}"
            typer.echo(f"Error: {source}: {each['msg'].removeprefix('Value error, ')}", err=True)
        raise typer.Exit(2) from None

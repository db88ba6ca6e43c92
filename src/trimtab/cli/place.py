"""The place that a command works at, and how it fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from trimtab.workflows import Place

__all__ = ["FAILURE", "NOTHING", "USAGE", "fail", "opened"]

FAILURE, USAGE, NOTHING = 1, 2, 3


@contextmanager
def opened() -> Iterator["Place"]:
    """Store and catalog as the settings name them; what is wrong with them ends the command with a message."""
    from trimtab.catalog import CatalogError
    from trimtab.cli.options import read_settings
    from trimtab.settings import Settings
    from trimtab.store import InvalidKeyError, StoreError
    from trimtab.workflows import Place

    try:
        with Place.open(read_settings(Settings)) as place:
            yield place
    except InvalidKeyError as error:
        fail(str(error), USAGE)
    except (StoreError, CatalogError) as error:
        fail(str(error), FAILURE)


def fail(problem: str, code: int = FAILURE) -> NoReturn:
    """End the command."""
    typer.echo(f"Error: {problem}", err=True)
    raise typer.Exit(code)

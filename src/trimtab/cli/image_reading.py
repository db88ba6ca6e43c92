"""An image read for a command: what goes wrong ends it with one message."""

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from trimtab.images import Contents
    from trimtab.images.documents.legacy import Circumstances

__all__ = ["read_image"]

USAGE, FAILURE = 2, 1


def read_image(text: str, platform: str | None) -> tuple["Contents", "Circumstances"]:
    """What is in an image, and under which circumstances it was read."""
    from trimtab.images import Access, ImageError, ImageReferenceError, contents, opened
    from trimtab.images.documents.legacy import Circumstances

    started, clock = datetime.now(UTC), time.monotonic()
    try:
        with opened(text, Access(platform)) as image:
            found = contents(image)
    except ImageReferenceError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(USAGE) from None
    except ImageError as error:
        typer.echo(f"Error: {text}: {error}", err=True)
        raise typer.Exit(FAILURE) from None
    return found, Circumstances(text, started, round(time.monotonic() - clock))

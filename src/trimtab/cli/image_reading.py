"""An image read for a command: what goes wrong ends it with one message."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from trimtab.images import Access, Contents
    from trimtab.images.documents.legacy import Circumstances

__all__ = ["image_access", "read_image"]

USAGE, FAILURE = 2, 1


def image_access(
    platform: str | None,
    auth_file: Path | None,
    authority: Path | None,
    mirrors: list[str] | None,
    *,
    verify_tls: bool,
) -> "Access":
    """The options of a command as the library has them."""
    from trimtab.images import Access

    return Access(
        platform,
        auth_file=auth_file,
        verify_tls=verify_tls,
        authority=authority,
        mirrors=tuple(mirrors or ()),
    )


def read_image(text: str, access: "Access") -> tuple["Contents", "Circumstances"]:
    """What is in an image, and under which circumstances it was read."""
    from trimtab.images import ImageError, ImageReferenceError, contents, opened
    from trimtab.images.documents.legacy import Circumstances

    started, clock = datetime.now(UTC), time.monotonic()
    try:
        with opened(text, access) as image:
            found = contents(image)
    except ImageReferenceError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(USAGE) from None
    except ImageError as error:
        typer.echo(f"Error: {text}: {error}", err=True)
        raise typer.Exit(FAILURE) from None
    return found, Circumstances(text, started, round(time.monotonic() - clock), verify_tls=access.verify_tls)

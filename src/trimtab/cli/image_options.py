"""Options of commands that read images."""

from typing import Annotated

import typer

__all__ = ["Image", "Platform"]

Image = Annotated[
    str,
    typer.Argument(
        help="A path, or SCHEME:REST with dir, oci, oci-archive or docker-archive.", metavar="IMAGE"
    ),
]
Platform = Annotated[
    str | None,
    typer.Option(
        help="Which of several images, as linux/arm64; by default this machine's.", metavar="OS/ARCH"
    ),
]

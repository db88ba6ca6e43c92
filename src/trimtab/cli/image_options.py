"""Options of commands that read images."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["AuthFile", "Authority", "Image", "Mirrors", "Platform", "VerifyTls"]

Image = Annotated[
    str,
    typer.Argument(
        help="A name in a registry, a path, or SCHEME:REST with dir, oci, oci-archive, docker-archive, podman, docker.",
        metavar="IMAGE",
    ),
]
Platform = Annotated[
    str | None,
    typer.Option(
        help="Which of several images, as linux/arm64; by default this machine's.", metavar="OS/ARCH"
    ),
]
AuthFile = Annotated[
    Path | None,
    typer.Option(
        "--auth-file", help="Credentials of registries; by default those of podman login and docker login."
    ),
]
VerifyTls = Annotated[
    bool,
    typer.Option("--verify-tls/--no-verify-tls", help="Verify certificates of registries."),
]
Authority = Annotated[
    Path | None,
    typer.Option("--certificate-authority", help="A file of certificates to trust besides the system's."),
]
Mirrors = Annotated[
    list[str] | None,
    typer.Option("--mirror", help="Who to ask before the registry: HOST[:PORT][/PATH]; repeatable."),
]

"""`trimtab packages`."""

from enum import StrEnum
from typing import Annotated

import typer

from trimtab.cli.application import application
from trimtab.cli.image_options import AuthFile, Authority, Image, Mirrors, Platform, VerifyTls

__all__ = ["app"]

app = application()


class Output(StrEnum):
    """How what was found is printed."""

    table = "table"
    json = "json"
    cyclonedx = "cyclonedx"
    spdx = "spdx"
    legacy = "legacy"


@app.command()
def packages(
    image: Image,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print.")] = Output.table,
    *,
    platform: Platform = None,
    auth_file: AuthFile = None,
    verify_tls: VerifyTls = True,
    certificate_authority: Authority = None,
    mirror: Mirrors = None,
) -> None:
    r"""Show what is in a container image: packages, interpreters, libraries. Nothing of it is executed.

    \b
    Examples:
      trimtab packages registry.example/team/app:1.2
      trimtab packages oci-archive:app.tar
      trimtab packages dir:/var/lib/machines/app --output json
      trimtab packages ./layout:1.2 --output cyclonedx
    """
    from trimtab.cli.image_output import print_contents
    from trimtab.cli.image_reading import image_access, read_image

    access = image_access(platform, auth_file, certificate_authority, mirror, verify_tls=verify_tls)
    print_contents(*read_image(image, access), output)

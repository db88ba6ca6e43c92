"""`trimtab diff`."""

from enum import StrEnum
from typing import Annotated

import typer

from trimtab.cli.application import application
from trimtab.cli.image_options import AuthFile, Authority, Image, Mirrors, Platform, VerifyTls

__all__ = ["app"]

app = application()


class Output(StrEnum):
    """How changes are printed."""

    table = "table"
    json = "json"


@app.command()
def diff(
    before: Image,
    after: Image,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print.")] = Output.table,
    *,
    platform: Platform = None,
    auth_file: AuthFile = None,
    verify_tls: VerifyTls = True,
    certificate_authority: Authority = None,
    mirror: Mirrors = None,
) -> None:
    r"""Show what changed from one container image to another: packages, interpreters, variables, labels.

    \b
    Examples:
      trimtab diff oci-archive:last-good.tar oci-archive:new.tar
      trimtab diff ./layout:1.2 ./layout:1.3 --output json
    """
    from trimtab.cli.image_output import print_json, print_rows
    from trimtab.cli.image_reading import image_access, read_image
    from trimtab.images.difference import difference, difference_document

    access = image_access(platform, auth_file, certificate_authority, mirror, verify_tls=verify_tls)
    old, _ = read_image(before, access)
    new, _ = read_image(after, access)
    if output is Output.json:
        print_json(difference_document(old, new))
        return
    changes = difference(old, new)
    if not changes:
        typer.echo("No difference in packages, interpreters, system, variables and labels.")
        return
    rows = [(each.kind, each.name, ", ".join(each.before), ", ".join(each.after)) for each in changes]
    print_rows(*rows, header=("KIND", "NAME", "BEFORE", "AFTER"))

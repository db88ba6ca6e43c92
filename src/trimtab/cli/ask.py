"""`trimtab ask`."""

from enum import StrEnum
from typing import Annotated

import typer

from trimtab.cli.ask_export import export
from trimtab.cli.ask_output import show
from trimtab.cli.session_options import Output

__all__ = ["app"]

app = typer.Typer(
    help="""What all builds taught, with how sure it is: each answer counts n of m builds, with an interval.

    Of this machine's catalog, or of a server: --server or TRIMTAB_SERVER, with the token in TRIMTAB_TOKEN.

    \b
    Examples:
      trimtab ask only-in-failures --base registry.example/python:3.11
      trimtab ask first-bad-version mysqlclient
      trimtab ask drift registry.example/app:1 registry.example/app:2
      trimtab ask images 'numpy>=1.20,<2' --symbol GLIBC_2.34
      trimtab ask neighbours build-analysis-261127055302-0123456789abcdef
      trimtab ask rules --output yaml
    """,  # \b is Click's mark of a paragraph not to be wrapped
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


class System(StrEnum):
    """Whose packages."""

    pypi = "pypi"
    deb = "deb"
    rpm = "rpm"
    apk = "apk"
    conda = "conda"
    npm = "npm"
    golang = "golang"
    maven = "maven"


class Kind(StrEnum):
    """What has to change for a failure to go away."""

    any = "any"
    stack = "stack"
    of_index = "index"
    network = "network"
    infrastructure = "infrastructure"
    resource = "resource"
    unexplained = "unexplained"


class BaseBy(StrEnum):
    """What is one base image."""

    reference = "reference"
    repository = "repository"


class BreakerBy(StrEnum):
    """What is one breaker."""

    package = "package"
    version = "version"
    failure_class = "class"


Base = Annotated[str | None, typer.Option(help="On this base image, as it is called, with its tag.")]
Page = Annotated[int, typer.Option(min=1, help="Which page, from 1.")]
Limit = Annotated[int, typer.Option(min=1, max=100, help="How many at most.")]
Format = Annotated[Output, typer.Option("--output", "-o", help="How to print.")]
Server = Annotated[str | None, typer.Option(help="URL of a server, instead of this machine's catalog.")]
Systems = Annotated[System | None, typer.Option("--kind", help="Packages of this system.")]
Failures = Annotated[Kind, typer.Option("--kind", help="Failures of this kind.")]


@app.command("only-in-failures")
def only_in_failures(
    *,
    base: Base = None,
    kind: Systems = None,
    page: Page = 1,
    limit: Limit = 25,
    output: Format = Output.table,
    server: Server = None,
) -> None:
    """List package versions that appear in failed builds, and in none that succeeded.

    \b
    Examples:
      trimtab ask only-in-failures
      trimtab ask only-in-failures --base registry.example/python:3.11 --output json
    """  # noqa: D301 # Click's mark
    show("only-in-failures", server, output, base=base, kind=kind, page=page, limit=limit)


@app.command("first-bad-version")
def first_bad_version(
    package: Annotated[str, typer.Argument(help="Name of the package.", metavar="PACKAGE")],
    *,
    base: Base = None,
    kind: Annotated[System, typer.Option("--kind", help="The package's system.")] = System.pypi,
    output: Format = Output.table,
    server: Server = None,
) -> None:
    """Tell from which version on a package breaks builds, and what became of each version.

    \b
    Examples:
      trimtab ask first-bad-version mysqlclient
      trimtab ask first-bad-version libpq-dev --kind deb --base registry.example/python:3.11
    """  # noqa: D301  # the \b is for Click, which keeps the lines below it
    show("first-bad-version", server, output, package=package, base=base, kind=kind)


@app.command()
def drift(
    before: Annotated[
        str, typer.Argument(help="An image: digest, name, or id of an analysis.", metavar="IMAGE")
    ],
    after: Annotated[str, typer.Argument(help="Another one.", metavar="IMAGE")],
    *,
    output: Format = Output.table,
    server: Server = None,
) -> None:
    """Tell what changed from one image to another, of those that were analysed.

    \b
    Examples:
      trimtab ask drift registry.example/app:1 registry.example/app:2
    """  # noqa: D301  # the \b is for Click, which keeps the lines below it
    show("drift", server, output, before=before, after=after)


@app.command()
def images(
    package: Annotated[
        str | None, typer.Argument(help="numpy, or 'numpy>=1.20,<2'.", metavar="[PACKAGE]")
    ] = None,
    *,
    kind: Systems = None,
    library: Annotated[str | None, typer.Option(help="With this library: its file name or path.")] = None,
    symbol: Annotated[
        str | None, typer.Option(help="With a library that provides this symbol version.")
    ] = None,
    os_name: Annotated[str | None, typer.Option(help="Of this system, as os-release calls it.")] = None,
    os_version: Annotated[str | None, typer.Option(help="Of this version of it; 9 takes 9.3, too.")] = None,
    python_version: Annotated[str | None, typer.Option(help="With this Python, such as 3.11.")] = None,
    cuda_version: Annotated[str | None, typer.Option(help="With this CUDA, such as 11.8.")] = None,
    image: Annotated[str | None, typer.Option(help="Called so, or with this digest.")] = None,
    base: Annotated[
        str | None,
        typer.Option(help="That a build derived from this base image, or that begin with its layers."),
    ] = None,
    page: Page = 1,
    limit: Limit = 25,
    output: Format = Output.table,
    server: Server = None,
) -> None:
    """List images that hold a package, a library or a symbol version; the last analysed first.

    \b
    Examples:
      trimtab ask images 'numpy>=1.20,<2'
      trimtab ask images openssl --kind rpm --os-name rhel --os-version 9
      trimtab ask images --library libstdc++.so.6 --symbol GLIBCXX_3.4.30
    """  # noqa: D301  # the \b is for Click, which keeps the lines below it
    asked = {
        "package": package,
        "kind": kind,
        "library": library,
        "symbol": symbol,
        "image": image,
        "base": base,
    }
    system = {"os_name": os_name, "os_version": os_version}
    versions = {"python_version": python_version, "cuda_version": cuda_version}
    show("images", server, output, **asked, **system, **versions, page=page, limit=limit)


@app.command("failure-rates")
def failure_rates(
    *,
    by: Annotated[BaseBy, typer.Option(help="What is one base image.")] = BaseBy.reference,
    kind: Failures = Kind.any,
    base: Base = None,
    page: Page = 1,
    limit: Limit = 25,
    output: Format = Output.table,
    server: Server = None,
) -> None:
    """Tell how often builds fail, by base image.

    \b
    Examples:
      trimtab ask failure-rates --kind stack
      trimtab ask failure-rates --by repository
    """  # noqa: D301  # the \b is for Click, which keeps the lines below it
    show("failure-rates", server, output, by=by, kind=kind, base=base, page=page, limit=limit)


@app.command()
def breakers(
    *,
    by: Annotated[BreakerBy, typer.Option(help="What is one breaker.")] = BreakerBy.package,
    kind: Failures = Kind.any,
    base: Base = None,
    page: Page = 1,
    limit: Limit = 25,
    output: Format = Output.table,
    server: Server = None,
) -> None:
    """List what builds fail at most often.

    \b
    Examples:
      trimtab ask breakers --kind stack
      trimtab ask breakers --by class --base registry.example/python:3.11
    """  # noqa: D301  # the \b is for Click, which keeps the lines below it
    chosen = None if kind is Kind.any else kind
    show("breakers", server, output, by=by, kind=chosen, base=base, page=page, limit=limit)


@app.command()
def neighbours(
    build: Annotated[
        str | None, typer.Argument(help="Id of the build, or of its log's analysis.", metavar="[BUILD]")
    ] = None,
    *,
    package: Annotated[
        list[str] | None, typer.Option(help="Instead of a build: a package of the stack, as name==version.")
    ] = None,
    base: Annotated[str | None, typer.Option(help="Stacks that built on this base image.")] = None,
    limit: Limit = 10,
    output: Format = Output.table,
    server: Server = None,
) -> None:
    """List stacks that are like a failing one, and built.

    \b
    Examples:
      trimtab ask neighbours build-analysis-261127055302-0123456789abcdef
      trimtab ask neighbours --package numpy==2.0.0 --package scipy==1.11.4
    """  # noqa: D301  # the \b is for Click, which keeps the lines below it
    show("neighbours", server, output, build=build, package=package, base=base, limit=limit)


@app.command()
def rules(
    *,
    base: Base = None,
    package: Annotated[str | None, typer.Option(help="For this package alone.")] = None,
    any_base: Annotated[bool, typer.Option("--any-base", help="Rules for whatever base image.")] = False,
    least: Annotated[int, typer.Option(min=1, help="Builds that a package must have broken.")] = 3,
    unsure: Annotated[
        bool, typer.Option("--unsure", help="Also where there are not enough builds to say.")
    ] = False,
    page: Page = 1,
    limit: Limit = 100,
    output: Format = Output.table,
    server: Server = None,
) -> None:
    """List candidate rules for a resolver: with this base, these versions of this package fail to build.

    \b
    Examples:
      trimtab ask rules --output yaml > rules.yaml
      trimtab ask rules --base registry.example/python:3.11 --unsure
    """  # noqa: D301  # the \b is for Click, which keeps the lines below it
    asked = {"base": base, "package": package, "any_base": any_base, "least": least, "unsure": unsure}
    show("rules", server, output, **asked, page=page, limit=limit)


@app.command()
def observations(
    document: Annotated[str, typer.Argument(help="Id of a build, or of an analysis.", metavar="DOCUMENT")],
    *,
    relation: Annotated[
        list[str] | None,
        typer.Option(help="Of this relation alone: contains, requires, installed, failed, …"),
    ] = None,
    output: Format = Output.table,
    server: Server = None,
) -> None:
    """List all that a document tells, with how we know it.

    \b
    Examples:
      trimtab ask observations buildlog-parser-261127055302-0123456789abcdef --relation failed
    """  # noqa: D301  # the \b is for Click, which keeps the lines below it
    show("observations", server, output, document=document, relation=relation)


app.command()(export)

"""`trimtab serve`."""

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from trimtab.cli.application import application

if TYPE_CHECKING:
    from fastapi import FastAPI

    from trimtab.settings import ServerSettings

__all__ = ["app"]

GRACE = 10  # seconds that requests under way have to end
USAGE, FAILURE = 2, 1

app = application()


@app.command()
def serve(
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on; beyond loopback a token is required. [127.0.0.1]"),
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one. [8080]")] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="File with one token a line, in clear or as sha256:<hex>.")
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            help="What makes inspections: auto, container, podman, docker, kubernetes or process. [auto]",
            metavar="ENGINE",
        ),
    ] = None,
    allow_process_engine: Annotated[
        bool | None,
        typer.Option(
            "--allow-process-engine",
            help="Let scripts of callers run as processes of this machine; it is no sandbox.",
        ),
    ] = None,
    home: Annotated[Path | None, typer.Option(help="Directory of the embedded state.")] = None,
    log_level: Annotated[
        str | None, typer.Option(help="TRACE, DEBUG, INFO, WARNING or ERROR. [INFO]", metavar="LEVEL")
    ] = None,
) -> None:
    """Serve inspections, and the optimizer to many agents, over HTTP.

    Each option can also be set as TRIMTAB_<OPTION>. The database is trimtab.sqlite in the home directory, or the
    PostgreSQL that TRIMTAB_DATABASE_URL names; documents are in its directory `store`, or where TRIMTAB_STORE_URL says. A token
    may also be given as TRIMTAB_TOKEN.

    \b
    Examples:
      trimtab serve
      trimtab serve --engine process --allow-process-engine
      trimtab token | tail -1 > tokens && trimtab serve --host 0.0.0.0 --token-file tokens
      TRIMTAB_DATABASE_URL=postgresql:///trimtab trimtab serve --port 9000
    """  # noqa: D301 # \b is Click's mark of a paragraph not to be wrapped
    from trimtab.cli.options import read_settings
    from trimtab.settings import ServerSettings

    options = {
        "host": host,
        "port": port,
        "token_file": token_file,
        "engine": engine,
        "allow_process_engine": allow_process_engine,
        "home": home,
        "log_level": log_level,
    }
    settings = read_settings(ServerSettings, options)
    if settings.open_to_all and "*" in settings.cors_origins:
        _refuse(
            "TRIMTAB_CORS_ORIGINS=* would let every web page use this server, for it has no token; name origins, or set one",
            USAGE,
        )
    if settings.engine == "process" and not settings.allow_process_engine:
        _refuse(
            "the process engine is no sandbox: what callers send would run as this user; say --allow-process-engine or "
            "TRIMTAB_ALLOW_PROCESS_ENGINE=true if that is what you want",
            USAGE,
        )
    if not settings.loopback and settings.open_to_all:
        _refuse(
            f"{settings.host} can be reached from other machines, and no token is set; make one with `trimtab token` "
            f"and name it by --token-file or TRIMTAB_TOKEN, or listen on 127.0.0.1",
            USAGE,
        )
    _run(_create(settings), settings)


def _create(settings: "ServerSettings") -> "FastAPI":
    from trimtab.catalog import CatalogError
    from trimtab.server.app import create_app
    from trimtab.server.gate import LOOPBACK_HOSTS
    from trimtab.server.tokens import TokenError
    from trimtab.store import StoreError

    try:
        return create_app(settings, hosts=LOOPBACK_HOSTS if settings.open_to_all else frozenset())
    except TokenError as error:
        _refuse(str(error), USAGE)
    except (CatalogError, StoreError) as error:
        _refuse(str(error), FAILURE)


def _refuse(problem: str, code: int) -> NoReturn:
    typer.echo(f"Error: {problem}", err=True)
    raise typer.Exit(code)


def _run(application: "FastAPI", settings: "ServerSettings") -> None:
    import uvicorn

    from trimtab.server.log import configure

    class Server(uvicorn.Server):
        """Ends what would never end by itself, before it waits for the rest."""

        async def shutdown(self, sockets: Any = None) -> None:
            for stop in application.state.stopping:
                stop()
            await super().shutdown(sockets)

    configure(settings.log_level)
    config = uvicorn.Config(
        application,
        host=settings.host,
        port=settings.port,
        # uvloop leaves its ends of a child's pipes open in the child: what that leaves running, as podman does its monitor,
        # holds them, and the end of the child's output is never seen.
        loop="asyncio",
        log_config=None,
        access_log=False,  # ours leaves the query out
        timeout_graceful_shutdown=GRACE,
        server_header=False,
    )
    # Uvicorn raises the signal that stopped it once more when it is done: being stopped is no failure.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _end)
    try:
        Server(config).run()
    except SystemExit as error:
        raise typer.Exit(FAILURE if error.code else 0) from None


def _end(_signal: int, _frame: Any) -> NoReturn:
    raise SystemExit(0)

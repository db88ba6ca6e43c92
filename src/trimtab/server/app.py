"""The HTTP application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Security
from fastapi.security import HTTPBearer
from starlette.middleware import Middleware

from trimtab.catalog import Database
from trimtab.optimizer.sessions import Sessions
from trimtab.server import errors, health, oauth, servo
from trimtab.server import sessions as api
from trimtab.server.access import AccessLog
from trimtab.server.errors import Problem
from trimtab.server.gate import Gate
from trimtab.server.metrics import Metrics
from trimtab.server.tokens import Tokens
from trimtab.settings import ServerSettings

__all__ = ["create_app"]

COMMON: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "Something in the request is not as it must be"},
    401: {"model": Problem, "description": "A valid token is needed"},
    408: {"model": Problem, "description": "The body did not come in time"},
    413: {"model": Problem, "description": "The body is too large"},
    503: {"model": Problem, "description": "The database cannot be reached; try again"},
}


def create_app(
    settings: ServerSettings | None = None,
    sessions: Sessions | None = None,
    *,
    hosts: frozenset[str] = frozenset(),
) -> FastAPI:
    """The server's application.

    Args:
        settings: How it is reached; read from the environment by default.
        sessions: What it serves; by default over the database of the settings, which it then closes at its end.
        hosts: Names by which it may be addressed; empty for any.

    Raises:
        CatalogError: The database cannot be used.
        TokenError: A token cannot be used.
    """
    settings = settings or ServerSettings()
    tokens = Tokens.from_settings(settings)
    own = None if sessions else Database(settings.url)
    if sessions is None:
        assert own is not None
        sessions = Sessions(own, nap=settings.sleep, stale_after=settings.stale_after)
    metrics = Metrics(sessions.database)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        if own is not None:
            own.close()

    app = FastAPI(
        title="Trimtab",
        version=version("trimtab"),
        description="The optimizer and its sessions.",
        lifespan=lifespan,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        responses=COMMON,
        middleware=[
            Middleware(AccessLog, metrics=metrics),
            Middleware(Gate, tokens=tokens, max_body=settings.max_body, hosts=hosts),
        ],
    )
    app.state.metrics = metrics
    errors.install(app)
    app.include_router(health.create_router(sessions.database))
    # For the description; it is the gate that decides.
    token = [Security(HTTPBearer(auto_error=False))]
    app.include_router(health.create_metrics_router(metrics), dependencies=token)
    app.include_router(servo.create_router(sessions, metrics), dependencies=token)
    app.include_router(api.create_router(sessions), dependencies=token)
    app.include_router(oauth.create_router())
    _describe(app)
    return app


def _describe(app: FastAPI) -> None:
    """Describe the API as it is: what fails validation is answered 400, in our shape."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        schema = describe()
        for path in schema["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
        return schema

    app.openapi = openapi  # type: ignore[method-assign] # the way FastAPI documents

"""The HTTP application."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Security
from fastapi.security import HTTPBearer
from loguru import logger
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from trimtab.optimizer.sessions import Sessions
from trimtab.server import errors, health, oauth, servo
from trimtab.server import sessions as api
from trimtab.server.access import AccessLog
from trimtab.server.addresses import Allowed
from trimtab.server.caller import Scope, needs
from trimtab.server.description import add_description
from trimtab.server.errors import Problem
from trimtab.server.gate import Gate
from trimtab.server.metrics import Metrics
from trimtab.server.script import Scripts
from trimtab.server.stamp import Stamp
from trimtab.server.tokens import Tokens
from trimtab.settings import ServerSettings

if TYPE_CHECKING:
    from trimtab.builds import Registries
    from trimtab.workflows import Accepting, Inspecting, MonkeyRuns, Place, Worker
    from trimtab.workflows.campaigns import Campaigning

__all__ = ["create_app"]

NO_ENGINE = (
    "no engine can be used here, so inspections are refused until there is one: install podman or Docker; or, if callers may "
    "run what they like as this user, set TRIMTAB_ALLOW_PROCESS_ENGINE=true; or let others make them: TRIMTAB_WORKER=false"
)
COMMON: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "Something in the request is not as it must be"},
    401: {"model": Problem, "description": "A valid token is needed"},
    403: {"model": Problem, "description": "The token is for something else"},
    408: {"model": Problem, "description": "The body did not come in time"},
    413: {"model": Problem, "description": "The body, or what was asked for, is too large"},
    503: {"model": Problem, "description": "Database, store or engine cannot be reached; try again"},
}


@dataclass(frozen=True)
class Work:
    """The durable work that the server does, or accepts."""

    worker: "Worker"
    inspecting: "Inspecting"
    accepting: "Accepting"
    campaigning: "Campaigning"
    monkey: "MonkeyRuns"


def create_app(
    settings: ServerSettings | None = None,
    sessions: Sessions | None = None,
    *,
    place: "Place | None" = None,
    hosts: frozenset[str] = frozenset(),
) -> FastAPI:
    """The server's application.

    Args:
        settings: How it is reached; read from the environment by default.
        sessions: What it serves; by default those of the database of the settings.
        place: Where inspections are; by default that of the settings, unless sessions alone are given: then there is no API of
            inspections.
        hosts: Names by which it may be addressed; empty for any.

    Raises:
        CatalogError: The database cannot be used.
        StoreError: The store cannot be used.
        TokenError: A token cannot be used.
    """
    settings = settings or ServerSettings()
    tokens = Tokens.from_settings(settings)
    own = ExitStack()
    if place is None and sessions is None:
        from trimtab.workflows import Place

        place = own.enter_context(Place.open(settings))
    if sessions is None:
        assert place is not None
        sessions = Sessions(place.database, nap=settings.sleep, stale_after=settings.stale_after)
    metrics = Metrics(sessions.database)
    work: list[Work] = []  # by a worker of this process, which is started and stopped with the application

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as running:
            running.callback(own.close)
            for each in work:
                await running.enter_async_context(each.worker)
                if settings.worker and each.inspecting.capabilities is None:
                    logger.warning(NO_ENGINE)
            yield

    app = FastAPI(
        title="Trimtab",
        version=version("trimtab"),
        description="Inspections of software stacks; builds and their analyses; the optimizer and its sessions.",
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,  # as the original calls its operations
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        responses=COMMON,
        middleware=_middleware(settings, tokens, metrics, hosts),
    )
    app.state.metrics = metrics
    app.state.stopping = []
    errors.install(app)
    # For the description; it is the gate that decides.
    token = [Security(HTTPBearer(auto_error=False))]
    read, admin, agent = (needs(each) for each in (Scope.READ, Scope.ADMIN, Scope.AGENT))
    if place is not None:
        registries = _registries(settings)
        work.append(_work(place, settings, registries, metrics))
        _add_inspections(app, place, work[0], settings, token)
        _add_builds(app, place, work[0].accepting, registries, metrics, token)
        _add_observations(app, place, token)
        _add_campaigns(app, place, work[0], token)
    app.include_router(api.create_router(sessions), dependencies=[*token, admin])
    app.include_router(servo.create_router(sessions, metrics), dependencies=[*token, agent])
    app.include_router(oauth.create_router(), dependencies=[agent])
    app.include_router(health.create_router(sessions.database))
    app.include_router(health.create_metrics_router(metrics), dependencies=[*token, read])
    add_description(app)
    return app


def _add_inspections(
    app: FastAPI, place: "Place", work: Work, settings: ServerSettings, token: list[Any]
) -> None:
    # Not before: a server of sessions alone, as `trimtab tune` has one, starts without them.
    from trimtab.server import monkey
    from trimtab.server.inspections import Desk, Follower, Library, beside, logs, original

    inspecting = work.inspecting
    library, follower = Library(place), Follower(inspecting.follow)
    scripts = Scripts(Allowed.of(settings.script_hosts))
    desk = Desk(inspecting, place.deployment, scripts)
    app.include_router(original.create_router(library, desk), dependencies=token)
    app.include_router(beside.create_router(library, inspecting, follower), dependencies=token)
    app.include_router(logs.create_router(library, follower), dependencies=token)
    app.include_router(monkey.create_router(work.monkey, desk), dependencies=token)
    app.state.stopping.append(follower.stop)


def _add_builds(
    app: FastAPI,
    place: "Place",
    accepting: "Accepting",
    registries: "Registries",
    metrics: Metrics,
    token: list[Any],
) -> None:
    from trimtab.server.builds import Desk, Library, Registrar, beside, original, withdrawing
    from trimtab.workflows import Withdrawing

    library = Library(place)
    desk = Desk(accepting, Registrar(registries), metrics.count_part)
    app.include_router(original.create_router(library, desk), dependencies=token)
    app.include_router(beside.create_router(library), dependencies=token)
    app.include_router(withdrawing.create_router(library, Withdrawing(place)), dependencies=token)


def _add_observations(app: FastAPI, place: "Place", token: list[Any]) -> None:
    from trimtab.server import observations

    app.include_router(observations.create_router(place.database), dependencies=token)


def _add_campaigns(app: FastAPI, place: "Place", work: Work, token: list[Any]) -> None:
    from trimtab.server import campaigns

    router = campaigns.create_router(place, work.campaigning, work.inspecting)
    app.include_router(router, dependencies=token)


def _registries(settings: ServerSettings) -> "Registries":
    from trimtab.builds import Registries

    return Registries(settings.registry_hosts, settings.registry_secrets, settings.registry_ca)


def _work(place: "Place", settings: ServerSettings, registries: "Registries", metrics: Metrics) -> Work:
    from trimtab.workflows import Accepting, Analysing, Inspecting, MonkeyRuns, Recording, Worker
    from trimtab.workflows.campaigns import Campaigning

    worker = Worker(place, works=settings.worker)
    inspecting = Inspecting(
        worker,
        engine=settings.engine,
        allow_process=settings.allow_process_engine,
        builds=settings.builds,
        runs=settings.runs,
        everywhere=settings.everywhere,
        longest_wait=settings.longest_wait,
    )
    analysing = Analysing(
        worker,
        registries=registries,
        at_once=settings.analyses,
        seconds=settings.analysis_seconds,
        told=metrics.count_analysis,
    )
    accepting = Accepting(worker, analysing, Recording(worker))
    return Work(
        worker, inspecting, accepting, Campaigning(worker, inspecting), MonkeyRuns(worker, inspecting)
    )


def _middleware(
    settings: ServerSettings, tokens: Tokens, metrics: Metrics, hosts: frozenset[str]
) -> list[Middleware]:
    """From the outermost inwards."""
    origins = settings.cors_origins
    cors = Middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["Authorization", "Content-Type"],
        expose_headers=["X-Amun-Version", "Location", "Retry-After"],
    )
    return [
        Middleware(Stamp, version=version("trimtab"), search_ui_url=settings.search_ui_url),
        Middleware(AccessLog, metrics=metrics),
        *([cors] if origins else []),
        Middleware(
            Gate,
            tokens=tokens,
            max_body=settings.max_body,
            hosts=hosts,
            origins=frozenset(origins),
        ),
    ]

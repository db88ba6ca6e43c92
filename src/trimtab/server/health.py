"""Whether the server lives, is ready, and what it counts."""

from importlib.metadata import version
from typing import Any, Literal

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from trimtab.catalog import Database
from trimtab.server.errors import Problem, refusal
from trimtab.server.metrics import Metrics

__all__ = ["create_metrics_router", "create_router"]


class Alive(BaseModel):
    """The server answers."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """The server can do its work."""

    status: Literal["ready"] = "ready"


class ReadyVersion(Ready):
    """The same, as the original said it."""

    version: str


TEXT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus text format"}
}


def create_router(database: Database) -> APIRouter:
    """The routes for whoever keeps the server running; they need no token."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    async def health() -> Alive:
        """Say that the process answers; a failure means: restart it."""
        return Alive()

    @router.get("/readyz", response_model=Ready, responses={503: {"model": Problem}})
    def readiness() -> Ready | JSONResponse:
        """Say whether the database answers and its tables are those of this version."""
        if database.is_ready():
            return Ready()
        return refusal(503, "the database does not answer, or has other tables")

    @router.get("/liveness")
    async def original_liveness() -> ReadyVersion:
        """Say that the process answers, as the original did."""
        return ReadyVersion(version=version("trimtab"))

    @router.get("/readiness", response_model=ReadyVersion, responses={503: {"model": Problem}})
    def original_readiness() -> ReadyVersion | JSONResponse:
        """Say whether the database answers, in the original's words."""
        found = readiness()
        return ReadyVersion(version=version("trimtab")) if isinstance(found, Ready) else found

    return router


def create_metrics_router(metrics: Metrics) -> APIRouter:
    """The route for Prometheus."""
    router = APIRouter(tags=["health"])

    @router.get("/metrics", response_class=Response, responses=TEXT)
    def prometheus() -> Response:
        """Hand out the metrics in Prometheus' text format."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router

"""The optimizer's API for agents: docs/optimizer-protocol.md."""

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from trimtab.catalog import CatalogError
from trimtab.optimizer.errors import OptimizerError
from trimtab.optimizer.session_messages import Event, Reply
from trimtab.optimizer.sessions import Sessions
from trimtab.server.depth import is_deeper
from trimtab.server.errors import STATUS, Problem
from trimtab.server.metrics import Metrics

__all__ = ["Answer", "Post", "create_router"]

MAX_DEPTH = 32

Account = Annotated[str, Path(pattern=r"^[A-Za-z0-9.][A-Za-z0-9.\-]{0,49}$", examples=["example.com"])]
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.\-]{1,64}$", examples=["shop"])]


class Post(BaseModel):
    """What an agent posts. The content of `param` depends on the event."""

    event: Event
    param: dict[str, Any] | None = None
    servo_uid: Annotated[str | None, Field(max_length=200)] = None


class Status(BaseModel):
    """How a post was taken."""

    status: Literal["ok", "invalid", "unexpected-event", "cancel"]
    message: str | None = None
    reason: str | None = None


class Command(BaseModel):
    """What the agent is to do next; the reply to WHATS_NEXT."""

    cmd: Literal["DESCRIBE", "MEASURE", "ADJUST", "SLEEP"]
    cmd_uid: str | None = None
    param: dict[str, Any]


class Fenced(Problem):
    """Another agent serves the application."""

    detail: Literal["unexpected servo_uid"]


Answer = Status | Command

BODY = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": Post.model_json_schema()}}}
}


def create_router(sessions: Sessions, metrics: Metrics) -> APIRouter:
    """The routes of the Opsani and the AppDynamics optimizer; they differ by their path alone."""
    router = APIRouter(tags=["optimizer"])
    options: dict[str, Any] = {
        "response_model": Answer,
        "response_model_exclude_unset": True,
        "openapi_extra": BODY,
        "responses": {404: {"model": Problem}, 410: {"model": Fenced}, 415: {"model": Problem}},
    }

    @router.post("/accounts/{account}/applications/{application}/servo", **options)
    async def post_by_application(account: Account, application: Name, request: Request) -> Reply:
        """Take a post of the agent of an application."""
        return await _take(sessions, metrics, f"{account}/{application}", request)

    @router.post("/rest/optimize/co/v1/optimizers/{optimizer_id}/servo", **options)
    async def post_by_optimizer(optimizer_id: Name, request: Request) -> Reply:
        """Take a post of the agent of an optimizer known by its bare id."""
        return await _take(sessions, metrics, optimizer_id, request)

    return router


async def _take(sessions: Sessions, metrics: Metrics, application: str, request: Request) -> Reply:
    body = await _read(request)
    event = body.get("event") if isinstance(body, dict) else None
    try:
        # The search may think for 100 ms: not on the event loop.
        reply = await run_in_threadpool(sessions.handle, application, body)
    except (OptimizerError, CatalogError) as error:
        metrics.count(event, next(code for kind, code in STATUS.items() if isinstance(error, kind)))
        raise
    metrics.count(event, reply)
    return reply


async def _read(request: Request) -> Any:
    """The body: JSON, and not too deep for whoever walks through it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, "send the message as application/json")
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "the body is not JSON") from error
    if is_deeper(body, MAX_DEPTH):
        raise HTTPException(400, f"the message is nested deeper than {MAX_DEPTH} levels")
    return body

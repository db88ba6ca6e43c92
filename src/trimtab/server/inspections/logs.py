"""Logs while they grow: of the build, and of each run."""

from dataclasses import asdict
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.concurrency import run_in_threadpool

from trimtab.server.answer import answer
from trimtab.server.caller import Asking
from trimtab.server.inspections import models
from trimtab.server.inspections.following import Follower
from trimtab.server.inspections.library import Library, missing
from trimtab.server.inspections.original import MISSING, READ
from trimtab.workflows.logs import Piece, piece

__all__ = ["create_router"]

LONGEST = 60.0
FAR = 1 << 40
Start = Annotated[int, Query(ge=0, le=FAR, description="The first byte that is wanted")]
Timeout = Annotated[float, Query(ge=0, le=LONGEST, description="Seconds")]
Attempt = Annotated[int | None, Query(ge=1, le=1000, description="Of the run; the last, if it is not named")]


def create_router(library: Library, follower: Follower) -> APIRouter:
    """The routes of logs that grow.

    Args:
        library: What there is.
        follower: Waits for more of them.
    """
    router = APIRouter(prefix="/api/v1", tags=["inspections"])

    @router.get(
        "/inspect/{inspection_id}/build/log/tail",
        response_model=models.Tail,
        responses=MISSING,
        dependencies=[READ],
    )
    async def get_inspection_build_log_tail(
        inspection_id: str,
        caller: Asking,
        start: Start = 0,
        timeout: Timeout = 0.0,  # noqa: ASYNC109 # of the request's
    ) -> Response:
        """Show what the builder printed from a byte on; while there is no more, answer after some seconds."""
        await run_in_threadpool(library.find, caller, inspection_id)
        look = partial(piece, library.place, inspection_id, start=start)
        with missing("Build log for the given inspection id was not found"):
            found = await follower.poll(look, _has_something, timeout)
        return answer(_told(found), inspection_id)

    @router.get(
        "/inspect/{inspection_id}/job/{item}/log/tail",
        response_model=models.Tail,
        responses=MISSING,
        dependencies=[READ],
    )
    async def get_inspection_job_log_tail(
        inspection_id: str,
        item: int,
        caller: Asking,
        start: Start = 0,
        timeout: Timeout = 0.0,  # noqa: ASYNC109 # of the request's
        attempt: Attempt = None,
    ) -> Response:
        """Show what a run printed beside its result from a byte on; while there is no more, answer after some seconds."""
        await run_in_threadpool(library.find, caller, inspection_id)
        look = partial(piece, library.place, inspection_id, item, start=start, attempt=attempt)
        with missing(f"Log for item {item} of inspection {inspection_id!r} was not found"):
            found = await follower.poll(look, _has_something, timeout)
        return answer(_told(found), inspection_id)

    return router


def _has_something(found: Piece) -> bool:
    return bool(found.text) or found.over


def _told(found: Piece) -> dict[str, object]:
    told = asdict(found)
    return {"log": told.pop("text"), **told}

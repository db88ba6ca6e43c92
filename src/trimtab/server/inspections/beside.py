"""What is new about inspections, beside the original's routes and in their style."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from trimtab.server.answer import answer
from trimtab.server.caller import Asking
from trimtab.server.errors import Problem
from trimtab.server.inspections import models
from trimtab.server.inspections.following import Follower, ended
from trimtab.server.inspections.library import Found, Library, missing
from trimtab.server.inspections.original import MISSING, READ, SUBMIT, Asked
from trimtab.workflows import Inspecting

__all__ = ["create_router"]

LONGEST = 60.0
CONFLICT: dict[int | str, dict[str, Any]] = {
    **MISSING,
    409: {"model": Problem, "description": "It is in no state for that"},
}
EVENTS: dict[int | str, dict[str, Any]] = {
    **MISSING,
    200: {
        "content": {
            "text/event-stream": {
                "schema": {
                    "type": "object",
                    "required": ["event", "data"],
                    "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
                }
            }
        },
        "description": "Server-sent events",
    },
}
Measure = Annotated[
    str | None,
    Query(max_length=256, description="The measure to warn about or judge by, such as `duration`"),
]
Share = Annotated[float | None, Query(gt=0, lt=1)]


def create_router(library: Library, inspecting: Inspecting, follower: Follower) -> APIRouter:
    """The routes that the original lacks.

    Args:
        library: What there is.
        inspecting: Who makes inspections.
        follower: Tells how they go on.
    """
    router = APIRouter(prefix="/api/v1", tags=["inspections"])
    _add_lists(router, library)
    _add_documents(router, library)
    _add_figures(router, library)
    _add_changes(router, library, inspecting)
    _add_following(router, library, follower)
    return router


def _add_lists(router: APIRouter, library: Library) -> None:
    @router.get("/inspections", response_model=models.Rows, dependencies=[READ])
    def list_inspections(caller: Asking, asked: Asked) -> Response:
        """List inspections with their states, the newest first."""
        return answer({"inspections": library.rows(caller, asked), "parameters": asked.told()})


def _add_documents(router: APIRouter, library: Library) -> None:
    @router.get(
        "/inspect/{inspection_id}/report",
        response_model=models.Reported,
        responses=MISSING,
        dependencies=[READ],
    )
    def get_inspection_report(inspection_id: str, caller: Asking) -> Response:
        """Show how an inspection ended, or how it stands: its state, engine, build, attempts of runs, failure."""
        found = library.find(caller, inspection_id)
        return answer({"report": library.report(found)}, inspection_id)

    @router.get(
        "/inspect/{inspection_id}/containerfile",
        response_model=models.Containerfile,
        responses=MISSING,
        dependencies=[READ],
    )
    def get_inspection_containerfile(inspection_id: str, caller: Asking) -> Response:
        """Show what is built; before it is, what will be."""
        found = library.find(caller, inspection_id)
        return answer({"containerfile": library.containerfile(found)}, inspection_id)

    @router.get(
        "/inspect/{inspection_id}/job/{item}/hwinfo",
        response_model=models.HardwareInfo,
        responses=MISSING,
        dependencies=[READ],
    )
    def get_inspection_job_hwinfo(inspection_id: str, item: int, caller: Asking) -> Response:
        """Show what a run was on."""
        found = library.find(caller, inspection_id)
        with missing(f"Hardware information of item {item} of inspection {inspection_id!r} was not found"):
            return answer({"hwinfo": found.stored.results.retrieve_hwinfo(item)}, inspection_id)


def _add_figures(router: APIRouter, library: Library) -> None:
    @router.get(
        "/inspect/{inspection_id}/statistics",
        response_model=models.Statistics,
        responses=MISSING,
        dependencies=[READ],
    )
    def get_inspection_statistics(
        inspection_id: str,
        caller: Asking,
        primary: Measure = None,
        half_width: Share = None,
        confidence: Share = None,
    ) -> Response:
        """Show the runs in figures, for each kind of machine: intervals, whether they are stable, how many more it takes."""
        from trimtab.inspection import describe

        options = _given(primary=primary, half_width=half_width, confidence=confidence)
        found = library.find(caller, inspection_id)
        with missing(f"A result of inspection {inspection_id!r} was not found"):
            figures = describe(library.results(found), **options).to_dict()
        return answer({"statistics": figures}, inspection_id)

    @router.get(
        "/inspect/{inspection_id}/compare/{other_id}",
        response_model=models.Comparison,
        responses=MISSING,
        dependencies=[READ],
    )
    def compare_inspections(
        inspection_id: str, other_id: str, caller: Asking, primary: Measure = None, confidence: Share = None
    ) -> Response:
        """Say what is known of a second inspection against a first; "no difference shown" is an answer."""
        from trimtab.inspection import compare

        both = [library.find(caller, each) for each in (inspection_id, other_id)]
        options = _given(primary=primary, confidence=confidence)
        engines = library.engine(both[0]), library.engine(both[1])
        with missing("A result of one of them was not found"):
            found = compare(*map(library.results, both), engines=engines, **options).to_dict()
        asked = {"inspection_id": inspection_id, "other_id": other_id}
        return answer({"comparison": found, "parameters": asked})


def _add_changes(router: APIRouter, library: Library, inspecting: Inspecting) -> None:
    @router.post(
        "/inspect/{inspection_id}/cancel",
        status_code=202,
        response_model=models.Standing,
        responses=CONFLICT,
        dependencies=[SUBMIT],
    )
    async def cancel_inspection(inspection_id: str, caller: Asking) -> Response:
        """End an inspection early. What is done of it stays; 409 if it is over, or a command line makes it."""
        found = await run_in_threadpool(library.find, caller, inspection_id)
        wished = not found.over and await inspecting.cancel(inspection_id)
        found = await run_in_threadpool(library.find, caller, inspection_id)
        if not wished:
            raise _conflict(
                found, "is over already" if found.over else "is made by a command line; end it there"
            )
        return answer({"state": found.state}, inspection_id, status=202)

    @router.post(
        "/inspect/{inspection_id}/retry",
        status_code=202,
        response_model=models.Submitted,
        responses=MISSING,
        dependencies=[SUBMIT],
    )
    async def retry_inspection(inspection_id: str, caller: Asking) -> Response:
        """Submit a new inspection of what another was asked for; that one stays as it is."""
        await run_in_threadpool(library.find, caller, inspection_id)
        with missing(f"No specification for inspection {inspection_id!r} found"):
            made = await inspecting.retry(inspection_id, caller.name)
        return answer({"inspection_id": made.id, "parameters": made.specification}, status=202)

    @router.delete(
        "/inspect/{inspection_id}", response_model=models.Answer, responses=CONFLICT, dependencies=[SUBMIT]
    )
    def delete_inspection(inspection_id: str, caller: Asking) -> Response:
        """Delete an inspection and all that belongs to it; 409 while it is under way."""
        found = library.find(caller, inspection_id)
        if not found.over:
            raise _conflict(found, "is under way; cancel it first")
        library.delete(found)
        return answer({}, inspection_id)


def _add_following(router: APIRouter, library: Library, follower: Follower) -> None:
    @router.get(
        "/inspect/{inspection_id}/wait",
        response_model=models.Waited,
        responses=MISSING,
        dependencies=[READ],
    )
    async def wait_for_inspection(
        inspection_id: str,
        caller: Asking,
        timeout: Annotated[float, Query(ge=0, le=LONGEST, description="Seconds")] = 30.0,  # noqa: ASYNC109 # of the request's
    ) -> Response:
        """Answer when an inspection is over, or after some seconds with how it stands then."""
        found = await run_in_threadpool(library.find, caller, inspection_id)
        if not found.over and timeout:
            follower.check()
            await follower.wait(inspection_id, timeout)
            found = await run_in_threadpool(library.find, caller, inspection_id)
        return answer({"state": found.state, "over": found.over}, inspection_id)

    @router.get(
        "/inspect/{inspection_id}/events",
        response_class=StreamingResponse,
        responses=EVENTS,
        dependencies=[READ],
    )
    async def follow_inspection(inspection_id: str, caller: Asking) -> StreamingResponse:
        """Tell each step of an inspection as it comes, as server-sent events; the last one is `over`."""
        found = await run_in_threadpool(library.find, caller, inspection_id)
        follower.check()
        return StreamingResponse(
            ended(found.id, found.state) if found.over else follower.stream(inspection_id),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )


def _conflict(found: Found, why: str) -> HTTPException:
    return HTTPException(409, f"inspection {found.id} ({found.state}) {why}")


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}

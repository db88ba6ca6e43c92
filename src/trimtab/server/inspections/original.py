"""The original service's API of inspections: `/api/v1/inspect`, with its paths, keys and codes."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from trimtab.catalog.values import integer
from trimtab.inspection import containerfile
from trimtab.server.answer import answer
from trimtab.server.caller import Asking, Scope, needs
from trimtab.server.errors import Problem
from trimtab.server.inspections import models
from trimtab.server.inspections.desk import Desk
from trimtab.server.inspections.library import Library, missing
from trimtab.server.inspections.models import Selection
from trimtab.server.inspections.status import UNKNOWN, status_of

__all__ = ["MISSING", "READ", "SUBMIT", "Asked", "create_router"]

MISSING: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is none such"}}
FOREIGN: dict[int | str, dict[str, Any]] = {
    415: {"model": Problem, "description": "The body is not called application/json"}
}
READ, SUBMIT = needs(Scope.READ), needs(Scope.SUBMIT)
SPECIFICATION = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Specification"}}},
    }
}
Asked = Annotated[Selection, Query()]


async def read_body(request: Request) -> bytes:
    """The body of a request that says it is JSON: no web page can send that to us without our leave."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, "send the specification as application/json")
    return await request.body()


Sent = Annotated[bytes, Depends(read_body)]


def create_router(library: Library, desk: Desk) -> APIRouter:
    """The routes that the original has.

    Args:
        library: What there is.
        desk: Where new ones are accepted.
    """
    router = APIRouter(prefix="/api/v1", tags=["inspections"])
    _add_submission(router, desk)
    _add_lists(router, library)
    _add_documents(router, library)
    _add_runs(router, library)
    return router


def _add_submission(router: APIRouter, desk: Desk) -> None:
    @router.post(
        "/inspect",
        status_code=202,
        response_model=models.Submitted,
        openapi_extra=SPECIFICATION,
        responses=FOREIGN,
        dependencies=[SUBMIT],
    )
    async def post_inspection(
        caller: Asking,
        body: Sent,
        *,
        best_effort: Annotated[
            bool, Query(description="Leave out what the engine cannot do, and say so in the report")
        ] = False,
        idempotency_key: Annotated[
            str | None,
            Header(min_length=1, max_length=200, description="Asked twice with it, it is made once"),
        ] = None,
    ) -> Response:
        """Submit an inspection: it is built once and run as often as it says."""
        specification = await run_in_threadpool(desk.read, body)
        accepted = await desk.accept(
            specification, caller, best_effort=best_effort, idempotency=idempotency_key
        )
        return answer(accepted, status=202)

    @router.post(
        "/_debug/generate-dockerfile",
        response_model=models.Dockerfile,
        openapi_extra=SPECIFICATION,
        responses=FOREIGN,
        dependencies=[READ],
    )
    async def post_generate_dockerfile(body: Sent) -> Response:
        """Tell what would be built; nothing is, and no script is fetched."""
        specification = await run_in_threadpool(desk.read, body)
        asked = {"specification": specification.document()}
        return answer({"dockerfile": containerfile(specification), "parameters": asked})


def _add_lists(router: APIRouter, library: Library) -> None:
    @router.get("/inspect", response_model=models.Ids, dependencies=[READ])
    def get_inspection(caller: Asking, asked: Asked) -> Response:
        """List the ids of inspections, by id."""
        return answer({"inspections": library.ids(caller, asked), "parameters": asked.told()})


def _add_documents(router: APIRouter, library: Library) -> None:
    @router.get(
        "/inspect/{inspection_id}/status",
        response_model=models.Status,
        responses=MISSING,
        dependencies=[READ],
    )
    def get_inspection_status(inspection_id: str, caller: Asking) -> Response:
        """Tell how an inspection stands; of an unknown one that, and no error."""
        found = library.look(caller, inspection_id)
        return answer({"status": UNKNOWN if found is None else status_of(found)}, inspection_id)

    @router.get(
        "/inspect/{inspection_id}/specification",
        response_model=models.Specified,
        responses=MISSING,
        dependencies=[READ],
    )
    def get_inspection_specification(inspection_id: str, caller: Asking) -> Response:
        """Show what was asked for, with the defaults and the server's `@` keys."""
        found = library.find(caller, inspection_id)
        return answer({"specification": library.specification(found)}, inspection_id)

    @router.get(
        "/inspect/{inspection_id}/build/log",
        response_model=models.Log,
        responses=MISSING,
        dependencies=[READ],
    )
    def get_inspection_build_log(inspection_id: str, caller: Asking) -> Response:
        """Show what the builder printed."""
        found = library.find(caller, inspection_id)
        with missing("Build log for the given inspection id was not found"):
            return answer({"log": found.stored.build.retrieve_log()}, inspection_id)


def _add_runs(router: APIRouter, library: Library) -> None:
    @router.get(
        "/inspect/{inspection_id}/job/batch-size",
        response_model=models.BatchSize,
        responses=MISSING,
        dependencies=[READ],
    )
    def get_inspection_job_batch_size(inspection_id: str, caller: Asking) -> Response:
        """Tell how many runs were asked for."""
        found = library.find(caller, inspection_id)
        size = (
            library.specification(found).get("batch_size") if found.row is None else found.row["batch_size"]
        )
        return answer({"batch_size": integer(size) or 1}, inspection_id)

    @router.get(
        "/inspect/{inspection_id}/job/{item}/log",
        response_model=models.Log,
        responses=MISSING,
        dependencies=[READ],
    )
    def get_inspection_job_log(inspection_id: str, item: int, caller: Asking) -> Response:
        """Show what a run printed beside its result: mostly nothing."""
        found = library.find(caller, inspection_id)
        with missing(f"Log for item {item} of inspection {inspection_id!r} was not found"):
            return answer({"log": found.stored.results.retrieve_log(item)}, inspection_id)

    @router.get(
        "/inspect/{inspection_id}/job/{item}/result",
        response_model=models.Result,
        responses=MISSING,
        dependencies=[READ],
    )
    def get_inspection_job_result(inspection_id: str, item: int, caller: Asking) -> Response:
        """Show what came of a run, counted from 0."""
        found = library.find(caller, inspection_id)
        with missing(f"Result for item {item} of inspection {inspection_id!r} was not found"):
            return answer({"result": found.stored.results.retrieve_result(item)}, inspection_id)

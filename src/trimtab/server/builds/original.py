"""The original service's API of builds and images: paths, keys and codes of its `/api/v1`."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from trimtab.builds import BuildSubmission, Kind
from trimtab.catalog import AnalysisState
from trimtab.server.answer import answer
from trimtab.server.builds import models
from trimtab.server.builds.desk import Desk, RefusedError
from trimtab.server.builds.library import Found, Library
from trimtab.server.builds.reading import Sent
from trimtab.server.caller import Asking, Scope, needs
from trimtab.server.errors import Problem, refusal

__all__ = ["MISSING", "OVER", "READ", "Id", "create_router", "result"]

MISSING: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is none such"}}
FOREIGN: dict[int | str, dict[str, Any]] = {
    415: {"model": Problem, "description": "The body is not called application/json"}
}
OVER: dict[int | str, dict[str, Any]] = {
    **MISSING,
    202: {"model": models.Underway, "description": "It is not over"},
}
READ, SUBMIT = needs(Scope.READ), needs(Scope.SUBMIT)
SEND = needs(Scope.SUBMIT, Scope.AGENT)
BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": BuildSubmission.model_json_schema()}},
    }
}
Id = Annotated[str, Path(max_length=200, examples=["package-extract-261127061500-0123456789abcdef"])]
ImageId = Annotated[
    str,
    Path(
        max_length=200,
        examples=["package-extract-261127061500-0123456789abcdef"],
        json_schema_extra={
            "pattern": r"^package-extract-[A-Za-z0-9-]{1,100}$"
        },  # said, and answered in the original's words
    ),
]
UNDER_WAY = {
    AnalysisState.PENDING: "Analysis is being scheduled",
    AnalysisState.RUNNING: "Analysis is still in progress",
}


def create_router(library: Library, desk: Desk) -> APIRouter:
    """The routes that the original has.

    Args:
        library: What there is.
        desk: Where new ones are accepted.
    """
    router = APIRouter(prefix="/api/v1", tags=["builds"])
    _add_builds(router, desk)
    _add_images(router, desk)
    _add_analyses(router, library)
    _add_logs(router, library)
    return router


def _add_builds(router: APIRouter, desk: Desk) -> None:
    @router.post(
        "/build-analysis",
        status_code=202,
        response_model=models.BuildAccepted,
        openapi_extra=BODY,
        responses=FOREIGN,
        dependencies=[SEND],
    )
    async def post_build(
        caller: Asking,
        sent: Sent,
        asked: Annotated[models.BuildAsked, Query()],
        idempotency_key: Annotated[
            str | None,
            Header(min_length=1, max_length=200, description="Submitted twice with it, it is submitted once"),
        ] = None,
    ) -> Response:
        """Submit a build: any of base image, output image and log. Each part is analysed on its own."""
        try:
            return answer(await desk.build(caller, sent, asked, idempotency_key), status=202)
        except RefusedError as error:
            return _refused(error)


def _add_images(router: APIRouter, desk: Desk) -> None:
    @router.post("/analyze", status_code=202, response_model=models.Analysed, dependencies=[SUBMIT])
    async def post_analyze(caller: Asking, asked: Annotated[models.AnalysisAsked, Query()]) -> Response:
        """Submit an image of a registry."""
        try:
            return answer(await desk.image(caller, asked), status=202)
        except RefusedError as error:
            return _refused(error)

    @router.post("/image/metadata", response_model=models.Metadata, dependencies=[SUBMIT])
    async def post_image_metadata(asked: Annotated[models.ImageAsked, Query()]) -> Response:
        """Tell what the registry of an image says of it; no layer is read."""
        try:
            return answer(await desk.metadata(asked))
        except RefusedError as error:
            return _refused(error)


def _add_analyses(router: APIRouter, library: Library) -> None:
    @router.get("/analyze/{analysis_id}", response_model=models.Findings, responses=OVER, dependencies=[READ])
    def get_analyze(analysis_id: ImageId, caller: Asking) -> Response:
        """Show what is in an image; 202 while it is analysed, 400 if that was not successful."""
        return result(library, library.find(caller, _of(Kind.IMAGE, analysis_id)))

    @router.get(
        "/analyze/by-hash/{image_hash}", response_model=models.Findings, responses=OVER, dependencies=[READ]
    )
    def get_analyze_by_hash(
        image_hash: Annotated[str, Path(max_length=200, examples=["sha256:" + 64 * "0"])], caller: Asking
    ) -> Response:
        """Show what is in the image of a digest, by its newest analysis."""
        return result(library, library.by_digest(caller, image_hash))

    @router.get(
        "/analyze/{analysis_id}/log",
        response_model=models.AnalysisLog,
        responses=MISSING,
        dependencies=[READ],
    )
    def get_analyze_log(analysis_id: Id, caller: Asking) -> Response:
        """Show what happened to an analysis, of whatever kind."""
        found = library.find(caller, analysis_id)
        return answer({"log": library.log(found), "parameters": {"analysis_id": found.id}})

    @router.get(
        "/analyze/{analysis_id}/status",
        response_model=models.AnalysisStatus,
        responses=MISSING,
        dependencies=[READ],
    )
    def get_analyze_status(analysis_id: Id, caller: Asking) -> Response:
        """Tell how an analysis stands, of whatever kind."""
        found = library.find(caller, analysis_id)
        return answer({"status": found.standing.told(), "parameters": {"analysis_id": found.id}})


def _add_logs(router: APIRouter, library: Library) -> None:
    @router.get(
        "/buildlog/{document_id}",
        response_model=dict[str, Any],
        responses=MISSING,
        dependencies=[READ],
    )
    async def get_buildlog(document_id: Annotated[str, Path(max_length=200)], caller: Asking) -> Response:
        """Hand out the log of a build, as it was sent."""
        return answer(await run_in_threadpool(library.sent_log, caller, document_id))


def result(library: Library, found: Found) -> Response:
    """The document of an analysis; or why there is none."""
    parameters = {"analysis_id": found.id}
    standing = {"status": found.standing.told()}
    state = found.standing.state
    if state in UNDER_WAY:
        return answer({"error": UNDER_WAY[state], **standing, "parameters": parameters}, status=202)
    if state is not AnalysisState.SUCCEEDED:
        return answer(
            {"error": "Analysis was not successful", **standing, "parameters": parameters}, status=400
        )
    return answer(library.document(found))


def _of(kind: Kind, analysis_id: str) -> str:
    if not analysis_id.startswith(f"{kind}-"):
        raise HTTPException(400, f"Wrong analysis id provided: those of this kind begin with {kind}-")
    return analysis_id


def _refused(error: RefusedError) -> JSONResponse:
    return refusal(error.status, str(error), error.parameters)

"""What is new about builds, beside the original's routes and in their style: builds as a whole, and what logs say."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException

from trimtab.builds import Kind, kind_of
from trimtab.server.answer import answer
from trimtab.server.builds import models
from trimtab.server.builds.library import Found, Library
from trimtab.server.builds.original import MISSING, OVER, READ, Id, result
from trimtab.server.caller import Asking, Caller

__all__ = ["create_router"]

PARTS = ("base_image_analysis", "output_image_analysis", "buildlog_analysis")
STANDING: dict[int | str, dict[str, Any]] = {
    **MISSING,
    202: {"model": models.BuildStanding, "description": "It is not over"},
}


def create_router(library: Library) -> APIRouter:
    """The routes that the original lacks.

    Args:
        library: What there is.
    """
    router = APIRouter(prefix="/api/v1", tags=["builds"])
    _add_builds(router, library)
    _add_logs(router, library)
    return router


def _add_builds(router: APIRouter, library: Library) -> None:
    @router.get(
        "/build-analysis/{analysis_id}",
        response_model=models.BuildStanding,
        responses=STANDING,
        dependencies=[READ],
    )
    def get_build(analysis_id: Id, caller: Asking) -> Response:
        """Show how the analyses of a build stand; 202 while they are under way."""
        found = _find(library, caller, analysis_id, Kind.BUILD)
        return answer(_build(library, found), status=200 if found.standing.over else 202)

    _add_about(router, library, "/build-analysis", "build", Kind.BUILD)


def _add_logs(router: APIRouter, library: Library) -> None:
    @router.get(
        "/buildlog-analysis/{analysis_id}",
        response_model=models.Findings,
        responses=OVER,
        dependencies=[READ],
    )
    def get_buildlog_analysis(analysis_id: Id, caller: Asking) -> Response:
        """Show what a log says; 202 while it is read, 400 if that was not successful."""
        return result(library, _find(library, caller, analysis_id, Kind.LOG))

    _add_about(router, library, "/buildlog-analysis", "buildlog_analysis", Kind.LOG)


def _add_about(router: APIRouter, library: Library, path: str, name: str, kind: Kind) -> None:
    """The routes that tell how something stands, and what happened to it."""

    @router.get(
        f"{path}/{{analysis_id}}/status",
        name=f"get_{name}_status",
        response_model=models.AnalysisStatus,
        responses=MISSING,
        dependencies=[READ],
    )
    def get_status(analysis_id: Id, caller: Asking) -> Response:
        """Tell how it stands."""
        found = _find(library, caller, analysis_id, kind)
        return answer({"status": found.standing.told(), "parameters": {"analysis_id": found.id}})

    @router.get(
        f"{path}/{{analysis_id}}/log",
        name=f"get_{name}_log",
        response_model=models.AnalysisLog,
        responses=MISSING,
        dependencies=[READ],
    )
    def get_log(analysis_id: Id, caller: Asking) -> Response:
        """Show what happened to it."""
        found = _find(library, caller, analysis_id, kind)
        return answer({"log": library.log(found), "parameters": {"analysis_id": found.id}})


def _find(library: Library, caller: Caller, analysis_id: str, kind: Kind) -> Found:
    if kind_of(analysis_id) is not kind:
        raise HTTPException(404, f"There is no {kind} {analysis_id[:200]!r}")
    return library.find(caller, analysis_id)


def _build(library: Library, found: Found) -> Mapping[str, Any]:
    assert found.row is not None
    assert found.parts is not None
    row, parts, document = found.row, found.parts, found.row["document"]
    told = {
        name: part and library.standing_of(part, parts)
        for name, part in row["answer"].items()
        if name in PARTS
    }
    return {
        "analysis_id": found.id,
        **found.standing.told(),
        **told,
        "created_at": row["created_at"],
        "buildlog_document_id": row["answer"]["buildlog_document_id"],
        "missing": document["missing"],
        "build": document["build"],
        "parameters": {"analysis_id": found.id},
    }

"""What is new about builds, beside the original's routes and in their style: builds as a whole, and what logs say."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from starlette.exceptions import HTTPException

from trimtab.builds import Kind, kind_of
from trimtab.server.answer import answer
from trimtab.server.builds import models
from trimtab.server.builds.library import Found, Library
from trimtab.server.builds.original import MISSING, OVER, READ, Id, result
from trimtab.server.caller import Asking, Caller

__all__ = ["create_router", "found_of", "listed", "told"]

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
        found = found_of(library, caller, analysis_id, Kind.BUILD)
        return answer(told(library, found), status=200 if found.standing.over else 202)

    @router.get("/build-analysis", response_model=models.Builds, dependencies=[READ])
    def list_builds(
        caller: Asking,
        before: Annotated[
            str | None,
            Query(
                pattern=r"^build-analysis-[A-Za-z0-9-]{1,100}$",
                description="Where the list goes on: `next` of the answer before",
            ),
        ] = None,
        limit: Annotated[int, Query(ge=1, le=100, description="At most this many")] = 25,
    ) -> Response:
        """List builds, the newest first."""
        found = library.builds(caller, before, limit + 1)
        shown = [listed(each) for each in found[:limit]]
        after = shown[-1]["analysis_id"] if len(found) > limit else None
        asked = {"before": before, "limit": limit}
        return answer({"builds": shown, "next": after, "parameters": asked})

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
        return result(library, found_of(library, caller, analysis_id, Kind.LOG))

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
        found = found_of(library, caller, analysis_id, kind)
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
        found = found_of(library, caller, analysis_id, kind)
        return answer({"log": library.log(found), "parameters": {"analysis_id": found.id}})


def found_of(library: Library, caller: Caller, analysis_id: str, kind: Kind) -> Found:
    """What there is of this kind.

    Raises:
        HTTPException: There is none such that this caller may see.
    """
    if kind_of(analysis_id) is not kind:
        raise HTTPException(404, f"There is no {kind} {analysis_id[:200]!r}")
    return library.find(caller, analysis_id)


def told(library: Library, found: Found) -> Mapping[str, Any]:
    """A build with all of its analyses, as it is answered."""
    assert found.row is not None
    assert found.parts is not None
    row, parts, document = found.row, found.parts, found.row["document"]
    analyses = {
        name: part and library.standing_of(part, parts)
        for name, part in row["answer"].items()
        if name in PARTS
    }
    return {
        "analysis_id": found.id,
        **found.standing.told(),
        **analyses,
        "created_at": row["created_at"],
        "buildlog_document_id": row["answer"]["buildlog_document_id"],
        "missing": document["missing"],
        "build": document["build"],
        "parameters": {"analysis_id": found.id},
    }


def listed(found: Found) -> dict[str, Any]:
    """A build as a list has it."""
    assert found.row is not None
    row, document = found.row, found.row["document"]
    return {
        "analysis_id": found.id,
        "state": found.standing.state.value,
        "reason": found.standing.reason,
        "created_at": row["created_at"],
        "base_image": document["base_image"] and document["base_image"]["reference"],
        "output_image": document["output_image"] and document["output_image"]["reference"],
        "buildlog_document_id": document["build_log"] and document["build_log"]["document_id"],
        "build": document["build"],
    }

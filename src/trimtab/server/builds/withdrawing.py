"""Cancel and delete builds and analyses: by the same paths, whatever an id is of."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException

from trimtab.builds import Kind
from trimtab.server.answer import answer
from trimtab.server.builds import models
from trimtab.server.builds.beside import found_of
from trimtab.server.builds.library import Library
from trimtab.server.builds.original import MISSING, SUBMIT, Id
from trimtab.server.caller import Asking
from trimtab.server.errors import Problem
from trimtab.workflows import Withdrawing, WithdrawingError

__all__ = ["create_router"]

PATHS = {
    "build": ("/build-analysis", Kind.BUILD),
    "image_analysis": ("/analyze", Kind.IMAGE),
    "buildlog_analysis": ("/buildlog-analysis", Kind.LOG),
}
CONFLICT: dict[int | str, dict[str, Any]] = {
    **MISSING,
    409: {"model": Problem, "description": "It is in no state for that"},
}


def create_router(library: Library, withdrawing: Withdrawing) -> APIRouter:
    """The routes.

    Args:
        library: What there is.
        withdrawing: Who cancels and deletes.
    """
    router = APIRouter(prefix="/api/v1", tags=["builds"])
    for name, (path, kind) in PATHS.items():
        _add(router, library, withdrawing, path, name, kind)
    return router


def _add(
    router: APIRouter, library: Library, withdrawing: Withdrawing, path: str, name: str, kind: Kind
) -> None:
    @router.post(
        f"{path}/{{analysis_id}}/cancel",
        name=f"cancel_{name}",
        response_model=models.AnalysisStatus,
        responses=CONFLICT,
        dependencies=[SUBMIT],
    )
    def cancel(analysis_id: Id, caller: Asking) -> Response:
        """End it early. Of a build, what other builds have, too, goes on; 409 if it is over."""
        found_of(library, caller, analysis_id, kind)
        with _conflict(analysis_id):
            withdrawing.cancel(analysis_id)
        found = found_of(library, caller, analysis_id, kind)
        return answer({"status": found.standing.told(), "parameters": {"analysis_id": analysis_id}})

    @router.delete(
        f"{path}/{{analysis_id}}",
        name=f"delete_{name}",
        response_model=models.Deleted,
        responses=CONFLICT,
        dependencies=[SUBMIT],
    )
    def delete(analysis_id: Id, caller: Asking) -> Response:
        """Delete it with all that was found. Of a build, what other builds have, too, stays; 409 while it is under way."""
        found_of(library, caller, analysis_id, kind)
        with _conflict(analysis_id):
            withdrawing.delete(analysis_id)
        return answer({"parameters": {"analysis_id": analysis_id}})


@contextmanager
def _conflict(analysis_id: str) -> Iterator[None]:
    try:
        yield
    except WithdrawingError as error:
        raise HTTPException(409, str(error)) from None
    except LookupError:  # somebody was faster; or it is the original's, which the store alone has
        raise HTTPException(404, f"There is no {analysis_id[:200]!r} to be changed") from None

"""The API of sessions: `/api/v1/sessions`."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel

from trimtab.optimizer.session_document import Document, Session
from trimtab.optimizer.session_spec import SessionSpec
from trimtab.optimizer.sessions import Sessions
from trimtab.server.errors import Problem

__all__ = ["create_router"]

Id = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9\-]{1,64}$", examples=["session-261121083000-0123456789abcdef"])
]
MISSING: dict[int | str, dict[str, Any]] = {404: {"model": Problem}}


class Parameters(BaseModel):
    """Which session was asked for."""

    session_id: str


class Created(BaseModel):
    """A new session, and what it was created from."""

    session_id: str
    session: Session
    parameters: SessionSpec


class One(BaseModel):
    """A session as it stands."""

    session: Session
    parameters: Parameters


class Selection(BaseModel):
    """Which sessions were asked for."""

    application: str | None
    active: bool | None
    page: int
    limit: int


class Many(BaseModel):
    """Sessions, the newest first."""

    sessions: list[Session]
    parameters: Selection


class Exported(BaseModel):
    """All of a session."""

    document: Document
    parameters: Parameters


class Deleted(BaseModel):
    """What is no more."""

    parameters: Parameters


def create_router(sessions: Sessions) -> APIRouter:
    """The routes over a service."""
    router = APIRouter(prefix="/api/v1/sessions", tags=["sessions"])

    @router.post("", status_code=201, responses={409: {"model": Problem}})
    def create_session(spec: SessionSpec, response: Response) -> Created:
        """Create a session. The agent of the application is given its first command when it asks next."""
        session = sessions.create(spec)
        response.headers["Location"] = f"/api/v1/sessions/{session.id}"
        return Created(session_id=session.id, session=session, parameters=spec)

    @router.get("")
    def list_sessions(
        application: Annotated[str | None, Query(max_length=128)] = None,
        active: Annotated[bool | None, Query(description="Whether it is not over")] = None,
        page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
        limit: Annotated[int, Query(ge=1, le=100)] = 100,
    ) -> Many:
        """List sessions, the newest first."""
        found = sessions.list(application=application, active=active, limit=limit, offset=(page - 1) * limit)
        asked = Selection(application=application, active=active, page=page, limit=limit)
        return Many(sessions=list(found), parameters=asked)

    @router.get("/{session_id}", responses=MISSING)
    def get_session(session_id: Id) -> One:
        """Show a session as it stands."""
        return One(session=sessions.get(session_id), parameters=Parameters(session_id=session_id))

    @router.post("/{session_id}/cancel", status_code=202, responses=MISSING)
    def cancel_session(session_id: Id) -> One:
        """End a session early; the agent puts the baseline back. One that is ending or over stays as it is."""
        return One(session=sessions.cancel(session_id), parameters=Parameters(session_id=session_id))

    @router.get("/{session_id}/export", responses=MISSING)
    def export_session(session_id: Id) -> Exported:
        """Hand out all of a session as one document."""
        document = Document.model_validate(sessions.export(session_id))
        return Exported(document=document, parameters=Parameters(session_id=session_id))

    @router.delete("/{session_id}", responses=MISSING)
    def delete_session(session_id: Id) -> Deleted:
        """Delete a session and all that belongs to it."""
        sessions.delete(session_id)
        return Deleted(parameters=Parameters(session_id=session_id))

    return router

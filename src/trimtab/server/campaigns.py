"""The API of campaigns: ours, beside the original's routes and in their style."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from trimtab.catalog import CampaignState
from trimtab.server.answer import answer
from trimtab.server.caller import Asking, Scope, needs
from trimtab.server.errors import Problem
from trimtab.stacks import StacksError
from trimtab.workflows import Inspecting, Place
from trimtab.workflows.campaigns import (
    Campaign,
    CampaignError,
    Campaigning,
    UnknownCampaignError,
    delete,
    listing,
    standing,
)

__all__ = ["create_router"]

READ, SUBMIT = needs(Scope.READ), needs(Scope.SUBMIT)
MISSING: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such campaign"}
}
CONFLICT: dict[int | str, dict[str, Any]] = {
    **MISSING,
    409: {"model": Problem, "description": "It is in no state for that"},
}
LIMIT = 100
Id = Annotated[str, Path(max_length=200)]


class Asked(BaseModel):
    """What is asked for."""

    model_config = ConfigDict(extra="forbid")

    question: Annotated[
        dict[str, Any],
        Field(
            description="Which stacks are tried, in which order: `requirements`, `plan`, `seed`, `sieves`, …"
        ),
    ]
    context: Annotated[dict[str, Any], Field(description="An inspection's specification without `python`")]
    budget: Annotated[
        dict[str, Any], Field(description="`stacks`, `runs`, `seconds`, `parallel`, `attempts`")
    ] = {}
    best_effort: Annotated[bool, Field(description="Leave out what the engine cannot do")] = False


class Named(BaseModel):
    """Which campaign was asked for."""

    campaign_id: str


class Accepted(BaseModel):
    """A new campaign, and what it was accepted with."""

    campaign_id: str
    parameters: dict[str, Any]


class Row(BaseModel):
    """A campaign of a list; times are seconds since 1970."""

    id: str
    owner: str
    state: CampaignState
    plan: str
    origin: str
    engine: str
    reason: str | None
    created_at: float
    started_at: float | None
    ended_at: float | None
    budget: dict[str, Any]
    counts: Annotated[dict[str, int], Field(description="How many candidates have which verdict")]


class Rows(BaseModel):
    """Campaigns, the newest first."""

    campaigns: list[Row]
    parameters: dict[str, Any]


class Standing(BaseModel):
    """The report of a campaign; of one that is not over, what there is of it."""

    report: dict[str, Any]
    parameters: Named


class Cancelled(BaseModel):
    """It will be over soon."""

    parameters: Named


def create_router(place: Place, campaigning: Campaigning, inspecting: Inspecting) -> APIRouter:
    """The routes.

    Args:
        place: Where campaigns are kept.
        campaigning: Who works on them.
        inspecting: Who makes their inspections.
    """
    router = APIRouter(prefix="/api/v1", tags=["campaigns"])
    _add_asking(router, campaigning, inspecting)
    _add_reading(router, place)
    _add_changes(router, place, campaigning)
    return router


def _add_asking(router: APIRouter, campaigning: Campaigning, inspecting: Inspecting) -> None:
    @router.post(
        "/campaigns",
        status_code=202,
        response_model=Accepted,
        dependencies=[SUBMIT],
    )
    async def post_campaign(asked: Asked, caller: Asking) -> Response:
        """Begin a campaign: many stacks are inspected under one question."""
        if asked.question.get("indexes"):
            raise HTTPException(
                400, "question.indexes: a server asks its own package index only; leave it out"
            )
        campaign = await run_in_threadpool(_campaign, asked, inspecting.engine, caller.name)
        await campaigning.submit(campaign)
        parameters = {**campaign.document()}
        return answer({"campaign_id": campaign.id, "parameters": parameters}, status=202)


def _add_reading(router: APIRouter, place: Place) -> None:
    @router.get("/campaigns", response_model=Rows, dependencies=[READ])
    def list_campaigns(
        caller: Asking,
        page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
        limit: Annotated[int, Query(ge=1, le=LIMIT)] = LIMIT,
    ) -> Response:
        """List campaigns, the newest first."""
        found = listing(place, owner=caller.owner, offset=(page - 1) * limit, limit=limit)
        return answer({"campaigns": found, "parameters": {"page": page, "limit": limit}})

    @router.get("/campaigns/{campaign_id}", response_model=Standing, responses=MISSING, dependencies=[READ])
    def get_campaign(campaign_id: Id, caller: Asking) -> Response:
        """Show the report of a campaign; of one that is not over, what there is of it."""
        with _known():
            return _about(campaign_id, {"report": standing(place, campaign_id, caller.owner)})


def _add_changes(router: APIRouter, place: Place, campaigning: Campaigning) -> None:
    @router.post(
        "/campaigns/{campaign_id}/cancel",
        status_code=202,
        response_model=Cancelled,
        responses=CONFLICT,
        dependencies=[SUBMIT],
    )
    async def cancel_campaign(campaign_id: Id, caller: Asking) -> Response:
        """End a campaign; what is done of it stays."""
        with _known():
            wished = await campaigning.cancel(campaign_id, caller.owner)
        if not wished:
            raise HTTPException(409, f"Campaign {campaign_id!r} is over")
        return _about(campaign_id, {}, status=202)

    @router.delete(
        "/campaigns/{campaign_id}", response_model=Cancelled, responses=CONFLICT, dependencies=[SUBMIT]
    )
    def delete_campaign(campaign_id: Id, caller: Asking) -> Response:
        """Delete a campaign that is over; its inspections stay."""
        with _known():
            found = standing(place, campaign_id, caller.owner)
        if found["ended"] is None:
            raise HTTPException(409, f"Campaign {campaign_id!r} is not over; cancel it first")
        with _known():
            delete(place, campaign_id, caller.owner)
        return _about(campaign_id, {})


def _campaign(asked: Asked, engine: str, owner: str) -> Campaign:
    try:
        return Campaign.of(
            asked.question,
            asked.context,
            asked.budget,
            engine=engine,
            best_effort=asked.best_effort,
            owner=owner,
        )
    except (CampaignError, StacksError) as error:
        raise HTTPException(400, str(error)) from None


@contextmanager
def _known() -> Iterator[None]:
    try:
        yield
    except UnknownCampaignError as error:
        raise HTTPException(404, str(error)) from None


def _about(campaign_id: str, found: Mapping[str, Any], status: int = 200) -> Response:
    return answer({**found, "parameters": {"campaign_id": campaign_id}}, status=status)

"""Campaigns that this process works on: new ones, and those that were left."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import typer

from trimtab.catalog import CampaignState, CatalogError, campaigns
from trimtab.cli.campaigns_asking import Parts
from trimtab.cli.campaigns_output import exit_code, print_campaign
from trimtab.cli.campaigns_progress import CampaignProgress
from trimtab.cli.options import read_settings
from trimtab.cli.place import FAILURE, USAGE, fail
from trimtab.cli.session_options import Output
from trimtab.cli.stopping import stoppable
from trimtab.engines import EngineUnavailableError, choose
from trimtab.settings import Settings
from trimtab.stacks import StacksError
from trimtab.store import CampaignsStore, NotFoundError, StoreError
from trimtab.workflows import BusyError, Journal, Place
from trimtab.workflows.campaigns import Campaign, CampaignCourse, CampaignError, Here, accept

__all__ = ["cancel_here", "resume_here", "run_here"]

KEPT = 86400.0  # seconds that an engine keeps what a killed process left
PROBLEMS = (StoreError, CatalogError, EngineUnavailableError, BusyError, OSError)


def run_here(parts: Parts, engine: str, output: Output, home: Path | None, *, best_effort: bool) -> int:
    """Begin a campaign, and go on to its end.

    Returns:
        The exit code.
    """

    async def go(place: Place) -> int:
        chosen, _ = await choose(engine, place.engines)
        try:
            campaign = Campaign.of(
                parts.question, parts.context, parts.budget, engine=chosen.name, best_effort=best_effort
            )
        except (CampaignError, StacksError) as error:
            fail("\nError: ".join(str(error).splitlines()), USAGE)
        await asyncio.to_thread(accept, place, campaign)
        return await _go_on(place, campaign, output)

    return _run(home, go)


def resume_here(ids: Sequence[str], output: Output, home: Path | None) -> int:
    """Go on with campaigns.

    Args:
        ids: Which; none: all that were left.
        output: How reports are printed.
        home: Directory of the embedded state.

    Returns:
        The exit code of the one that went worst.
    """

    async def go(place: Place) -> int:
        left = ids or await asyncio.to_thread(_left, place)
        if not left:
            typer.echo("Nothing is left to be continued.", err=True)
        codes = []
        for each in left:
            campaign = await asyncio.to_thread(_read, place, each)
            codes.append(await _go_on(place, campaign, output))
        return max(codes, default=0)

    return _run(home, go)


def cancel_here(campaign_id: str, output: Output, home: Path | None) -> int:
    """End a campaign; another process that works on it does so within a second or two.

    Returns:
        The exit code.
    """

    async def go(place: Place) -> int:
        campaign = await asyncio.to_thread(_read, place, campaign_id)
        if not await asyncio.to_thread(_wish, place, campaign_id):
            fail(f"{campaign_id} is over", FAILURE)
        try:
            await _go_on(place, campaign, output)
        except BusyError:
            typer.echo(f"{campaign_id} is being ended by the process that works on it.", err=True)
        return 0

    return _run(home, go)


async def _go_on(place: Place, campaign: Campaign, output: Output) -> int:
    engine, capabilities = await choose(campaign.engine, place.engines)
    lock = Journal(place.home / "campaigns" / campaign.id)
    with lock.held():
        await engine.expire(KEPT)
        inspector = Here(place, engine, capabilities, campaign.budget.parallel)
        with CampaignProgress(campaign) as progress:
            progress.warn(capabilities.warnings)
            try:
                report = await CampaignCourse(place, campaign, inspector, progress).go()
            except (*PROBLEMS, StacksError) as error:
                _kept(campaign, str(error))
                return FAILURE
            except asyncio.CancelledError:
                _kept(campaign, None)
                raise
        lock.remove()
    print_campaign(report, output)
    return exit_code(report)


def _kept(campaign: Campaign, problem: str | None) -> None:
    if problem:
        typer.echo(f"Error: {problem}", err=True)
    again = f"`trimtab campaigns resume {campaign.id}` goes on"
    typer.echo(f"{campaign.id} is kept as far as it came: {again}", err=True)


def _run(home: Path | None, go: Callable[[Place], Awaitable[int]]) -> int:
    try:
        with Place.open(read_settings(Settings, {"home": home})) as place:
            return asyncio.run(stoppable(go(place)))
    except PROBLEMS as error:
        typer.echo(f"Error: {error}", err=True)
        return FAILURE


def _read(place: Place, campaign_id: str) -> Campaign:
    try:
        found: dict[str, Any] = CampaignsStore(place.inspections.store, place.deployment).get(campaign_id)
    except (NotFoundError, StoreError):
        fail(
            f"there is no campaign {campaign_id[:80]}; `trimtab campaigns list` shows those there are",
            FAILURE,
        )
    return Campaign.load(found)


def _left(place: Place) -> list[str]:
    """Those that are not over and nobody works on here, the oldest first."""
    with place.database.read() as connection:
        rows = campaigns.listed(connection, place.deployment)
    open_states = {CampaignState.QUEUED, CampaignState.RUNNING}
    found = [each["id"] for each in rows if each["state"] in open_states]
    return [each for each in reversed(found) if Journal(place.home / "campaigns" / each).is_free()]


def _wish(place: Place, campaign_id: str) -> bool:
    with place.database.write() as connection:
        return campaigns.wish(connection, campaign_id)

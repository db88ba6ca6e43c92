"""The report of a campaign: a page, its data, and the lock to ship."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from trimtab.catalog import CatalogError
from trimtab.cli.options import read_settings
from trimtab.cli.place import FAILURE, USAGE, fail
from trimtab.settings import Settings
from trimtab.store import StoreError
from trimtab.workflows import Place
from trimtab.workflows.campaigns import UnknownCampaignError, read, standing
from trimtab.workflows.campaigns.report import evidence_of_campaign

if TYPE_CHECKING:
    from trimtab.stacks import Stack
    from trimtab.stacks.answers import Answers, Objective
    from trimtab.stacks.locking import LockFile
    from trimtab.stacks.report import Heading
    from trimtab.workflows.campaigns.campaign import Campaign

__all__ = ["write_report"]

_MOST = 20


def write_report(
    campaign_id: str, objective: str | None, folder: Path | None, like: Path | None, home: Path | None
) -> None:
    """`trimtab campaigns report`."""
    from trimtab.stacks import StacksError
    from trimtab.stacks.answers import answer
    from trimtab.stacks.report import write

    settings = read_settings(Settings, {"home": home})
    try:
        with Place.open(settings) as place:
            campaign = read(place, campaign_id)
            evidence = evidence_of_campaign(place, campaign_id)
            heading = _heading(campaign, standing(place, campaign_id))
            cache = place.engines / "uv"
    except (StoreError, CatalogError, UnknownCampaignError) as error:
        fail(str(error), FAILURE)
    folder = folder or settings.home / "reports" / campaign_id
    try:
        answers = answer(evidence, _objective(objective, campaign))
        lock = _lock(campaign, answers, like, cache)
        written = write(answers, heading, folder, lock)
    except StacksError as error:
        fail(str(error), USAGE)
    except OSError as error:
        fail(
            f"the report cannot be written to {folder}: {error.strerror or error}; name another by --directory"
        )
    typer.echo(str(written.html))
    if written.lock:
        typer.echo(str(written.lock))


def shipped(answers: "Answers") -> "Stack | None":
    """The stack to ship: the first where one is known to be best, else the newest candidate that passed."""
    from trimtab.stacks import Verdict

    for found in answers.best:
        if found.verdict not in {"not enough runs", "no difference shown"} and found.ranking:
            return found.ranking[0].evidence.stack
    passed = [each.stack for each in answers.evidence if each.verdict is Verdict.PASS]
    return passed[0] if passed else None


def _objective(text: str | None, campaign: "Campaign") -> "Objective":
    from trimtab.stacks.answers import Objective

    question = campaign.question
    return Objective.parse(text or question.objective or f"minimize {question.metric}")


def _lock(campaign: "Campaign", answers: "Answers", like: Path | None, cache: Path) -> "LockFile | None":
    from trimtab.stacks import open_search
    from trimtab.stacks.locking import LockFile, lock_like

    stack = shipped(answers)
    if stack is None:
        return None
    if like is None:
        return LockFile("requirements.txt", stack.lock)
    path = like

    async def locked() -> LockFile:
        async with open_search(campaign.question, cache) as search:
            return await lock_like(search.oracle, stack, path)

    return asyncio.run(locked())


def _heading(campaign: "Campaign", state: dict[str, object]) -> "Heading":
    from trimtab.stacks.report import Heading

    question = campaign.question
    wanted = ", ".join(question.requirements[:_MOST])
    more = len(question.requirements) - _MOST
    facts = {
        "Requirements": wanted + (f" and {more} more" if more > 0 else ""),
        "Plan": f"{question.plan}, seed {question.seed}",
        "Engine": campaign.engine,
    }
    ended = f"{state['state']}: {state['reason']}" if state.get("reason") else str(state["state"])
    return Heading(
        campaign.id, f"Which versions of {question.origin} break, and which are best?", facts, ended
    )

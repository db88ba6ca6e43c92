"""Rows of campaigns once more, from the documents of the store."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from statistics import median
from typing import Any

from trimtab.catalog import campaigns
from trimtab.catalog.database import Database
from trimtab.catalog.rebuild import Rebuilt
from trimtab.catalog.values import at
from trimtab.store import CampaignsStore, DocumentError, Inspections, NotFoundError, TooLargeError

__all__ = ["rebuild_campaigns"]


def rebuild_campaigns(database: Database, inspections: Inspections) -> Iterator[Rebuilt]:
    """Write the rows of all campaigns that are over, and delete those whose documents are gone.

    Of their proposals those are written that were candidates: the report has no others. A campaign that is not over keeps its
    rows, which are its memory.

    Args:
        database: The catalog.
        inspections: Those of the store; the locks of candidates are in their specifications.

    Yields:
        What was done, campaign by campaign.

    Raises:
        trimtab.store.UnavailableError: The store cannot be read.
        trimtab.catalog.UnavailableError: The database cannot be used.
    """
    deployment = inspections.deployment or ""
    stored = CampaignsStore(inspections.store, deployment)
    there = set(stored.ids())
    for campaign_id in sorted(there):
        if (done := _rebuild(database, stored, inspections, campaign_id)) is not None:
            yield done
    for campaign_id in _gone(database, deployment, there):
        with database.write() as connection:
            campaigns.delete(connection, campaign_id)
        yield Rebuilt(campaign_id, "removed")


def _rebuild(
    database: Database, stored: CampaignsStore, inspections: Inspections, campaign_id: str
) -> Rebuilt | None:
    try:
        asked, report = stored.get(campaign_id), stored.report(campaign_id)
        row, proposals = _row(asked, report, inspections.deployment or ""), _proposals(report, inspections)
    except NotFoundError:
        return None
    except (DocumentError, TooLargeError, KeyError, TypeError, ValueError) as error:
        return Rebuilt(campaign_id, "refused", str(error) or type(error).__name__)
    state = campaigns.CampaignState(report["state"])
    with database.write() as connection:
        campaigns.delete(connection, campaign_id)
        campaigns.accept(connection, row)
        for each in proposals:
            campaigns.note(connection, campaign_id, each)
        ends = {name: _seconds(report[name.removesuffix("_at")]) for name in ("started_at", "ended_at")}
        campaigns.advance(connection, campaign_id, state, reason=report["reason"], **ends)
    return Rebuilt(campaign_id, "written")


def _row(asked: Mapping[str, Any], report: Mapping[str, Any], deployment: str) -> dict[str, Any]:
    names = ("owner", "plan", "origin", "engine", "budget")
    found = {name: report[name] for name in names}
    return {**found, "id": asked["id"], "deployment": deployment, "created_at": asked["created"]}


def _proposals(report: Mapping[str, Any], inspections: Inspections) -> list[dict[str, Any]]:
    """The candidates, numbered as if nothing else had been proposed."""
    return [
        {
            "number": each["number"],
            "reason": each["reason"],
            "stack": each["stack"],
            "lock": _lock(each, inspections),
            "refusal": None,
            "exclusions": [],
            "candidate": each["number"],
            "inspection": each["inspection"],
            "attempts": each["attempts"],
            "verdict": each["verdict"],
            "failure": at(each, "failure", "message"),
            "seconds": median(seconds) if (seconds := each["figures"].get("duration")) else None,
        }
        for each in report["candidates"]
    ]


def _lock(candidate: Mapping[str, Any], inspections: Inspections) -> str:
    """What its inspection installed; without hashes, if that is deleted."""
    if candidate["inspection"] is not None:
        with suppress(NotFoundError):
            specification = inspections[candidate["inspection"]].retrieve_specification()
            return str(specification["python"]["lock"]["requirements.txt"])
    return "".join(f"{name}=={version}\n" for name, version in candidate["packages"].items())


def _seconds(moment: str | None) -> float | None:
    return None if moment is None else datetime.fromisoformat(moment).timestamp()


def _gone(database: Database, deployment: str, there: set[str]) -> list[str]:
    """The campaigns that are over for the catalog, and not there for the store."""
    found: list[str] = []
    with database.read() as connection:
        while page := campaigns.listed(connection, deployment, offset=len(found), limit=1000):
            found += [each["id"] if each["state"] in campaigns.OVER else "" for each in page]
    return [each for each in found if each and each not in there]

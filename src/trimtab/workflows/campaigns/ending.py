"""How a campaign ends: once, with its report, and then its row."""

import asyncio
from contextlib import suppress
from typing import Any

from trimtab.catalog import CampaignState, campaigns
from trimtab.stacks import Candidates, Plan, Stack
from trimtab.store import CampaignsStore, NotFoundError
from trimtab.workflows.campaigns.campaign import Campaign
from trimtab.workflows.campaigns.conclusion import conclusion
from trimtab.workflows.campaigns.inspector import Inspector
from trimtab.workflows.campaigns.report import report_of, seconds_of
from trimtab.workflows.place import Place

__all__ = ["Ending"]


class Ending:
    """Ends a campaign.

    Args:
        place: Where it is kept.
        campaign: Which.
        inspector: Makes its inspections.
    """

    def __init__(self, place: Place, campaign: Campaign, inspector: Inspector) -> None:
        self._place, self._campaign, self._inspector = place, campaign, inspector
        self._stored = CampaignsStore(place.inspections.store, place.deployment)

    def concluded(self) -> dict[str, Any] | None:
        """The report, if it is written; its row says so then, too."""
        with suppress(NotFoundError):
            return self._end(self._stored.report(self._campaign.id))
        return None

    async def conclude(
        self,
        state: CampaignState,
        reason: str,
        plan: Plan | None = None,
        source: Candidates | None = None,
    ) -> dict[str, Any]:
        """Write how it ended.

        Args:
            state: In which state.
            reason: Why.
            plan: What was tried, if anything was.
            source: Of candidates, the same.

        Returns:
            The report that is stored: that of whoever was first.
        """
        found = {
            "conclusion": conclusion(plan) if plan else None,
            "impatient": source.impatient if source else False,
        }
        return await asyncio.to_thread(self._put, state, reason, found)

    async def cancel(self) -> dict[str, Any]:
        """End what is under way, and then the campaign, for nobody wants it any more."""
        for row in await asyncio.to_thread(self._candidates):
            if row["verdict"] is None and row["inspection"] is not None:
                submission = self._campaign.submission(
                    Stack(row["lock"]), row["attempts"], self._place.deployment
                )
                await self._inspector.cancel(submission)
        return await self.conclude(CampaignState.CANCELLED, "it was cancelled")

    def _candidates(self) -> Any:
        with self._place.database.read() as connection:
            return campaigns.candidates(connection, self._campaign.id)

    def _put(self, state: CampaignState, reason: str, found: dict[str, Any]) -> dict[str, Any]:
        report = report_of(self._place, self._campaign, state, reason) | found
        return self._end(self._stored.conclude(self._campaign.id, report))

    def _end(self, report: dict[str, Any]) -> dict[str, Any]:
        with self._place.database.write() as connection:
            campaigns.advance(
                connection,
                self._campaign.id,
                CampaignState(report["state"]),
                reason=report["reason"],
                ended_at=seconds_of(report["ended"]),
            )
        return report

"""One candidate: its inspections, until one tells something or the bound is reached."""

import asyncio
from typing import Any, Protocol

from trimtab.catalog import campaigns
from trimtab.stacks import Candidate, Evidence, Ground, Verdict
from trimtab.workflows.campaigns.campaign import Campaign
from trimtab.workflows.campaigns.evidence import evidence_of, is_transient, median_of
from trimtab.workflows.campaigns.inspector import Inspector
from trimtab.workflows.place import Place

__all__ = ["CampaignWatcher", "Trying", "Unwatched"]


class CampaignWatcher(Protocol):
    """Who looks on. Is told on the event loop, and must not block."""

    def looked(self, ground: Ground) -> None:
        """It is known what there is to search."""

    def began(self, candidate: Candidate, inspection: str, attempt: int) -> None:
        """A candidate's inspection begins, or goes on."""

    def ended(self, candidate: Candidate, evidence: Evidence) -> None:
        """A candidate's verdict is known."""


class Unwatched:
    """Nobody looks on."""

    def looked(self, ground: Ground) -> None:
        """Nothing comes of it."""

    def began(self, candidate: Candidate, inspection: str, attempt: int) -> None:
        """Nothing comes of it."""

    def ended(self, candidate: Candidate, evidence: Evidence) -> None:
        """Nothing comes of it."""


class Trying:
    """Tries candidates.

    Args:
        place: Where inspections are kept.
        campaign: Whose.
        inspector: Makes them.
        watcher: Who looks on.
    """

    def __init__(
        self, place: Place, campaign: Campaign, inspector: Inspector, watcher: CampaignWatcher
    ) -> None:
        self._place, self._campaign = place, campaign
        self._inspector, self._watcher = inspector, watcher
        self.again = 0
        """Inspections that were made because the infrastructure failed at another."""

    async def go(self, candidate: Candidate, *, judged: bool = False) -> Evidence:
        """Inspect a candidate; what the infrastructure fails at is tried again.

        Args:
            candidate: Which.
            judged: Its verdict is known already: it is read once more.

        Raises:
            StoreError, CatalogError: Store or database cannot be used.
        """
        attempt = 1
        while True:
            evidence = await self._once(candidate, attempt, judged=judged)
            again = evidence.verdict is Verdict.UNKNOWN and attempt < self._campaign.budget.attempts
            if not (again and await asyncio.to_thread(self._is_transient, evidence)):
                break
            attempt += 1
            self.again += 1
        values = {
            "verdict": str(evidence.verdict),
            "failure": evidence.failure and evidence.failure.message,
            "seconds": median_of(evidence, "duration"),
        }
        await asyncio.to_thread(self._note, evidence, attempt, values)
        self._watcher.ended(candidate, evidence)
        return evidence

    async def _once(self, candidate: Candidate, attempt: int, *, judged: bool) -> Evidence:
        stack = candidate.stack
        submission = self._campaign.submission(stack, attempt, self._place.deployment)
        stored = self._place.inspections[submission.id]
        if not judged:  # also where its documents are there: a kill may have come before its rows
            begun = Evidence(stack, Verdict.UNKNOWN, submission.id)
            await asyncio.to_thread(self._note, begun, attempt, {})
            self._watcher.began(candidate, submission.id, attempt)
            await self._inspector.inspect(submission)
        evidence = await asyncio.to_thread(evidence_of, stored, stack)
        # Deleted by somebody in the meantime: nobody knows what it showed.
        return evidence or Evidence(stack, Verdict.UNKNOWN, submission.id)

    def _is_transient(self, evidence: Evidence) -> bool:
        from trimtab.store import NotFoundError

        assert evidence.inspection is not None
        try:
            return is_transient(self._place.inspections[evidence.inspection].retrieve_report())
        except NotFoundError:
            return False

    def _note(self, evidence: Evidence, attempt: int, values: dict[str, Any]) -> None:
        with self._place.database.write() as connection:
            campaigns.judge(
                connection,
                self._campaign.id,
                evidence.stack.digest,
                inspection=evidence.inspection,
                attempts=attempt,
                **values,
            )

"""The course of a campaign: accepted → looked at → candidate after candidate inspected → concluded.

Nothing of it is remembered but what the plan was made from, what came of each proposal, and the inspections' own documents.
Whoever continues after a kill makes the same plan, is given the same stacks, and asks for the same inspections by the same
ids: those that are over are read, those under way go on, and none is made twice. So that this holds with several inspections
at a time, verdicts are told in the order of the candidates, whichever is over first.
"""

import asyncio
import time
from collections import deque
from contextlib import suppress
from typing import Any

from trimtab.catalog import CampaignState, CatalogError, campaigns
from trimtab.engines.index import Index
from trimtab.stacks import (
    Candidates,
    Evidence,
    Ground,
    Plan,
    PlanError,
    Question,
    RequirementsError,
    Search,
    Space,
    UnsatisfiableError,
    Verdict,
    ground_of,
    open_search,
    plan_of,
)
from trimtab.store import CampaignsStore
from trimtab.workflows.campaigns.campaign import Campaign, UnknownCampaignError
from trimtab.workflows.campaigns.conclusion import in_words, is_hopeless
from trimtab.workflows.campaigns.ending import Ending
from trimtab.workflows.campaigns.inspector import Inspector
from trimtab.workflows.campaigns.memory import Proposals
from trimtab.workflows.campaigns.trying import CampaignWatcher, Trying
from trimtab.workflows.place import Place

__all__ = ["CampaignCourse", "accept"]

WATCH = 1.0
"""Seconds between two looks whether somebody wishes it to end."""
LOST = 3
"""Stacks in a row, the first ones, of which the infrastructure says nothing, before it is given up."""


def accept(place: Place, campaign: Campaign) -> None:
    """Keep a campaign: it can be continued from now on. Twice is once.

    Raises:
        StoreError, CatalogError: Store or database cannot be used.
    """
    CampaignsStore(place.inspections.store, place.deployment).put(campaign.id, campaign.document())
    question = campaign.question
    row = {
        "id": campaign.id,
        "deployment": place.deployment,
        "owner": campaign.owner,
        "plan": str(question.plan),
        "origin": question.origin,
        "engine": campaign.engine,
        "budget": campaign.budget.model_dump(mode="json"),
        "created_at": campaign.created,
    }
    with place.database.write() as connection:
        campaigns.accept(connection, row)


class CampaignCourse:
    """One campaign under way, by one process at a time.

    Args:
        place: Where it is kept; it was accepted there.
        campaign: Which.
        inspector: Makes its inspections.
        watcher: Who looks on.
        index: Where packages come from; by default what pip and uv are configured to use.
    """

    def __init__(
        self,
        place: Place,
        campaign: Campaign,
        inspector: Inspector,
        watcher: CampaignWatcher,
        *,
        index: Index | None = None,
    ) -> None:
        self._place, self._campaign, self._watcher = place, campaign, watcher
        self._index = index
        self._trying = Trying(place, campaign, inspector, watcher)
        self._ending = Ending(place, campaign, inspector)
        self._open: deque[asyncio.Task[Evidence]] = deque()
        self._tried: list[Evidence] = []
        self._asked = 0
        self._started = time.time()
        self._unwanted = False

    async def go(self) -> dict[str, Any]:
        """Go on to the end.

        Returns:
            The report.

        Raises:
            asyncio.CancelledError: It was left as far as it came, and can be continued.
            StacksError: An index does not answer; it can be continued.
            StoreError, CatalogError: Store or database cannot be used; the same.
        """
        if (report := await asyncio.to_thread(self._ending.concluded)) is not None:
            return report
        task = asyncio.current_task()
        assert task is not None
        if await asyncio.to_thread(self._begin):
            return await self._ending.cancel()
        watch = asyncio.create_task(self._watch(task))
        try:
            return await self._search()
        except asyncio.CancelledError:
            if not self._unwanted:
                raise
            task.uncancel()
            return await self._ending.cancel()
        finally:
            watch.cancel()

    async def _search(self) -> dict[str, Any]:
        campaign, cache = self._campaign, self._place.engines / "uv"  # the process engine's, too
        async with open_search(campaign.question, cache, index=self._index) as search:
            try:
                ground = await self._ground(search)
                plan = plan_of(
                    campaign.question, ground, ahead=campaign.budget.parallel, searching=_search_with
                )
            except (UnsatisfiableError, PlanError, RequirementsError) as error:
                return await self._ending.conclude(CampaignState.FAILED, str(error))
            self._watcher.looked(ground)
            memory = await asyncio.to_thread(Proposals, self._place, campaign.id)
            source = Candidates(search.oracle, plan, search.sieves, memory=memory)
            try:
                state, reason = await self._through(source, plan, ground, memory)
            finally:
                await self._leave()
            return await self._ending.conclude(state, reason, plan, source)

    async def _through(
        self, source: Candidates, plan: Plan, ground: Ground, memory: Proposals
    ) -> tuple[CampaignState, str]:
        """Candidate after candidate.

        Args:
            source: Of candidates.
            plan: Theirs.
            ground: What it was made from.
            memory: What is known of both.

        Returns:
            In which state it ends, and why.
        """
        known = memory.candidates  # these are gone through whatever the budget says by now
        while True:
            stopped = self._stopped(ground)
            spent = None if self._asked < known else self._spent()
            while not (stopped or spent) and len(self._open) < self._campaign.budget.parallel:
                if (candidate := await source.ask()) is None:
                    break
                self._asked += 1
                self._open.append(
                    asyncio.create_task(
                        self._trying.go(candidate, judged=candidate.stack.digest in memory.judged)
                    )
                )
                spent = None if self._asked < known else self._spent()
            if not self._open:
                return stopped or (CampaignState.FINISHED, self._why(source, plan, spent))
            evidence = await self._open[0]
            self._open.popleft()
            self._tried.append(evidence)
            source.tell(evidence)

    def _why(self, source: Candidates, plan: Plan, spent: str | None) -> str:
        if plan.over or not spent:
            if source.impatient and not plan.over:
                return "proposal after proposal brought no new stack"
            return in_words(plan)
        return spent

    def _stopped(self, ground: Ground) -> tuple[CampaignState, str] | None:
        """Why nothing more is to be learned by going on."""
        unknown = [each for each in self._tried if each.verdict is Verdict.UNKNOWN]
        if len(unknown) == len(self._tried) >= LOST:
            failure = unknown[-1].failure
            said = f": {failure.message}" if failure else ""
            return (
                CampaignState.FAILED,
                f"the infrastructure failed at each of the first {len(unknown)} stacks{said}",
            )
        if ground.survey is not None and is_hopeless(ground.survey.space, self._tried):
            failure = self._tried[-1].failure
            said = f": {failure.message}" if failure else ""
            alike = f"{len(self._tried)} stacks that share no version of what varies failed alike"
            whose = "it is the script, the context, or a package that does not vary"
            return CampaignState.FINISHED, f"{alike}, so {whose}{said}"
        return None

    def _spent(self) -> str | None:
        budget, each = self._campaign.budget, self._campaign.runs_each
        if self._asked >= budget.stacks:
            return f"the budget of {budget.stacks} stacks is spent"
        if budget.runs is not None and (self._asked + self._trying.again + 1) * each > budget.runs:
            return f"the budget of {budget.runs} runs is spent"
        if budget.seconds is not None and time.time() - self._started >= budget.seconds:
            return f"the budget of {budget.seconds:g} seconds is spent"
        return None

    async def _ground(self, search: Search) -> Ground:
        """What the plan is made from: as it was found at first, if it was."""
        row = await asyncio.to_thread(self._row)
        if row["ground"] is not None:
            return Ground.load(row["ground"])
        ground = await ground_of(search)
        await asyncio.to_thread(self._advance, ground=ground.document())
        return ground

    async def _leave(self) -> None:
        """End what runs; it is left as far as it came."""
        for each in self._open:
            each.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _watch(self, task: "asyncio.Task[Any]") -> None:
        while True:
            await asyncio.sleep(WATCH)
            with suppress(CatalogError):
                if (await asyncio.to_thread(self._row))["ending"] is not None:
                    self._unwanted = True
                    task.cancel()
                    return

    def _begin(self) -> bool:
        """Note that it goes on; whether nobody wants it any more."""
        row = self._row()
        self._started = row["started_at"] or time.time()
        self._advance(started_at=self._started)
        return row["ending"] is not None

    def _row(self) -> campaigns.Row:
        with self._place.database.read() as connection:
            row = campaigns.by_id(connection, self._campaign.id)
        if row is None:
            raise UnknownCampaignError(f"there is no campaign {self._campaign.id}")
        return row

    def _advance(self, **values: Any) -> None:
        with self._place.database.write() as connection:
            campaigns.advance(connection, self._campaign.id, CampaignState.RUNNING, **values)


def _search_with(question: Question, space: Space) -> Any:
    from trimtab.workflows.campaigns.searching import search_with  # NumPy, for one plan of nine

    return search_with(question, space)

"""The workflow of campaigns: accepted, kept in the queue, worked on by whichever process takes them."""

import asyncio
from collections.abc import Sequence

from loguru import logger

from trimtab.catalog import CampaignState, campaigns
from trimtab.engines import EngineUnavailableError
from trimtab.stacks import StacksError
from trimtab.workflows.campaigns.campaign import Campaign, UnknownCampaignError
from trimtab.workflows.campaigns.course import CampaignCourse, accept
from trimtab.workflows.campaigns.ending import Ending
from trimtab.workflows.campaigns.inspector import Queued
from trimtab.workflows.campaigns.kept import read
from trimtab.workflows.campaigns.trying import Unwatched
from trimtab.workflows.inspecting import Inspecting
from trimtab.workflows.tasks import TaskWorkflow
from trimtab.workflows.work import lasting
from trimtab.workflows.worker import Worker
from trimtab.workflows.workflow import Line

__all__ = ["Campaigning"]

AT_ONCE = 4
TRIES, PAUSE, LONGEST = 8, 2.0, 120.0
"""How often an index that does not answer is asked again, and the seconds before that."""


class Campaigning(TaskWorkflow):
    """Keeps campaigns durably in the shared database, and works on them if its worker works.

    Args:
        worker: Of this process.
        inspecting: Of the same: accepts the inspections, which any process makes.
    """

    name = "campaign"

    def __init__(self, worker: Worker, inspecting: Inspecting) -> None:
        super().__init__()
        self._worker, self._place, self._inspecting = worker, worker.place, inspecting
        worker.serve(self)

    async def submit(self, campaign: Campaign) -> None:
        """Accept a campaign: it is kept, and gone on with whatever ends meanwhile.

        Raises:
            EngineUnavailableError: There is no engine here that could make its inspections.
            StoreError, CatalogError: Store or database cannot be used.
        """
        if self._worker.works and self._inspecting.capabilities is None:
            raise EngineUnavailableError("no engine can be used here, so nothing could be inspected")
        await asyncio.to_thread(self._submit, campaign)

    async def cancel(self, campaign_id: str, owner: str | None = None) -> bool:
        """End a campaign; it is over a second or two later.

        Returns:
            Whether it is not over yet.

        Raises:
            UnknownCampaignError: There is none, or it is somebody else's.
        """
        return await asyncio.to_thread(self._cancel, campaign_id, owner)

    async def prepare(self) -> Sequence[Line]:
        """Nothing is needed: inspections wait for whoever has an engine."""
        return [Line(self._line, AT_ONCE)]

    async def _make(self, work_id: str) -> str:
        campaign = await lasting(self._read, work_id)
        return "deleted" if campaign is None else await self._to_the_end(campaign)

    @property
    def _line(self) -> str:
        return f"{self._place.deployment}/campaigns"

    async def _to_the_end(self, campaign: Campaign) -> str:
        inspector, failed = Queued(self._inspecting), 0
        while True:
            course = CampaignCourse(self._place, campaign, inspector, Unwatched())
            try:
                return str((await course.go())["state"])
            except UnknownCampaignError:
                return "deleted"
            except Exception as error:  # noqa: BLE001 # whatever it is: a campaign comes to an end
                failed += 1
                if not isinstance(error, StacksError):
                    logger.exception("{} could not go on, {} times so far", campaign.id, failed)
                if failed >= TRIES:
                    ending = Ending(self._place, campaign, inspector)
                    return str((await ending.conclude(CampaignState.FAILED, _told(error)))["state"])
                await asyncio.sleep(min(LONGEST, PAUSE * 2**failed))

    def _submit(self, campaign: Campaign) -> None:
        queue = self._worker.queue()
        accept(self._place, campaign)
        with self._place.database.write() as connection:
            queue.put(connection, self.name, self._line, campaign.id, campaign.owner)

    def _cancel(self, campaign_id: str, owner: str | None) -> bool:
        read(self._place, campaign_id, owner)
        with self._place.database.write() as connection:
            return campaigns.wish(connection, campaign_id)

    def _read(self, campaign_id: str) -> Campaign | None:
        try:
            return read(self._place, campaign_id)
        except UnknownCampaignError:
            return None


def _told(error: Exception) -> str:
    if isinstance(error, StacksError):
        return str(error)
    return f"Trimtab itself failed at it {TRIES} times; its log says why"

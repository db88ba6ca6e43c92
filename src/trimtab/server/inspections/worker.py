"""Who makes inspections, as far as the API has to know."""

from collections.abc import AsyncIterator
from typing import Protocol

from trimtab.workflows import Event, Submission

__all__ = ["Maker"]


class Maker(Protocol):
    """Keeps accepted inspections, and makes them: `trimtab.workflows.worker.Worker`."""

    @property
    def engine(self) -> str:
        """The engine to submit for."""

    async def submit(self, submission: Submission, *, idempotency: str | None = None) -> str:
        """Accept an inspection; when this returns, it will be made whatever dies. Its id, or that of the same before."""

    async def cancel(self, inspection_id: str) -> bool:
        """Ask for the end of one; False: there is none such, or it is over."""

    async def retry(self, inspection_id: str, owner: str | None = None) -> Submission:
        """Accept a new one, of what another was asked for."""

    def follow(self, inspection_id: str) -> AsyncIterator[Event]:
        """What happens to one, up to its end."""

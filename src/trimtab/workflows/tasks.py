"""A workflow of which each piece is one task, with nothing to do beside them."""

import asyncio
from abc import ABC, abstractmethod
from typing import Any

__all__ = ["TaskWorkflow"]


class TaskWorkflow(ABC):
    """What such workflows have in common: which tasks are under way, and how they are left.

    A subclass has `name`, `prepare` and `_make`; see `trimtab.workflows.workflow.Workflow`.
    """

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Task[Any]] = {}
        self._leaving = False

    @property
    def ids(self) -> list[str]:
        """What is under way here."""
        return list(self._under_way)

    async def make(self, work_id: str, /) -> str:
        """Make a piece of work to its end."""
        task = asyncio.current_task()
        if self._leaving or task is None:
            raise asyncio.CancelledError
        self._under_way[work_id] = task
        try:
            return await self._make(work_id)
        finally:
            self._under_way.pop(work_id, None)

    @abstractmethod
    async def _make(self, work_id: str) -> str:
        """Make it, and return its state."""

    def lose(self, work_id: str) -> None:
        """Leave a piece of work to another process; both would write the same."""
        if task := self._under_way.get(work_id):
            task.cancel()

    async def watch(self) -> None:  # noqa: B027 - to do nothing is what these have in common
        """Nobody wishes anything of it here."""

    async def attend(self) -> None:  # noqa: B027 - to do nothing is what these have in common
        """There is nothing beside it."""

    async def sweep(self) -> None:  # noqa: B027 - to do nothing is what these have in common
        """Nothing is left over."""

    async def leave(self) -> None:
        """Leave all as far as it came."""
        self._leaving = True
        tasks = list(self._under_way.values())
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

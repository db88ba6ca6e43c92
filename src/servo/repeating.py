"""Work that a connector does again and again beside its events.

::

    class Gauge(servo.BaseConnector):
        @servo.repeating.repeating("30s")
        async def refresh(self) -> None: ...
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from servo.logging import logger
from servo.types.duration import Duration

__all__ = ["Every", "Mixin", "repeating"]

Every: TypeAlias = float | str | Duration
"""An interval: seconds, or a duration such as ``"1m30s"``."""

Work = TypeVar("Work", bound=Callable[..., Any])
Tasks: TypeAlias = dict[str, asyncio.Task[None]]


def repeating(every: Every, *, name: str | None = None) -> Callable[[Work], Work]:
    """Have a method repeated from when its connector is made, if that is while an event loop runs.

    Args:
        every: How long to wait after each run.
        name: The task's; that of the method by default.

    Raises:
        ValueError: ``every`` is no duration.
    """
    interval = Duration(every)

    def decorate(function: Work) -> Work:
        function.__repeating__ = (name or function.__name__, interval)  # type: ignore[attr-defined] # read below
        return function

    return decorate


class Mixin:
    """Gives a connector repeating tasks, by name."""

    _repeating_tasks: Tasks | None

    @property
    def repeating_tasks(self) -> Tasks:
        """The tasks that were started and not cancelled, by name; some may have ended."""
        if self._repeating_tasks is None:
            self._repeating_tasks = {}
        return self._repeating_tasks

    def start_repeating_task(
        self,
        name: str,
        every: Every,
        function: Callable[[], Any],
        time_correction: bool = False,  # noqa: FBT001, FBT002  the original's signature
    ) -> asyncio.Task[None]:
        """Run ``function`` now and then again and again.

        An error ends the repetition; it is logged, and the task's exception.

        Args:
            name: The task's; one that has ended is replaced.
            every: How long to wait after each run.
            function: What to run, synchronous or not.
            time_correction: Whether the time that a run took is taken off the wait.

        Raises:
            KeyError: A task of that name is active.
            RuntimeError: No event loop is running.
        """
        running = self.repeating_tasks.get(name)
        if running is not None and not running.done():
            raise KeyError(f"repeating task already exists named '{name}'")
        interval = Duration(every)
        title = f"{getattr(self, 'name', type(self).__name__)}:{name} (repeating every {interval})"
        asyncio.get_running_loop()  # before the coroutine is made: it would never be awaited
        task = asyncio.create_task(_repeat(interval, function, time_correction), name=title)
        task.add_done_callback(_report)
        self.repeating_tasks[name] = task
        return task

    def start_repeating_methods(self) -> None:
        """Start the methods that are decorated with :func:`repeating` and are not active."""
        for attribute, (name, every) in _repeating_methods(type(self)).items():
            task = self.repeating_tasks.get(name)
            if task is None or task.done():
                self.start_repeating_task(name, every, getattr(self, attribute))

    def cancel_repeating_task(self, name: str) -> asyncio.Task[None] | None:
        """Cancel a task; return it, or None if there is none of that name."""
        task = self.repeating_tasks.pop(name, None)
        if task is not None:
            task.cancel()
        return task

    def cancel_repeating_tasks(self) -> Tasks:
        """Cancel all tasks and return them by name."""
        tasks = dict(self.repeating_tasks)
        for name in tasks:
            self.cancel_repeating_task(name)
        return tasks


def has_repeating_methods(connector_type: type) -> bool:
    """Whether a method of the class is decorated with :func:`repeating`."""
    return bool(_repeating_methods(connector_type))


def _repeating_methods(connector_type: type) -> dict[str, tuple[str, Duration]]:
    found: dict[str, tuple[str, Duration]] = {}
    for base in reversed(connector_type.__mro__):
        for attribute, value in vars(base).items():
            found.pop(attribute, None)  # who overrides a method says anew whether it repeats
            if inspect.isfunction(value) and hasattr(value, "__repeating__"):
                found[attribute] = value.__repeating__
    return found


async def _repeat(interval: Duration, function: Callable[[], Any], time_correction: bool) -> None:  # noqa: FBT001  private
    clock = asyncio.get_running_loop().time
    while True:
        started = clock()
        result = function()
        if inspect.isawaitable(result):
            await result
        spent = clock() - started if time_correction else 0.0
        await asyncio.sleep(max(0.0, interval.total_seconds() - spent))


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.opt(exception=error).error(f"{task.get_name()} ended: {error!r}")

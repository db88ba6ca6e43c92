"""How long a command may take, who keeps it waiting, and the sign of life that is given meanwhile."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import dataclass
from datetime import datetime

from servo.api.messages import CommandResponse
from servo.dispatch.calls import name_of
from servo.errors import EventError
from servo.logging import logger
from servo.runner import operations
from servo.servo import Servo
from servo.types.core import Duration
from servo.utilities.strings import join_to_series

__all__ = ["Pulse", "TimedOutError", "own_seconds", "timed_out"]

SILENCE_SECONDS = 60.0
"""After how long without a report of a connector the runner reports itself."""
LEAST_WAIT = 1.0
LEAST, MOST = 1.0, 99.0  # per cent: 0 and 100 are not reported


class TimedOutError(EventError):
    """A command took longer than it may."""


def own_seconds(command: CommandResponse) -> float:
    """Return how many seconds a command asks for: warm-up, duration, delay and settlement."""
    try:
        control = operations.control_of(command)
    except EventError:
        return 0.0  # it fails at once, for the same reason
    spans = (control.warmup, control.duration, control.delay, control.settlement)
    return sum(span.total_seconds() for span in spans if span is not None)


def timed_out(servo: Servo, command: CommandResponse, seconds: float) -> TimedOutError:
    """Return the error for a command that is still being carried out; ask before it is cancelled."""
    names = sorted(_unanswered(servo, command))
    who = f"{join_to_series(names)} had not answered" if names else "nobody is known to hold it up"
    return TimedOutError(
        f"{command.command.value} was broken off after {Duration(seconds)}: {who}; "
        "the time allowed beyond what a command asks for is settings.command_timeout",
        reason="timed-out",
        connector=servo,
    )


def _unanswered(servo: Servo, command: CommandResponse) -> set[str]:
    """Names of the connectors whose handlers of the command's event have not ended.

    A dispatch does not tell who has answered before all have; the coroutines of its tasks do.
    """
    event = f":{operations.EVENTS[command.command]}"
    handling = [task.get_coro() for task in asyncio.all_tasks() if task.get_name().endswith(event)]
    called = [
        inspect.getcoroutinelocals(each).get("connector") for each in handling if inspect.iscoroutine(each)
    ]
    return {name_of(member) for member in servo.__connectors__ if any(member is each for each in called)}


@dataclass(slots=True, eq=False)
class Pulse:
    """Reports progress of a command while its connectors are silent, so that the optimizer can answer.

    An optimizer speaks only when it is spoken to: without a report it can neither cancel a command nor tell a
    servo that works from one that is gone.

    Args:
        servo: Who carries the command out.
        command: The command.
        expected: In how many seconds it is expected to end.
    """

    servo: Servo
    command: CommandResponse
    expected: float
    progress: float = 0.0
    _began: float = 0.0
    _heard_at: float = 0.0
    _started_at: datetime | None = None
    _timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Report whenever there is silence from now on, in the context of the caller."""
        self._started_at = datetime.now().astimezone()
        self._began = self._heard_at = asyncio.get_running_loop().time()
        self._wait(SILENCE_SECONDS)

    def stop(self) -> None:
        """Report no more."""
        if self._timer is not None:
            self._timer.cancel()

    def heard(self, progress: float) -> None:
        """Take note of a report that is posted."""
        self._heard_at = asyncio.get_running_loop().time()
        self.progress = max(self.progress, progress)

    def _wait(self, seconds: float) -> None:
        # A timer is a hundredth of a task: most commands end long before it is due.
        self._timer = asyncio.get_running_loop().call_later(seconds, self._beat)

    def _beat(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._heard_at >= SILENCE_SECONDS:
            self._report(now - self._began)
        self._wait(max(self._heard_at + SILENCE_SECONDS - now, LEAST_WAIT))

    def _report(self, elapsed: float) -> None:
        derived = 100.0 * elapsed / self.expected if self.expected > 0 else LEAST
        self.heard(min(max(derived, self.progress, LEAST), MOST))
        logger.info(
            "still at it: {} since {:.0f} s",
            self.command.command.value,
            elapsed,
            progress=self.progress,
            servo=self.servo,
            connector=self.servo,
            operation=self.command.command.response_event.value,
            started_at=self._started_at,
        )

"""The course of `trimtab tune`: agent and optimizer side by side until the session is over, or somebody ends it."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trimtab.cli.agent import Agent
from trimtab.optimizer.session_document import Session, Trial

if TYPE_CHECKING:
    from trimtab.optimizer.sessions import Sessions

__all__ = ["Ending", "run_session"]

POLL = 0.25
PATIENCE = 60.0
"""Seconds, beside those of a measurement, that an interrupted session has to put the settings back."""

Show = Callable[[Session, Sequence[Trial]], None]


@dataclass(frozen=True, slots=True)
class Ending:
    """How it ended.

    Args:
        session: As it stands.
        interrupted: The signal that ended it early; None if none did.
        failure: Why the agent stopped by itself; "" if it did not.
    """

    session: Session
    interrupted: signal.Signals | None = None
    failure: str = ""


class _Interruption:
    """Signals: the first ends the session in good order, the second the agent at once."""

    def __init__(self) -> None:
        self.first: signal.Signals | None = None
        self.came = asyncio.Event()
        self.insisted = asyncio.Event()

    def __call__(self, received: signal.Signals) -> None:
        if self.first is None:
            self.first = received
            self.came.set()
        else:
            self.insisted.set()

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        heeded = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for each in heeded:
            loop.add_signal_handler(each, self, each)
        try:
            yield
        finally:
            for each in heeded:
                loop.remove_signal_handler(each)


async def run_session(agent: Agent, sessions: "Sessions", session_id: str, show: Show) -> Ending:
    """Let an agent serve a session until it is over; signals end it early.

    Args:
        agent: Attached, and not running.
        sessions: Where the session is kept.
        session_id: The session.
        show: Called with the session as it stands and the trials that ended since, some times a second.
    """
    from servo.runner import AssemblyRunner

    interruption = _Interruption()
    runner = AssemblyRunner(agent.assembly)
    log, watch = _Errors(), _Watch(sessions, session_id, show)
    with interruption.listening(), log.kept():
        running = asyncio.create_task(runner.run_async())
        try:
            await _until_over(running, watch, interruption)
        finally:
            await _stop(runner, running, interruption)
    session = await watch.look()
    gave_up = not session.over and interruption.first is None
    if gave_up and session.trials_done == 0 and session.trial is None:
        # Nothing was begun: there is nothing to continue, and nothing that the next attempt should wait for.
        await watch.cancel()
    return Ending(session, interruption.first, log.last if gave_up else "")


class _Watch:
    """Looks at a session, and shows what is seen."""

    def __init__(self, sessions: "Sessions", session_id: str, show: Show) -> None:
        self._sessions = sessions
        self._id = session_id
        self._show = show
        self._shown = 0

    async def look(self) -> Session:
        session = await asyncio.to_thread(self._sessions.get, self._id)
        self._show(session, await self._finished() if session.trials_done > self._shown else ())
        return session

    async def _finished(self) -> Sequence[Trial]:
        document = await asyncio.to_thread(self._sessions.export, self._id)
        ended = [Trial.model_validate(each) for each in document["trials"] if each["status"] is not None]
        new, self._shown = ended[self._shown :], len(ended)
        return new

    async def cancel(self) -> None:
        await asyncio.to_thread(self._sessions.cancel, self._id)


async def _until_over(running: "asyncio.Task[int]", watch: _Watch, interruption: _Interruption) -> None:
    deadline: float | None = None
    clock = asyncio.get_running_loop().time
    while not running.done() and not interruption.insisted.is_set():
        if interruption.came.is_set() and deadline is None:
            await watch.cancel()
            deadline = clock() + PATIENCE
        session = await watch.look()
        if session.over or (deadline is not None and clock() > deadline + _planned(session)):
            return
        await _wait(POLL, running, interruption)


def _planned(session: Session) -> float:
    return session.spec.control.warmup + session.spec.control.duration


async def _wait(seconds: float, running: "asyncio.Task[int]", interruption: _Interruption) -> None:
    event = interruption.insisted if interruption.came.is_set() else interruption.came
    told = asyncio.create_task(event.wait())
    await asyncio.wait({running, told}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()


async def _stop(runner: Any, running: "asyncio.Task[int]", interruption: _Interruption) -> None:
    reason = interruption.first.name if interruption.first else "finished"
    await runner.shutdown(reason=reason)
    await asyncio.wait({running})
    if not running.cancelled() and (error := running.exception()) is not None:
        raise error


class _Errors:
    """The last error of the log: why an agent stops that stops by itself."""

    def __init__(self) -> None:
        self.last = ""

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        from servo.logging import logger

        handler = logger.add(self._keep, level="ERROR", format="{message}")
        try:
            yield
        finally:
            logger.remove(handler)

    def _keep(self, message: Any) -> None:
        self.last = message.record["message"]

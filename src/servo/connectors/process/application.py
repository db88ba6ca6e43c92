"""An application over its life: started, kept up, given other settings, ended."""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import Coroutine, Mapping
from typing import Any

from servo.connectors.process import launch, state, usage
from servo.connectors.process.child import Child, Ending, StartError
from servo.connectors.process.configuration import ProcessConfiguration
from servo.connectors.process.readiness import (
    EndedError,
    NotReadyError,
    accepts,
    still_ready,
    unless_ended,
    until_ready,
)
from servo.connectors.process.rendering import TemplateError
from servo.connectors.process.settings import Value
from servo.connectors.quoting import quoted
from servo.logging import logger

BACKOFF = 0.5
"""Seconds before the first restart after a crash; doubled each time."""

LONGEST_BACKOFF = 30.0

_CALM = 60.0
_PORT_SECONDS = 5.0


class UnfitError(RuntimeError):
    """An application did not come up, or did not stay up.

    Args:
        message: What happened, with the last lines of its output.
        reason: `start-failed` or `unstable`.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class Application:
    """Runs at most one instance of an application, the one that its values describe.

    A crash is answered by another start, after a time that doubles from crash to crash. All that changes what runs
    happens one after the other.

    Args:
        config: What to run.

    Attributes:
        values: Settings of what runs; of what would be started, if nothing does.
        restarts: How often it was started again after a crash.
        child: What runs.
    """

    def __init__(self, config: ProcessConfiguration) -> None:
        self.config = config
        self.values: dict[str, Value] = state.load(config.state_file(), config.settings)
        self.restarts = 0
        self.child: Child | None = None
        self._turn = asyncio.Lock()
        self._guard: asyncio.Task[None] | None = None
        self._changes: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._ending: asyncio.Future[Ending] | None = None
        self._cpu = 0.0
        self._seen = 0.0
        self._lock: int | None = None

    @property
    def running(self) -> bool:
        """Whether it runs just now."""
        return self.child is not None and self.child.running

    @property
    def started(self) -> bool:
        """Whether it is meant to run."""
        return self.child is not None

    async def start(self) -> None:
        """Start it with its last good settings, or with the defaults if those do not do any more.

        Raises:
            UnfitError: It does not come up.
        """
        await self._in_turn(self._start())

    async def apply(self, values: Mapping[str, Value], settlement: float) -> None:
        """Let it run with other settings; what runs with them already is left alone.

        What does not come up is replaced by what ran before; so it is when this is cancelled.

        Args:
            values: All settings.
            settlement: Seconds it must stay up before the settings are good.

        Raises:
            UnfitError: It did not come up, and runs as before again.
            RuntimeError: It did not come up, nor does it as before.
        """
        await self._in_turn(self._apply(dict(values), settlement))

    async def stop(self) -> None:
        """End it, and break off whatever is being done with it."""
        self._stopping = True
        try:
            for task in list(self._changes):
                task.cancel()
            await asyncio.gather(*self._changes, return_exceptions=True)
            async with self._turn:
                await self._take_down()
                self._unlock()
        finally:
            self._stopping = False

    async def _in_turn(self, change: Coroutine[Any, Any, None]) -> None:
        async def wait_for_turn() -> None:
            try:
                async with self._turn:
                    await change
            finally:
                change.close()  # it never began if its turn never came

        await self._begin(wait_for_turn())

    def _begin(self, change: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        # A task of our own, so that stopping can break it off whoever waits for it.
        task = asyncio.create_task(change)
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)
        return task

    async def _start(self) -> None:
        if self.started:
            return
        settlement = self.config.settlement.total_seconds()
        try:
            await self._bring_up(self.values, settlement)
        except UnfitError as error:
            defaults = state.defaults(self.config.settings)
            if defaults == self.values:
                raise
            logger.warning(f"the last good settings do not do any more, trying the defaults: {error}")
            await self._bring_up(defaults, settlement)
            self._remember(defaults)

    async def _apply(self, values: dict[str, Value], settlement: float) -> None:
        if self.running and values == self.values:
            logger.info("the settings are those that run already: nothing to do")
            return
        previous = dict(self.values)
        try:
            await self._replace(values, settlement, previous)
        except asyncio.CancelledError:
            if not self._stopping:
                self._begin(self._restore_later(previous))
            raise
        self._remember(values)

    async def _replace(
        self, values: Mapping[str, Value], settlement: float, previous: dict[str, Value]
    ) -> None:
        await self._take_down()
        try:
            await self._bring_up(values, settlement)
        except UnfitError as error:
            await self._restore(previous, error)
            raise

    async def _restore_later(self, values: dict[str, Value]) -> None:
        async with self._turn:
            if self.started:
                return
            try:
                await self._bring_up(values, 0.0)
            except UnfitError as error:
                logger.warning(
                    f"after an adjustment was cancelled, the last good settings do not come up: {error}"
                )

    async def _restore(self, values: dict[str, Value], cause: UnfitError) -> None:
        logger.warning(f"the adjustment failed, restoring the last good settings: {cause}")
        try:
            await self._bring_up(values, self.config.settlement.total_seconds())
        except UnfitError as error:
            raise RuntimeError(f"{cause}; and with the settings it had before: {error}") from error

    def _remember(self, values: dict[str, Value]) -> None:
        try:
            state.save(self.config.state_file(), values)
        except OSError as error:
            logger.warning(f"cannot keep the settings in {self.config.state_file()}: {error.strerror}")

    async def _bring_up(self, values: Mapping[str, Value], settlement: float) -> None:
        self._ensure_alone()
        if self._ending:  # of an instance whose end nobody waited for
            await asyncio.shield(self._ending)
        await self._ensure_port_free()
        child = await self._launch(values)
        try:
            await self._await_fitness(child, settlement)
        except BaseException:
            await self._end(child)
            raise
        self.child, self.values = child, dict(values)
        self._guard = asyncio.create_task(self._keep_up(child), name="keep the application up")

    async def _launch(self, values: Mapping[str, Value]) -> Child:
        try:
            launch.write_template(self.config, values)
            child = await Child.start(launch.spec(self.config, values))
        except (StartError, TemplateError) as error:
            raise UnfitError(f"the application cannot be started: {error}", "start-failed") from error
        child.ended.add_done_callback(self._count)
        return child

    async def _await_fitness(self, child: Child, settlement: float) -> None:
        reason = "start-failed"
        try:
            await until_ready(self.config.readiness, child, self.config.port)
            reason = "unstable"
            await unless_ended(child, asyncio.sleep(settlement))
            await unless_ended(child, still_ready(self.config.readiness, self.config.port))
        except EndedError as error:
            raise UnfitError(_obituary(error.ending, reason), reason) from error
        except NotReadyError as error:
            lines = (await self._end(child)).lines
            raise UnfitError(f"the application did not come up: {error}{quoted(lines)}", reason) from error

    async def _take_down(self) -> None:
        if self._guard:  # first: it may be starting another instance just now
            self._guard.cancel()
            await asyncio.gather(self._guard, return_exceptions=True)
            self._guard = None
        child, self.child = self.child, None
        if child is not None:
            await self._end(child)
        elif self._ending:
            await asyncio.shield(self._ending)

    async def _end(self, child: Child) -> Ending:
        # It comes to its end though who waits for it is cancelled.
        self._ending = asyncio.ensure_future(child.stop(self.config.drain.grace.total_seconds()))
        return await asyncio.shield(self._ending)

    async def _keep_up(self, child: Child) -> None:
        crashes = 0
        while True:
            started = time.monotonic()
            end = await asyncio.shield(child.ended)
            crashes = 0 if time.monotonic() - started > _CALM else crashes
            logger.warning(f"{_obituary(end, 'unstable')}\nIt is started again.")
            child = await self._revive(crashes)
            crashes += 1

    async def _revive(self, crashes: int) -> Child:
        while True:
            await asyncio.sleep(min(BACKOFF * 2**crashes, LONGEST_BACKOFF))
            crashes += 1
            self.restarts += 1
            try:
                child = await self._launch(self.values)
            except UnfitError as error:
                logger.warning(str(error))
                continue
            self.child = child
            return child

    def _count(self, ended: asyncio.Future[Ending]) -> None:
        # Of a run whose supervisor was killed nobody has the sum; what was seen last is the best there is.
        end = ended.result()
        self._cpu += self._seen if end.code is None else end.cpu
        self._seen = 0.0

    async def _ensure_port_free(self) -> None:
        address = self.config.readiness.address(self.config.port)
        if address is None and self.config.port is not None:
            address = ("127.0.0.1", self.config.port)
        deadline = time.monotonic() + _PORT_SECONDS
        while address is not None and await accepts(*address):
            if time.monotonic() > deadline:
                raise UnfitError(
                    f"another process listens on {address[0]}:{address[1]}: end it, or configure another port",
                    "start-failed",
                )
            await asyncio.sleep(0.1)

    def _ensure_alone(self) -> None:
        if self._lock is not None:
            return
        path = self.config.lock_file()
        if not self.config.directory.is_dir():
            raise UnfitError(f"the working directory {self.config.directory} does not exist", "start-failed")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UnfitError(f"cannot write {path}: {error.strerror}", "start-failed") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise UnfitError(
                f"another agent runs this application: {path} is locked", "start-failed"
            ) from error
        self._lock = handle

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def sample(self) -> usage.Sample:
        """Look at what it uses now; CPU seconds are counted over all its starts."""
        child = self.child
        if child is None or not child.running:
            return usage.Sample(time.monotonic(), self._cpu, 0)
        cpu, memory = await asyncio.to_thread(usage.look, child.supervisor, child.watcher)
        if child.ended.done():
            return usage.Sample(time.monotonic(), self._cpu, 0)
        self._seen = cpu
        return usage.Sample(time.monotonic(), self._cpu + cpu, memory)


def _obituary(end: Ending, reason: str) -> str:
    when = "before it was ready" if reason == "start-failed" else "after it had come up"
    return f"the application {_how(end.code)} {when}{quoted(end.lines)}"


def _how(code: int | None) -> str:
    if code is None:
        return "was killed with its supervisor"
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"

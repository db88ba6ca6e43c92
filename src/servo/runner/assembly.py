"""The runner of a process: all servos of an assembly, signals, and the orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from typing import Any

import httpx2

from servo.assembly import Assembly
from servo.errors import ConnectorError, explained, foreseen
from servo.logging import ProgressHandler, logger
from servo.runner.servo import ServoRunner
from servo.servo import Servo

__all__ = ["AssemblyRunner"]

SHUTDOWN_SECONDS = 30.0
SIGNALS = ("SIGHUP", "SIGTERM", "SIGINT", "SIGUSR1")


class AssemblyRunner:
    """Runs all servos of an assembly in one process.

    Servos that join or leave the assembly while it runs are started and stopped. A servo that cannot be started stops
    alone and the others go on; when none is left, the run ends.

    Args:
        assembly: The servos.
        poll: Whether to ask the optimizers for commands; otherwise the run ends when all have started.
        interactive: Kept for compatibility; nothing is asked.
    """

    def __init__(self, assembly: Assembly, *, poll: bool = True, interactive: bool = False) -> None:
        self.assembly = assembly
        self.poll = poll
        self.interactive = interactive
        self.progress_handler: ProgressHandler | None = None
        self._runners: dict[int, ServoRunner] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stop: asyncio.Future[str] | None = None
        self._cut_short: asyncio.Event | None = None
        self._failed = 0

    @property
    def runners(self) -> list[ServoRunner]:
        """The runners of the servos, in the order in which they were started."""
        return list(self._runners.values())

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._stop is not None

    @property
    def shutting_down(self) -> bool:
        """Whether it has been told to stop."""
        return self._stop is not None and self._stop.done()

    def run(self, *, debug: bool = False) -> int:
        """Run until a signal (HUP, TERM, INT, USR1) or `shutdown`; a second signal cuts the farewell short.

        Args:
            debug: Whether the event loop checks itself.

        Returns:
            The exit code: 0 after an orderly end, 1 if no servo could be started or none was left.

        Raises:
            RuntimeError: It is running already.
        """
        with asyncio.Runner(debug=debug, loop_factory=_loop_factory()) as runner:
            return runner.run(self.run_async(handle_signals=True))

    async def run_async(self, *, handle_signals: bool = False) -> int:
        """Run in the caller's loop; see `run`.

        Args:
            handle_signals: Whether signals end the run; otherwise they are the caller's business.
        """
        if self._stop is not None:
            raise RuntimeError("the runner is running already")
        loop = asyncio.get_running_loop()
        self._stop, self._cut_short, self._failed = loop.create_future(), asyncio.Event(), 0
        self.progress_handler = ProgressHandler(self._report_progress)
        self.progress_handler.install()
        removed = self.assembly.watch(self._start, self._end)
        try:
            heeding = _signals(loop, self._on_signal) if handle_signals else contextlib.nullcontext()
            with heeding, self.assembly.current():
                return await self._run(self._stop)
        finally:
            removed()
            await self.progress_handler.shutdown()
            self._stop, self.progress_handler = None, None
            self._runners.clear()

    async def shutdown(
        self,
        loop: Any = None,  # noqa: ARG002 - the original's signature
        signal: signal.Signals | None = None,
        *,
        reason: str | None = None,
    ) -> None:
        """Ask for an orderly end: commands under way are cancelled, connectors restore, optimizers hear goodbye.

        Args:
            loop: Kept for compatibility.
            signal: What asks for it; its name is the reason.
            reason: Why, if not for a signal.
        """
        self._request_stop(reason or (signal.name if signal else "shutdown"))

    async def _run(self, stop: asyncio.Future[str]) -> int:
        try:
            for servo in self.assembly.servos:
                await self._start(servo)
            self._end_when_nothing_is_left()
            reason = await asyncio.shield(stop)
        except asyncio.CancelledError:
            await self._say_farewell("cancelled")
            raise
        everything_failed = reason == _NOTHING_LEFT and self._failed > 0
        await self._say_farewell("shutdown" if reason == _NOTHING_LEFT else reason)
        return 1 if everything_failed else 0

    async def _start(self, servo: Servo) -> None:
        runner = ServoRunner(servo, interactive=self.interactive, progress_handler=self.progress_handler)
        self._runners[id(servo)] = runner
        with self.assembly.current():
            task = asyncio.get_running_loop().create_task(self._supervise(runner), name=f"servo {servo.name}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def _end(self, servo: Servo) -> None:
        runner = self._runners.pop(id(servo), None)
        if runner is not None:
            await runner.shutdown()

    async def _supervise(self, runner: ServoRunner) -> None:
        servo = runner.servo
        try:
            await runner.run(poll=self.poll)
        except Exception as error:  # noqa: BLE001 - a servo that cannot be run leaves the others running
            self._failed += 1
            sentence = isinstance(error, httpx2.HTTPError) or foreseen(error) is not None
            shown = explained(error, ConnectorError)
            logger.opt(exception=None if sentence else error).error(
                "the servo '{}' cannot be run: {}", servo.name, shown, connector=servo
            )

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._end_when_nothing_is_left()

    def _end_when_nothing_is_left(self) -> None:
        if not self._tasks:
            self._request_stop(_NOTHING_LEFT)

    def _request_stop(self, reason: str) -> None:
        if self._stop is not None and not self._stop.done():
            self._stop.set_result(reason)

    def _on_signal(self, received: signal.Signals) -> None:
        if self.shutting_down and self._cut_short is not None:
            logger.warning("received {} again: not waiting any longer", received.name)
            self._cut_short.set()
            return
        logger.info("received {}: shutting down", received.name)
        self._request_stop(received.name)

    async def _say_farewell(self, reason: str) -> None:
        assert self._cut_short is not None
        farewell = asyncio.ensure_future(self._farewell(reason))
        cut = asyncio.ensure_future(self._cut_short.wait())
        try:
            await asyncio.wait(
                {farewell, cut}, timeout=SHUTDOWN_SECONDS * 2, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            cut.cancel()
            farewell.cancel()
            await asyncio.wait({farewell, cut}, timeout=1)

    async def _farewell(self, reason: str) -> None:
        tasks = set(self._tasks)
        stops = [asyncio.ensure_future(runner.shutdown()) for runner in self.runners]
        if stops:
            _, pending = await asyncio.wait(stops, timeout=SHUTDOWN_SECONDS)
            for task in pending | tasks:
                task.cancel()
        await self.assembly.shutdown(reason)

    async def _report_progress(self, *, servo: Any, **report: Any) -> None:
        runner = self._runners.get(id(servo))
        if runner is not None:
            await runner.report_progress(**report)


_NOTHING_LEFT = "nothing left"


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


@contextlib.contextmanager
def _signals(loop: asyncio.AbstractEventLoop, handler: Callable[[signal.Signals], None]) -> Any:
    handled = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    for each in handled:
        loop.add_signal_handler(each, handler, each)
    try:
        yield
    finally:
        for each in handled:
            loop.remove_signal_handler(each)

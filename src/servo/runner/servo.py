"""The main loop of one servo.

::

    startup ─▶ ask for a command ─▶ carry it out ─▶ post how it ended ─┐
       ▲               ▲  └─ SLEEP ─▶ sleep ─┐                          │
       │               └─────────────────────┴──────────────────────────┘
       └── restart in place ◀── the optimizer cancels, or is out of step with us

Nothing that the optimizer answers and nothing that a connector does ends the loop: a command always ends in a status, an
error of the line in a pause that grows. The loop ends when it is told to.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any

import httpx2

from servo import context
from servo.api.client import InvalidResponseError, is_unexpected_servo, read_status
from servo.api.messages import CommandResponse, MalformedCommandError, MeasureParams, SleepResponse, Status
from servo.api.retry import full_jitter, retry_after
from servo.api.statuses import Commands, OptimizerStatuses, Reasons, ServoStatuses
from servo.errors import EventCancelledError, ServoError, UnexpectedCommandIdError, UnexpectedEventError
from servo.logging import ProgressHandler, logger
from servo.runner import operations
from servo.runner.patience import Pulse, own_seconds, timed_out
from servo.servo import Servo
from servo.types.api import Adjustment, Control, Description, Measurement

__all__ = ["ServoRunner"]

REPLACED_SECONDS = 3600.0
MIN_SLEEP_SECONDS = 0.1
MAX_SLEEP_SECONDS = 86400.0
MIN_PAUSE_SECONDS = 1.0
CANCEL_SECONDS = 20.0
FAREWELL_SECONDS = 5.0
OUT_OF_STEP = "the optimizer and this servo are out of step"


class _RestartNeeded(Exception):  # noqa: N818 - a turn of the loop, no error
    """The optimizer and this servo are out of step."""

    def __str__(self) -> str:
        return OUT_OF_STEP


class _ResultRefused(Exception):  # noqa: N818 - a turn of the loop, too, no error
    """The optimizer took the result of a command for something else than "ok"."""


@dataclass(slots=True, eq=False)
class _Operation:
    """A command that is being carried out."""

    command: CommandResponse
    task: asyncio.Task[Status]
    given_up: asyncio.Future[ServoError]
    pulse: Pulse

    def give_up(self, error: ServoError) -> None:
        if not self.given_up.done():
            self.given_up.set_result(error)


class ServoRunner:
    """Runs one servo: does what its optimizer says until it is told to stop.

    Args:
        servo: The servo.
        interactive: Kept for compatibility; nothing is asked.
        progress_handler: Turns log lines into progress reports; an own one while it runs if None.
    """

    __slots__ = (
        "_operation",
        "_own_handler",
        "_progress",
        "_running",
        "_stopping",
        "_task",
        "interactive",
        "servo",
    )

    def __init__(
        self, servo: Servo, *, interactive: bool = False, progress_handler: ProgressHandler | None = None
    ) -> None:
        self.servo = servo
        self.interactive = interactive
        self._progress = progress_handler
        self._own_handler = progress_handler is None
        self._operation: _Operation | None = None
        self._running = False
        self._stopping = False
        self._task: asyncio.Task[Any] | None = None

    @property
    def config(self) -> Any:
        """The servo's configuration."""
        return self.servo.config

    @property
    def optimizer(self) -> Any:
        """The optimizer's address and credentials."""
        return self.servo.config.optimizer

    @property
    def running(self) -> bool:
        """Whether the main loop is running."""
        return self._running

    @property
    def connected(self) -> bool:
        """Whether the servo has introduced itself and not yet said goodbye."""
        return self.servo.is_running

    async def run(self, *, poll: bool = True, startup: bool = True) -> None:
        """Start the servo and do what its optimizer says, until `shutdown` is called.

        Args:
            poll: Whether to ask for commands; otherwise it returns once the servo has started.
            startup: Whether the servo is yet to be started.

        Raises:
            Exception: The servo could not be started; it has been shut down again, so that connectors restore what
                they had begun.
        """
        if self._task is not None:
            raise RuntimeError("this servo is running already")
        self._task, self._stopping = asyncio.current_task(), False
        try:
            with self.servo.current():
                async with self._reporting_progress():
                    if startup:
                        await self._start()
                    if poll:
                        await self.run_main_loop()
        except asyncio.CancelledError:
            if not self._stopping or self._task is None:
                raise
            self._task.uncancel()
        finally:
            self._task = None

    async def run_main_loop(self) -> None:
        """Carry out commands until cancelled."""
        self._running, failures = True, 0
        try:
            while True:
                try:
                    await self.exec_command()
                    failures = 0
                except _RestartNeeded as error:
                    if failures:
                        await self._pause_after(error, failures)
                    failures = 1 + await self._restarted(failures)
                except Exception as error:  # noqa: BLE001 - nothing ends the loop but a cancellation
                    await self._pause_after(error, failures)
                    failures += 1
        finally:
            self._running = False

    async def exec_command(self) -> None:
        """Ask for one command and carry it out."""
        try:
            command = await self.servo.client.whats_next()
        except MalformedCommandError as error:
            await self._refuse(error)
            raise
        with context.set_for(context.command_uid_var, command.command_uid):
            if command.command is Commands.sleep:
                await self._sleep_as_told(command)
            else:
                await self._carry_out(command)

    async def describe(self, control: Control) -> Description:
        """Ask the connectors what can be adjusted and measured."""
        return await operations.describe(self.servo, control)

    async def measure(self, param: MeasureParams) -> Measurement:
        """Have the connectors measure."""
        return await operations.measure(self.servo, param)

    async def adjust(self, adjustments: list[Adjustment], control: Control) -> Description:
        """Have the connectors adjust."""
        return await operations.adjust(self.servo, adjustments, control)

    async def report_progress(self, **report: Any) -> None:
        """Report progress of the command under way, and give it up if the optimizer's answer demands that."""
        operation = self._operation
        if operation is None or report.get("command_uid") != operation.command.command_uid:
            return
        operation.pulse.heard(report.get("progress", 0.0))
        try:
            await self.servo.report_progress(**report)
        except (EventCancelledError, UnexpectedEventError, UnexpectedCommandIdError) as error:
            operation.give_up(error)
        except httpx2.HTTPStatusError as error:
            if error.response.status_code != httpx2.codes.GONE:
                raise
            operation.give_up(UnexpectedEventError("the optimizer does not know this servo any more"))

    def clear_progress_queue(self) -> None:
        """Drop the progress reports that wait to be posted."""
        if self._progress is not None:
            self._progress.clear_progress_queue(self.servo)

    async def shutdown(self, *, delay: float = 0.0) -> None:
        """Stop the main loop; the command under way is cancelled, and its status is posted.

        Args:
            delay: For how many seconds to wait before.
        """
        if delay:
            await asyncio.sleep(delay)
        task = self._task
        if task is None or task is asyncio.current_task():
            return
        self._stopping = True
        task.cancel()
        await asyncio.wait([task])

    async def _start(self) -> None:
        while True:
            try:
                await self.servo.startup()
            except httpx2.HTTPStatusError as error:
                if not is_unexpected_servo(error):
                    raise
                await self._step_aside(error)
            except BaseException:
                await self._undo_startup()
                raise
            else:
                return

    async def _undo_startup(self) -> None:
        if self.servo.is_running and not self._stopping:
            await self.servo.shutdown("startup failed")

    async def _restarted(self, failures: int) -> int:
        """Restart in place; a restart that fails is tried again after a pause that grows.

        Returns:
            The failures in a row up to now.
        """
        logger.info("restarting: {}", OUT_OF_STEP, connector=self.servo)
        while True:
            try:
                await self.servo.restart()
            except Exception as error:  # noqa: BLE001 - the same
                await self._pause_after(error, failures)
                failures += 1
            else:
                return failures

    async def _sleep_as_told(self, command: CommandResponse) -> None:
        assert isinstance(command.param, SleepResponse)
        data = command.param.data or {}
        wanted = command.param.duration.total_seconds()
        seconds = max(MIN_SLEEP_SECONDS, min(wanted, MAX_SLEEP_SECONDS))
        logger.info(
            "sleeping {:g} s ({}{})",
            seconds,
            f"{data['status']}: " if data.get("status") else "",
            data.get("reason", "no reason given"),
            connector=self.servo,
        )
        await asyncio.sleep(seconds)

    async def _carry_out(self, command: CommandResponse) -> None:
        limit = own_seconds(command) + self.config.settings.command_timeout.total_seconds()
        operation = self._operation = self._begin(command, limit)
        try:
            both: set[asyncio.Future[Any]] = {operation.task, operation.given_up}
            ended, _ = await asyncio.wait(both, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self._break_off(operation)
            raise
        finally:
            operation.pulse.stop()
            self._operation = None
            self.clear_progress_queue()
        if operation.given_up.done():
            await self._give_up(operation, operation.given_up.result())
        status = operation.task.result() if ended else await self._out_of_time(operation, limit)
        await self._post_result(command, status)

    def _begin(self, command: CommandResponse, limit: float) -> _Operation:
        loop = asyncio.get_running_loop()
        task = loop.create_task(operations.carry_out(self.servo, command), name=command.command.value)
        # Only a measurement says how long it takes.
        expected = own_seconds(command) if command.command is Commands.measure else limit
        pulse = Pulse(self.servo, command, expected)
        pulse.start()
        return _Operation(command, task, loop.create_future(), pulse)

    async def _out_of_time(self, operation: _Operation, seconds: float) -> Status:
        """End a command that takes too long; whoever heeds no cancellation is left behind."""
        status = operations.failure(
            timed_out(self.servo, operation.command, seconds), operation.command, self.servo
        )
        await _end(operation.task)
        return status

    async def _break_off(self, operation: _Operation) -> None:
        """The servo stops: end the command, let its handlers clean up, and tell the optimizer."""
        await _end(operation.task)
        if not self._stopping:
            return
        status = Status.from_error(
            EventCancelledError("The servo is shutting down", reason="shutdown"),
            command_uid=operation.command.command_uid,
        )
        with contextlib.suppress(httpx2.HTTPError, ServoError, TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self._post_status(operation.command, status, once=True)

    async def _give_up(self, operation: _Operation, error: ServoError) -> None:
        """The optimizer wants no more of a command: end it, confirm if it asked for that, and start over."""
        logger.warning("giving up {}: {}", operation.command.command.value, error, connector=self.servo)
        await _end(operation.task)
        if isinstance(error, EventCancelledError):
            status = Status(
                status=ServoStatuses.cancelled,
                message=str(error),
                reason=error.reason or Reasons.unknown,
                command_uid=operation.command.command_uid,
            )
            try:
                await self._post_status(operation.command, status)
            except (httpx2.HTTPError, ServoError) as failure:
                logger.warning("could not confirm the cancellation: {}", failure, connector=self.servo)
        raise _RestartNeeded

    async def _post_result(self, command: CommandResponse, status: Status) -> None:
        try:
            reply = await self._post_status(command, status)
        except ValueError as error:
            if isinstance(error, ServoError):
                raise
            failed = operations.failure(error, command, self.servo)
            reply = await self._post_status(command, failed)
        if reply.status != OptimizerStatuses.ok:
            why = reply.reason or reply.message or "no reason given"
            raise _ResultRefused(
                f"the optimizer answered the result of {command.command.value} with {reply.status} ({why})"
            )

    async def _post_status(self, command: CommandResponse, status: Status, *, once: bool = False) -> Status:
        event = command.command.response_event
        return read_status(await self.servo.client.post(event, status.dict(), once=once))

    async def _refuse(self, error: MalformedCommandError) -> None:
        """Answer a command whose parameter makes no sense, as far as it is clear which one it is."""
        if error.command in {None, Commands.sleep}:
            return
        assert error.command is not None
        command = CommandResponse(command=error.command, command_uid=error.command_uid, param=_PLACEHOLDER)
        status = Status(
            status=ServoStatuses.failed, message=str(error), reason=None, command_uid=error.command_uid
        )
        await self._post_status(command, status)

    async def _pause_after(self, error: Exception, failures: int) -> None:
        if is_unexpected_servo(error):
            await self._step_aside(error)
            return
        pause = max(MIN_PAUSE_SECONDS, full_jitter(failures + 1), retry_after(error) or 0.0)
        if isinstance(error, _EXPECTED):
            logger.warning("{}; next try in {:.1f} s", error, pause, connector=self.servo)
        else:
            logger.opt(exception=error).error("{}; next try in {:.1f} s", error, pause, connector=self.servo)
        await asyncio.sleep(pause)

    async def _step_aside(self, error: BaseException) -> None:
        logger.error(
            "{}; this servo asks again in {:g} s, stop it if it is no longer wanted",
            error,
            REPLACED_SECONDS,
            connector=self.servo,
        )
        await asyncio.sleep(REPLACED_SECONDS)

    @contextlib.asynccontextmanager
    async def _reporting_progress(self) -> Any:
        """Have an own progress handler unless the runner of the assembly has one for all."""
        if not self._own_handler:
            yield
            return
        self._progress = ProgressHandler(self._report_own)
        self._progress.install()
        try:
            yield
        finally:
            await self._progress.shutdown()
            self._progress = None

    async def _report_own(self, *, servo: Any, **report: Any) -> None:
        if servo is self.servo:
            await self.report_progress(**report)


_EXPECTED = (
    httpx2.HTTPError,
    MalformedCommandError,
    InvalidResponseError,
    _RestartNeeded,
    _ResultRefused,
)
_PLACEHOLDER: dict[str, Any] = {"metrics": [], "control": {}}


async def _end(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait for its handlers to clean up; one that does not heed this is left behind."""
    task.cancel()
    _, pending = await asyncio.wait({task}, timeout=CANCEL_SECONDS)
    if pending:
        logger.error("{} did not end {:g} s after it was cancelled", task.get_name(), CANCEL_SECONDS)

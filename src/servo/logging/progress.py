"""Progress reports made from log lines.

A log call with a truthy ``progress=`` is turned into a report where it is made, because only there the context says
whose progress it is. The report is posted later: each servo has a line of its own, one post at a time, so that a slow
optimizer holds up nobody else's reports, and the line is bounded, so that a dead one does not fill the memory.
"""

import asyncio
import inspect
import math
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from loguru import logger

from servo.context import current_command_uid, current_connector, current_event, current_servo
from servo.logging.formats import PROGRESS

if TYPE_CHECKING:
    from loguru import Message, Record

WAITING_PER_SERVO = 32
COMPLETE = 100

ProgressReporter = Callable[..., Awaitable[Any]]
ErrorReporter = Callable[[str], Any]
ExceptionHandler = Callable[[dict[str, Any], Exception], Any]


@dataclass(frozen=True)
class ProgressReport:
    """What a reporter is called with, as keyword arguments.

    ``progress`` is in percent, ``started_at`` when the event began, ``message`` the line as logged, newline included.
    """

    servo: Any
    connector: Any
    event_context: Any
    operation: str
    progress: float
    started_at: datetime
    message: str
    command_uid: str | None

    def as_arguments(self) -> dict[str, Any]:
        """Return the fields as the reporter's keyword arguments."""
        return dict(vars(self))


@dataclass
class _Line:
    waiting: deque[ProgressReport] = field(default_factory=lambda: deque(maxlen=WAITING_PER_SERVO))
    worker: "asyncio.Task[None] | None" = None
    post: "asyncio.Future[Any] | None" = None


class ProgressHandler:
    """A log sink that reports progress.

    Args:
        progress_reporter: called with the fields of :class:`ProgressReport` as keyword arguments.
        error_reporter: called with a sentence when a line cannot be reported; by default it is logged as a warning.
        exception_handler: called with the report's fields and what the reporter raised; sync or async.
        task_group: owner of the tasks that post; by default they belong to the loop.
    """

    def __init__(
        self,
        progress_reporter: ProgressReporter,
        error_reporter: ErrorReporter | None = None,
        exception_handler: ExceptionHandler | None = None,
        task_group: asyncio.TaskGroup | None = None,
    ) -> None:
        self._reporter = progress_reporter
        self._error_reporter = error_reporter or logger.warning
        self._exception_handler = exception_handler
        self._task_group = task_group
        self._lines: dict[int, _Line] = {}
        self._loop = _running_loop()
        self._handler_id: int | None = None

    def install(self) -> None:
        """Attach this to the log, whatever the level of the other sinks."""
        if self._handler_id is None:
            self._handler_id = logger.add(
                self.sink, level="DEBUG", format=PROGRESS, filter=_has_progress, diagnose=False
            )

    def sink(self, message: "Message") -> None:
        """Accept one log line, from any thread."""
        extra = message.record["extra"]
        if not extra.get("progress"):
            return
        self._loop = loop = self._loop or _running_loop()
        if loop is None or loop.is_closed():
            return
        report = _report(message, extra)
        if _running_loop() is not loop:
            loop.call_soon_threadsafe(self._accept, report)
        elif isinstance(report, str):
            # Later: a warning from within a sink would find loguru's own lock taken.
            loop.call_soon(self._accept, report)
        else:
            # Now: the handler may end, and its queue be cleared, before the loop turns again.
            self._accept(report)

    def clear_progress_queue(self, servo: Any = None) -> None:
        """Drop what waits to be posted, for one servo or for all, and give up the post under way.

        Called before a final result is posted: progress that arrives after it would put the optimizer out of step.
        """
        lines = self._lines.values() if servo is None else filter(None, [self._lines.get(id(servo))])
        for line in lines:
            line.waiting.clear()
            if line.post is not None:
                line.post.cancel()

    async def shutdown(self) -> None:
        """Leave the log, drop what waits, and end the tasks."""
        if self._handler_id is not None:
            logger.remove(self._handler_id)
            self._handler_id = None
        me = asyncio.current_task()
        workers = [line.worker for line in self._lines.values() if line.worker not in {None, me}]
        self._lines.clear()
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    def _accept(self, report: "ProgressReport | str | None") -> None:
        if isinstance(report, str):
            self._error_reporter(report)
        elif report is not None:
            line = self._lines.setdefault(id(report.servo), _Line())
            line.waiting.append(report)
            if line.worker is None:
                line.worker = self._spawn(self._work(id(report.servo), line))

    def _spawn(self, work: Any) -> "asyncio.Task[None]":
        create = self._task_group.create_task if self._task_group is not None else asyncio.create_task
        return create(work, name="servo progress reports")

    async def _work(self, key: int, line: _Line) -> None:
        try:
            while line.waiting:
                await self._post(line, line.waiting.popleft())
        finally:
            line.worker = None
            if self._lines.get(key) is line and not line.waiting:
                del self._lines[key]

    async def _post(self, line: _Line, report: ProgressReport) -> None:
        line.post = asyncio.ensure_future(self._reporter(**report.as_arguments()))
        try:
            await asyncio.wait([line.post])
        finally:
            post, line.post = line.post, None
            if not post.done():  # this worker is being cancelled
                post.cancel()
        if not post.cancelled() and (error := post.exception()) is not None:
            await self._failed(report, error)

    async def _failed(self, report: ProgressReport, error: BaseException) -> None:
        if self._exception_handler is None or not isinstance(error, Exception):
            self._error_reporter(f"failed to report progress of {report.operation}: {error}")
            return
        answer = self._exception_handler(report.as_arguments(), error)
        if inspect.isawaitable(answer):
            await answer


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _has_progress(record: "Record") -> bool:
    return bool(record["extra"].get("progress"))


def _report(message: "Message", extra: dict[str, Any]) -> ProgressReport | str | None:
    try:
        progress = float(extra["progress"])
    except (TypeError, ValueError):
        return _declined("its progress is not a number")
    if not progress or not math.isfinite(progress) or int(progress) == COMPLETE:
        return None
    event = extra.get("event_context") or current_event()
    fields: dict[str, Any] = {
        "servo": extra.get("servo") or current_servo(),
        "connector": extra.get("connector") or current_connector(),
        "operation": extra.get("operation") or (event.operation() if event is not None else None),
        "started_at": extra.get("started_at") or getattr(event, "created_at", None),
    }
    missing = [name for name, value in fields.items() if value is None]
    if missing:
        return _declined(f"no {missing[0]} is known")
    return ProgressReport(
        **fields,
        event_context=event,
        progress=progress,
        message=str(message),
        command_uid=current_command_uid(),
    )


def _declined(why: str) -> str:
    return f"declining request to report progress of a log message: {why}"

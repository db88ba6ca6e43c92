"""Sends what the journal says is due, until it is taken or given up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from servo.connectors.builds.backend import TOO_LARGE, Backend, Submission
from servo.connectors.builds.build import Build, Missing, Part, compact
from servo.connectors.builds.configuration import BuildsConfiguration
from servo.connectors.builds.errors import (
    JournalFullError,
    PassingError,
    RefusedError,
    UnavailableError,
)
from servo.connectors.builds.journal import Journal, Record, records
from servo.connectors.builds.metrics import Metrics
from servo.connectors.builds.parts import Parts
from servo.connectors.builds.patience import Gate, jittered
from servo.connectors.builds.spool import Spool
from servo.logging import logger

__all__ = ["Submitter"]

AHEAD = 8  # builds that are read from the journal at once, for each worker
LEAST_AHEAD = 256
UNMARKED = 1_000
PART_PATIENCE = 600.0
_LONGEST_SLEEP = 1.0  # another process may write to the journal, and tells nobody
_PAUSE = 2.0
_LAST_WORDS = 5.0
_MAX_ANSWER = 16 * 1024

_COUNTED = {
    Part.base: ("build_watcher_image_submission_total", "base", "base_image_analysis"),
    Part.output: ("build_watcher_image_submission_total", "output", "output_image_analysis"),
    Part.log: ("build_watcher_build_log_submission_total", "log", "buildlog_analysis"),
}


class Submitter:
    """Workers that share a queue on disk.

    What a worker has in hand is in the journal as waiting; if the agent is killed, it is sent again with the same
    `Idempotency-Key`.

    Args:
        config: How many workers, and how patient they are.
        journal: The queue.
        spool: Logs that wait.
        parts: Collects what is sent.
        backend: Takes it.
        metrics: What counts.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        config: BuildsConfiguration,
        journal: Journal,
        spool: Spool,
        *,
        parts: Parts,
        backend: Backend,
        metrics: Metrics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config, self._journal, self._spool = config, journal, spool
        self._parts, self._backend, self._metrics, self._clock = parts, backend, metrics, clock
        self._first = config.retry.first.total_seconds()
        self._longest = config.retry.longest.total_seconds()
        self._give_up = config.retry.give_up.total_seconds()
        self._in_hand: set[int] = set()
        self._ready: asyncio.Queue[Record] = asyncio.Queue()
        self._marks: list[tuple[Record, str, bool]] = []
        self._marking: asyncio.Task[None] | None = None
        self._marked = asyncio.Event()
        self._woken = asyncio.Event()
        self.gate = Gate(self._first, self._longest)

    def wake(self) -> None:
        """Tell that there is something new in the journal."""
        self._woken.set()

    async def run(self) -> None:
        """Send what is due, until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for number in range(self._config.workers):
                    tasks.create_task(self._work(), name=f"builds:worker-{number}")
                tasks.create_task(self._fetch(), name="builds:queue")
        finally:
            # What was taken is written down, if the disk lets us, also when we are told to end.
            self._in_hand.clear()
            if self._marking is not None:
                await asyncio.wait([self._marking], timeout=_LAST_WORDS)

    async def _fetch(self) -> None:
        while True:
            self._woken.clear()
            try:
                due = await self._due()
            except JournalFullError as error:
                self._complain(error)
                await asyncio.sleep(_PAUSE)
                continue
            for record in due:
                self._in_hand.add(record.sequence)
                self._ready.put_nowait(record)
            if self._ready.qsize() > self._config.workers:
                await self._woken.wait()
            elif not due:
                await self._until_something_is_due()

    async def _due(self) -> list[Record]:
        room = max(LEAST_AHEAD, self._config.workers * AHEAD) - self._ready.qsize()
        if room <= 0:
            return []
        return await self._journal.read(records.due, self._clock(), room, frozenset(self._in_hand))

    async def _until_something_is_due(self) -> None:
        at = await self._journal.read(records.next_due, frozenset(self._in_hand))
        pause = _LONGEST_SLEEP if at is None else max(0.0, min(_LONGEST_SLEEP, at - self._clock()))
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._woken.wait()

    async def _work(self) -> None:
        while True:
            record = await self._ready.get()
            if self._ready.qsize() <= self._config.workers:
                self._woken.set()
            taken = False
            try:
                taken = await self._handle(record) is not None
            except JournalFullError as error:
                self._complain(error)
                await asyncio.sleep(_PAUSE)
            except Exception as error:  # noqa: BLE001 - a defect that one build brings out must not keep the others
                logger.opt(exception=error).error(f"{record.build.identity} could not be handled")
                await self._postpone(record, f"the agent failed: {type(error).__name__}")
            finally:
                if not taken:
                    self._in_hand.discard(record.sequence)
                    self._woken.set()

    async def handle(self, record: Record) -> dict[str, Any] | None:
        """Try to send a build once, and write down what came of it; return the answer if it was taken."""
        answer = await self._handle(record)
        if self._marking is not None:
            await self._marking
        return answer

    async def _handle(self, record: Record) -> dict[str, Any] | None:
        build = record.build
        late = self._clock() - record.seen_at
        try:
            submission = await self._parts.collect(build, patient=late < PART_PATIENCE)
        except PassingError as error:
            await self._postpone(record, str(error))
            return None
        try:
            answer = await self._sent(submission)
        except RefusedError as error:
            await self._bury(build, submission, str(error))
        except UnavailableError as error:
            self._keep(build, submission)
            if late > self._give_up:
                await self._bury(build, submission, f"given up after {late / 3600:.0f} h: {error}")
            else:
                await self._postpone(record, str(error), error.after)
        else:
            await self._mark(record, _stored(answer, submission), kept=self._parts.is_kept(build))
            self._count(build, submission, answer)
            return answer
        finally:
            if submission.log is not None:
                submission.log.close()
        return None

    async def _sent(self, submission: Submission) -> dict[str, Any]:
        if submission.is_empty:
            reasons = "; ".join(f"{each.part}: {each.reason}" for each in submission.missing)
            raise RefusedError(f"nothing of it could be had ({reasons or 'it has no parts that are sent'})")
        probing = await self.gate.enter()
        away: UnavailableError | None = None
        try:
            return await self._posted(submission)
        except UnavailableError as error:
            away = None if error.alone else error
            raise
        finally:
            self.gate.leave(probing=probing, error=away)

    async def _posted(self, submission: Submission) -> dict[str, Any]:
        try:
            return await self._backend.submit(submission)
        except RefusedError as error:
            if error.status != TOO_LARGE or submission.log is None or not submission.images:
                raise
        submission.log.close()
        submission.log = None
        submission.missing.append(Missing(Part.log, "it is too large for the backend"))
        return await self._backend.submit(submission)

    def _keep(self, build: Build, submission: Submission) -> None:
        """Keep the log of a build that waits: its source may not have it for ever."""
        if submission.log is None or self._parts.is_kept(build):
            return
        try:
            self._spool.save(build.identity, submission.log)
        except JournalFullError as error:
            self._complain(error)

    async def _postpone(self, record: Record, reason: str, after: float | None = None) -> None:
        wait = jittered(record.attempts, self._first, self._longest) if after is None else after
        now = self._clock()
        await self._settle(records.postponed, record.build.identity, now + wait, reason, now)
        self._counted(record.build, "postponed")

    async def _bury(self, build: Build, submission: Submission, reason: str) -> None:
        self._keep(build, submission)
        await self._settle(records.buried, build.identity, reason, self._clock())
        self._counted(build, "tombstone")
        logger.warning(
            f"{build.identity} ({build.name}) is not sent: {reason}; see `servo builds show {build.identity}`"
        )

    async def _mark(self, record: Record, answer: str, *, kept: bool) -> None:
        """Have it written down that a build was taken, with others, in the next commit.

        A worker does not wait for that: each build would cost a write of its own. An agent that is killed before sends what is
        not written down (at most `UNMARKED` builds) once more, with the same key.
        """
        while len(self._marks) >= UNMARKED:
            self._marked.clear()
            await self._marked.wait()
        self._marks.append((record, answer, kept))
        if self._marking is None:
            self._marking = asyncio.create_task(self._write_marks(), name="builds:marks")

    async def _write_marks(self) -> None:
        try:
            while self._marks:
                marks = list(self._marks)
                taken = [(record.sequence, answer) for record, answer, _ in marks]
                await self._settle(records.submitted, taken, self._clock())
                del self._marks[: len(marks)]
                for record, _, kept in marks:
                    if kept:
                        self._spool.remove(record.build.identity)
                    self._in_hand.discard(record.sequence)
                self._marked.set()
                self._woken.set()
        finally:
            self._marking = None

    async def _settle(self, change: Callable[..., object], *args: object) -> None:
        """Write down what happened, however long that takes: it must not happen again for want of a line."""
        while True:
            try:
                await self._journal.write(change, *args)
            except JournalFullError as error:
                self._complain(error)
                await asyncio.sleep(_PAUSE)
            else:
                return

    def _complain(self, error: JournalFullError) -> None:
        self._metrics.count("build_watcher_journal_errors_total")
        logger.error(str(error))

    def _count(self, build: Build, submission: Submission, answer: Mapping[str, Any]) -> None:
        self._counted(build, "submitted")
        sent = {*submission.images, *([Part.log] if submission.log else [])}
        for part, (name, kind, key) in _COUNTED.items():
            if part in sent:
                self._metrics.count(name, kind, _outcome(answer.get(key)), namespace=build.namespace)
        for each in submission.missing:
            name, kind, _ = _COUNTED[each.part]
            self._metrics.count(name, kind, "missing", namespace=build.namespace)

    def _counted(self, build: Build, outcome: str) -> None:
        self._metrics.count("build_watcher_builds_total", build.source, outcome, namespace=build.namespace)


def _outcome(part: Any) -> str:
    if not isinstance(part, dict) or "error" in part or not part.get("analysis_id"):
        return "rejected"
    return "cached" if part.get("cached") else "accepted"


def _stored(answer: Mapping[str, Any], submission: Submission) -> str:
    """What the journal keeps of an answer: the ids, and what was missing."""
    kept = dict(answer)
    if submission.missing:
        kept["missing"] = [{"part": str(each.part), "reason": each.reason} for each in submission.missing]
    text = compact(kept)
    return text if len(text) <= _MAX_ANSWER else compact({"build_analysis": answer.get("build_analysis")})

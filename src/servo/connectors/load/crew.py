"""The agent's side of a load: starts the generator processes, adds up what they report, and ends them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from hdrh.histogram import HdrHistogram

from servo.connectors.load.plan import Plan
from servo.connectors.load.tally import Tally

READY_WITHIN = 30.0
"""Seconds a generator process may take to start and to resolve names."""

_HEAD_START = 0.05
_GRACE = 15.0
_LAST_SECONDS = 1.0
_MAX_LINE = 64 * 1024 * 1024
_MAX_COMPLAINT = 4096

Live = Callable[[Tally], Awaitable[None]]


class LoadError(RuntimeError):
    """A load could not be generated; the message says why."""


@dataclass(slots=True)
class Outcome:
    """What came of a load.

    Attributes:
        plan: What was asked for.
        batches: Tallies of all processes together: in order of time, warm-up included.
        lag: Histogram (microseconds) of how late requests left because the generator was late.
        cpu_share: Share of a core that the busiest process used while it measured.
        connections: Connections opened.
        waited: Requests that found every connection busy.
        retried: Requests sent again because a kept-alive connection had been closed.
    """

    plan: Plan
    batches: list[Tally]
    lag: HdrHistogram
    cpu_share: float
    connections: int
    waited: int
    retried: int

    @property
    def measured(self) -> list[Tally]:
        """The batches that count."""
        return [batch for batch in self.batches if batch.measured]


async def generate(plan: Plan, *, processes: int = 1, live: Live | None = None) -> Outcome:
    """Generate a load and wait for its end.

    Args:
        plan: What to generate.
        processes: How many processes share it.
        live: Called with the tally of each interval; the load ends at once when it raises.

    Raises:
        LoadError: A process could not start, or ended early.
    """
    async with _crew(plan.split(processes)) as workers:
        start = time.monotonic() + _HEAD_START
        for worker in workers:
            worker.begin(start)
        meeting = _Meeting(len(workers), live)
        try:
            async with asyncio.timeout(plan.duration + plan.timeout + _GRACE), asyncio.TaskGroup() as group:
                followed = [group.create_task(worker.follow(meeting)) for worker in workers]
        except TimeoutError:
            raise LoadError("the load generator did not come to its end in time") from None
        except ExceptionGroup as group_of_errors:
            raise _first(group_of_errors) from None
    return _outcome(plan, [task.result() for task in followed])


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class _Meeting:
    """Where the live reports of several processes are added up."""

    def __init__(self, members: int, live: Live | None) -> None:
        self._members = members
        self._live = live
        self._waiting: dict[int, list[Tally]] = {}

    async def report(self, turn: int, tally: Tally) -> None:
        reports = self._waiting.setdefault(turn, [])
        reports.append(tally)
        if len(reports) < self._members:
            return
        del self._waiting[turn]
        first = reports[0]
        for other in reports[1:]:
            first.add(other)
        if self._live:
            await self._live(first)


class _Worker:
    """One generator process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        assert process.stdin
        assert process.stdout
        assert process.stderr
        self._stdin, self._stdout, self._stderr = process.stdin, process.stdout, process.stderr

    async def prepare(self, plan: Plan) -> None:
        with contextlib.suppress(ConnectionError):
            self._stdin.write(json.dumps(plan.dump()).encode() + b"\n")
            await self._stdin.drain()
        await self._next("ready")

    def begin(self, start: float) -> None:
        self._stdin.write(f"{start!r}\n".encode())

    async def follow(self, meeting: _Meeting) -> dict[str, Any]:
        turn = 0
        while (message := await self._next("live", "done"))["kind"] == "live":
            await meeting.report(turn, Tally.load(message["tally"]))
            turn += 1
        return message

    async def _next(self, *kinds: str) -> dict[str, Any]:
        line = await self._stdout.readline()
        message: dict[str, Any] = (
            json.loads(line) if line else {"kind": "failed", "reason": await self._complaint()}
        )
        if message["kind"] not in kinds:
            raise LoadError(f"the load generator failed: {message.get('reason', message['kind'])}")
        return message

    async def _complaint(self) -> str:
        lines = (await self._stderr.read(_MAX_COMPLAINT)).decode(errors="replace").strip().splitlines()
        code = await self._process.wait()
        return lines[-1] if lines else f"it ended with {code}"

    async def end(self) -> None:
        # It ends when its input does. To kill it at once would race with its own end for the exit code, of which
        # asyncio complains up to Python 3.11.
        self._stdin.close()
        try:
            async with asyncio.timeout(_LAST_SECONDS):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


@contextlib.asynccontextmanager
async def _crew(plans: list[Plan]) -> AsyncIterator[list[_Worker]]:
    workers: list[_Worker] = []
    try:
        for _ in plans:
            workers.append(_Worker(await _spawn()))  # noqa: PERF401 - those already started must be ended
        async with asyncio.timeout(READY_WITHIN):
            await asyncio.gather(*(w.prepare(plan) for w, plan in zip(workers, plans, strict=True)))
        yield workers
    finally:
        # Also when this task is cancelled, now and while it waits: no generator outlives its measurement.
        await asyncio.shield(asyncio.gather(*(worker.end() for worker in workers)))


async def _spawn() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "servo.connectors.load.worker",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_MAX_LINE,
        start_new_session=True,  # Ctrl-C is for the agent, which ends its generators itself
    )


def _outcome(plan: Plan, reports: list[dict[str, Any]]) -> Outcome:
    batches = [Tally.load(batch) for batch in reports[0]["batches"]]
    lag = HdrHistogram.decode(reports[0]["lag"])
    for report in reports[1:]:
        for batch, other in zip(batches, report["batches"], strict=True):
            batch.add(Tally.load(other))
        lag.add(HdrHistogram.decode(report["lag"]))
    return Outcome(
        plan=plan,
        batches=batches,
        lag=lag,
        cpu_share=max(report["cpu_share"] for report in reports),
        connections=sum(report["connections"] for report in reports),
        waited=sum(report["waited"] for report in reports),
        retried=sum(report["retried"] for report in reports),
    )

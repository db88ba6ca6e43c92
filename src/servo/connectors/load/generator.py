"""The loop that sends what is due, whatever the application does."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from servo.connectors.load.arrivals import arrivals
from servo.connectors.load.exchange import Exchange
from servo.connectors.load.plan import Plan
from servo.connectors.load.pool import Connect, Pool, connector
from servo.connectors.load.recorder import Recorder
from servo.connectors.load.requests import Origin, sequence
from servo.connectors.load.tally import Tally
from servo.connectors.load.ticker import Ticker, best_ticker

SWEEP = 0.01
"""Seconds between two looks for requests that took too long."""

_PAUSE = 0.05  # a user whose request failed does not hammer on


@dataclass(slots=True)
class Tools:
    """What tests replace: the clock, the wake-up call, how connections are opened."""

    clock: Callable[[], float] = time.monotonic
    ticker: Callable[[Callable[[], None]], Ticker] = best_ticker
    connect: Callable[[Origin, ssl.SSLContext | None], Connect] | None = None


class Generator:
    """Generates the load of one plan, once.

    Args:
        plan: What to do.
        tools: What to do it with.

    Attributes:
        recorder: What became of the requests.
    """

    def __init__(self, plan: Plan, tools: Tools | None = None) -> None:
        self.plan = plan
        self.recorder = Recorder(plan.phases, plan.batches)
        self._tools = tools or Tools()
        self._clock = self._tools.clock
        self._requests = sequence(plan.requests, shuffled=plan.shuffled, seed=plan.seed + plan.shard)
        self._arrivals: Iterator[float] = iter(())
        self._pools: list[Pool] = []
        self._pending: dict[Exchange, None] = {}  # in order of time, and cheap to leave from anywhere
        self._due: float | None = None
        self._start = 0.0
        self._ticker: Ticker | None = None
        self._finished: asyncio.Future[None] | None = None

    async def prepare(self) -> None:
        """Resolve names and set up the pools.

        Raises:
            OSError: A host cannot be resolved, or the certificates cannot be read.
        """
        for origin in self.plan.origins:
            self._pools.append(self._pool(await self._connector(origin)))

    async def _connector(self, origin: Origin) -> Connect:
        context = None
        if origin.scheme == "https":
            context = ssl.create_default_context(cafile=self.plan.ca_file)
        if self._tools.connect:
            return self._tools.connect(origin, context)
        return await connector(origin, context)

    def _pool(self, connect: Connect) -> Pool:
        return Pool(
            connect,
            limit=max(self.plan.connections // len(self.plan.origins), 1),
            timeout=self.plan.timeout,
            max_body=self.plan.max_body,
            answered=self._answered,
            failed=self._failed,
        )

    async def run(self, start: float) -> None:
        """Generate the load and wait for the last answers, at most the time limit of a request.

        Args:
            start: When to begin, in seconds of the clock.
        """
        self._start = start
        self._finished = asyncio.get_running_loop().create_future()
        self._ticker = self._tools.ticker(self._tick)
        self._prime()
        self._ticker.arm(start)
        try:
            await self._finished
        finally:
            self.close()

    def close(self) -> None:
        """Stop at once."""
        if self._ticker:
            self._ticker.close()
        for pool in self._pools:
            pool.close()

    def _prime(self) -> None:
        plan = self.plan
        if plan.concurrency is None:
            self._arrivals = arrivals(
                plan.phases, shard=plan.shard, shards=plan.shards, poisson=plan.poisson, seed=plan.seed
            )
        else:
            self._arrivals = iter([0.0] * plan.concurrency)
        self._due = next(self._arrivals, None)

    def now(self) -> float:
        """Seconds since the beginning of the load."""
        return self._clock() - self._start

    def _tick(self) -> None:
        now = self.now()
        if self._due is not None and self._due <= now:
            self._release(now)
        self._sweep(now)
        if now >= self.plan.duration and not self._pending:
            self._finish()
        elif self._ticker:
            # Due times are looked at when they come; overdue answers every few milliseconds.
            wake = now + SWEEP if self._due is None else min(self._due, now + SWEEP)
            self._ticker.arm(self._start + wake)

    def _release(self, now: float) -> None:
        first, count = self._due or 0.0, 0
        while self._due is not None and self._due <= now:
            self._send(self._due)
            self._due = next(self._arrivals, None)
            count += 1
        if self.plan.concurrency is None:
            self.recorder.late(now - first, count)

    def _send(self, intended: float) -> None:
        exchange = Exchange(next(self._requests), intended, self.recorder.released(intended))
        self._pending[exchange] = None
        self._pools[exchange.request.origin].submit(exchange)

    def _sweep(self, now: float) -> None:
        limit = now - self.plan.timeout
        while (exchange := next(iter(self._pending), None)) is not None and exchange.intended <= limit:
            self._conclude(exchange)
            self.recorder.failed(exchange.batch, "timeout", now - exchange.intended)
            self._pools[exchange.request.origin].give_up(exchange)
            self._again(0.0)

    def _answered(self, exchange: Exchange, status: int, received: int) -> None:
        now = self.now()
        self._conclude(exchange)
        if status in self.plan.expect:
            self.recorder.succeeded(exchange.batch, now - exchange.intended, now, received)
            self._again(0.0)
        else:
            self.recorder.failed(exchange.batch, f"status-{status}")
            self._again(_PAUSE)

    def _failed(self, exchange: Exchange, kind: str) -> None:
        self._conclude(exchange)
        self.recorder.failed(exchange.batch, kind)
        self._again(_PAUSE)

    def _conclude(self, exchange: Exchange) -> None:
        exchange.done = True
        del self._pending[exchange]

    def _again(self, pause: float) -> None:
        if self.plan.concurrency is not None and self.now() + pause < self.plan.duration:
            asyncio.get_running_loop().call_later(pause, self._next_turn)

    def _next_turn(self) -> None:
        if (now := self.now()) < self.plan.duration and self._finished and not self._finished.done():
            self._send(now)

    def _finish(self) -> None:
        if self._finished and not self._finished.done():
            self._finished.set_result(None)

    def totals(self) -> tuple[int, int, int]:
        """Connections opened, requests that waited for one, requests sent again."""
        return (
            sum(pool.opened for pool in self._pools),
            sum(pool.waited for pool in self._pools),
            sum(pool.retried for pool in self._pools),
        )

    def flush(self) -> Tally:
        """The live report since the last one."""
        return self.recorder.flush(self.now())

"""The process that generates a load.

It is a process of its own so that nothing else the agent does (messages, logs, other connectors, an optimizer
in the same process) shows as latency of the application. It imports nothing but what it needs, reads one plan from its
standard input, and writes JSON lines: `ready`, one `live` per interval, and `done` or `failed`. It ends when its input ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import sys
import time
from collections.abc import Coroutine
from typing import Any, TextIO

import uvloop

from servo.connectors.load.generator import Generator
from servo.connectors.load.plan import Plan

_NICE = -10
_ENOUGH_CORES = 2
_MAX_BUFFERED = 1024 * 1024


class Reporter:
    """Writes JSON lines without ever making the load wait for who reads them."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport

    def __call__(self, kind: str, **fields: Any) -> None:
        """Write one message; a live report is left out when nobody reads."""
        if kind != "live" or self._transport.get_write_buffer_size() < _MAX_BUFFERED:
            self._transport.write(json.dumps({"kind": kind} | fields).encode() + b"\n")


def main() -> int:
    """Run one plan; the exit code is 0 whenever a report was written."""
    plan = Plan.load(json.loads(sys.stdin.readline()))
    if plan.prompt:
        _prioritise()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(plan, sys.stdin))
    return 0


def _prioritise() -> None:
    # A late generator measures itself: next to a busy machine's other work a real-time priority makes it 37 µs late
    # instead of 6 ms (99th percentile). It needs little time; the kernel keeps a share for the others in any case.
    # The right to be preferred is not always given, and not needed.
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    with contextlib.suppress(OSError):
        if (os.cpu_count() or 1) >= _ENOUGH_CORES:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(os.sched_get_priority_min(os.SCHED_RR)))


async def _serve(plan: Plan, stdin: TextIO) -> None:
    loop = asyncio.get_running_loop()
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), stdin)
    transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, sys.stdout)
    report = Reporter(transport)
    generator = Generator(plan)
    try:
        await generator.prepare()
    except OSError as error:
        report("failed", reason=f"{error.strerror or error}")
    else:
        report("ready")
        if line := await commands.readline():
            await _until_orphaned(_generate(generator, float(line), report), commands)
    await _drain(transport)


async def _until_orphaned(load: Coroutine[Any, Any, None], commands: asyncio.StreamReader) -> None:
    running = asyncio.ensure_future(load)
    orphaned = asyncio.ensure_future(commands.read())
    await asyncio.wait({running, orphaned}, return_when=asyncio.FIRST_COMPLETED)
    orphaned.cancel()
    if not running.done():
        running.cancel()
    elif error := running.exception():
        raise error


async def _generate(generator: Generator, start: float, report: Reporter) -> None:
    gc.collect()
    gc.freeze()
    gc.disable()  # a load is short, its garbage is freed by reference counts; a collection is a stall
    live = asyncio.ensure_future(_report_live(generator, start, report))
    usage = asyncio.ensure_future(_cpu_share(start + generator.plan.warmup, generator.plan))
    await generator.run(start)
    live.cancel()
    report("done", **_result(generator), cpu_share=await usage)


async def _report_live(generator: Generator, start: float, report: Reporter) -> None:
    plan = generator.plan
    await asyncio.sleep(start + plan.warmup - time.monotonic())
    generator.recorder.restart_live(generator.now())
    turn = 0
    while True:
        turn += 1
        due = start + plan.warmup + turn * plan.interval
        await asyncio.sleep(max(due - time.monotonic(), 0.0))
        report("live", tally=generator.flush().dump())


async def _cpu_share(begin: float, plan: Plan) -> float:
    await asyncio.sleep(begin - time.monotonic())
    used, began = time.process_time(), time.monotonic()
    await asyncio.sleep(plan.duration - plan.warmup)
    return (time.process_time() - used) / max(time.monotonic() - began, 1e-9)


def _result(generator: Generator) -> dict[str, Any]:
    opened, waited, retried = generator.totals()
    recorder = generator.recorder
    return {
        "batches": [batch.dump() for batch in recorder.batches],
        "lag": recorder.lag.encode().decode("ascii"),
        "connections": opened,
        "waited": waited,
        "retried": retried,
    }


async def _drain(transport: asyncio.WriteTransport) -> None:
    while transport.get_write_buffer_size():  # noqa: ASYNC110 - a transport announces its emptiness to no event
        await asyncio.sleep(0.001)
    transport.close()


if __name__ == "__main__":
    raise SystemExit(main())

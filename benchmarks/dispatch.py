"""What it costs to dispatch an event to handlers, against doing the same by hand and against other libraries.

Run it with ``python -m benchmarks.dispatch [--json FILE]``. Subjects take turns in short bursts, so that whatever else
the machine does falls on all alike; of each the best burst counts, the one least disturbed, and the median is shown
beside it.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import blinker
import pluggy

from servo.configuration import BaseConfiguration
from servo.connector import BaseConnector
from servo.dispatch import Bus
from servo.events import EventResult, after_event, before_event, create_event, get_event, on_event

BURST = 200
AIMS = {1: 5.0, 10: 20.0}
SERVOX = {1: 201, 10: 662}
"""Microseconds of ServoX 25.3.0, measured on the same kind of machine; for orientation, not for a ratio."""

Subject = Callable[[], Awaitable[Any]]


async def benchmark_event(self: Any, value: int) -> int: ...


async def unanswered_event(self: Any, value: int) -> int: ...


class Ready(BaseConnector):
    """Answers without waiting."""

    config: BaseConfiguration


class Waiting(Ready):
    """Waits for one turn of the loop."""


class Surrounded(Ready):
    """Answers before and after, too."""


def run() -> dict[str, Any]:
    """Measure, and return rows of ``subject``, ``handlers``, ``best_us``, ``median_us`` and the burst's size."""
    rows = asyncio.run(_measure(_declared(), rounds=5 if os.environ.get("TRIMTAB_BENCH_QUICK") else 150))
    best = {(row["subject"], row["handlers"]): row["best_us"] for row in rows}
    aims = {
        f"dispatch to {size} async handler{'s' if size > 1 else ''} ≤ {limit:g} µs": {
            "measured": f"{best['dispatch', size]:.1f} µs; ServoX {SERVOX[size]} µs",
            "reached": best["dispatch", size] <= limit,
        }
        for size, limit in AIMS.items()
    }
    return {"name": "dispatch", "rows": rows, "aims": aims, "notes": _NOTES}


_NOTES = """`dispatch`: handlers that answer without waiting. `dispatch, waiting`: handlers that wait once; from there
on each is a task of asyncio's, as is each child of `TaskGroup`. `bare loop` runs each coroutine until it first
suspends, without a task: the least that can be done, and wrong as soon as a handler asks for its task.
blinker awaits its receivers one after the other; pluggy's are synchronous."""


def _declared() -> dict[int, dict[str, Subject]]:
    if get_event("benchmark_event", None) is None:
        create_event("benchmark_event", benchmark_event)
        create_event("unanswered_event", unanswered_event)
        _add_handlers()
    return {size: _subjects(size) for size in (0, 1, 10)}


def _add_handlers() -> None:
    @on_event("benchmark_event")
    async def answer(self: Any, value: int) -> int:  # noqa: ARG001  a method
        return value

    @on_event("benchmark_event")
    async def wait(self: Any, value: int) -> int:  # noqa: ARG001  as above
        await asyncio.sleep(0)
        return value

    @before_event("benchmark_event")
    async def before(self: Any, value: int) -> None: ...

    @after_event("benchmark_event")
    async def after(self: Any, results: list[EventResult]) -> None: ...

    for connector_type, handlers in (
        (Ready, [answer]),
        (Waiting, [wait]),
        (Surrounded, [before, answer, after]),
    ):
        for handler in handlers:
            declared = handler.__event_handler__
            connector_type.add_event_handler("benchmark_event", declared.preposition, handler)


def _subjects(size: int) -> dict[str, Subject]:
    if not size:
        idle = _bus(Ready, 1)
        return {"dispatch": lambda: idle.dispatch_event("unanswered_event", 1)}
    ready, waiting, surrounded = (_bus(kind, size) for kind in (Ready, Waiting, Surrounded))
    return {
        "dispatch": lambda: ready.dispatch_event("benchmark_event", 1),
        "dispatch, before and after": lambda: surrounded.dispatch_event("benchmark_event", 1),
        "dispatch, waiting": lambda: waiting.dispatch_event("benchmark_event", 1),
        **_floors(size),
        **_libraries(size),
    }


def _bus(kind: type[Ready], size: int) -> Ready:
    members = [kind(name=f"connector-{index}", config=BaseConfiguration()) for index in range(size)]
    bus = Bus(members)
    for member in members:
        member.__connectors__ = bus
    return members[0]


def _floors(size: int) -> dict[str, Subject]:
    async def handler(value: int) -> int:
        return value

    async def plain_await() -> list[int]:
        return [await handler(1) for _ in range(size)]

    async def bare_loop() -> list[int]:
        values = []
        for _ in range(size):
            try:
                handler(1).send(None)
            except StopIteration as stop:
                values.append(stop.value)
        return values

    async def gather() -> list[int]:
        return await asyncio.gather(*[handler(1) for _ in range(size)])

    async def waiting(value: int) -> int:
        await asyncio.sleep(0)
        return value

    async def task_group(handler: Callable[[int], Any] = handler) -> list[int]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(handler(1)) for _ in range(size)]
        return [task.result() for task in tasks]

    return {
        "plain await": plain_await,
        "bare loop": bare_loop,
        "asyncio.gather": gather,
        "asyncio.TaskGroup": task_group,
        "asyncio.TaskGroup, waiting": lambda: task_group(waiting),
    }


def _libraries(size: int) -> dict[str, Subject]:
    signal = blinker.Signal()
    receivers = [_receiver() for _ in range(size)]
    for receiver in receivers:
        signal.connect(receiver)

    hookspec, hookimpl = pluggy.HookspecMarker("benchmark"), pluggy.HookimplMarker("benchmark")

    class Specification:
        @hookspec
        def answer(self, value: int) -> int: ...

    class Plugin:
        @hookimpl
        def answer(self, value: int) -> int:
            return value

    manager = pluggy.PluginManager("benchmark")
    manager.add_hookspecs(Specification)
    for _ in range(size):
        manager.register(Plugin())

    async def send() -> Any:
        # The receivers are named here to keep them: the signal refers to them weakly.
        return receivers and await signal.send_async("sender", value=1)

    async def call() -> Any:
        return manager.hook.answer(value=1)

    return {"blinker": send, "pluggy": call}


def _receiver() -> Callable[..., Awaitable[int]]:
    async def receive(_sender: Any, value: int) -> int:
        return value

    return receive


async def _measure(subjects: dict[int, dict[str, Subject]], *, rounds: int) -> list[dict[str, Any]]:
    times: dict[tuple[int, str], list[float]] = {
        (size, name): [] for size, named in subjects.items() for name in named
    }
    for _ in range(rounds):
        for (size, name), seen in times.items():
            seen.append(await _burst(subjects[size][name]))
    return [
        {
            "subject": name,
            "handlers": size,
            "best_us": round(min(seen), 2),
            "median_us": round(statistics.median(seen), 2),
            "bursts": f"{rounds} of {BURST}",
        }
        for (size, name), seen in times.items()
    ]


async def _burst(subject: Subject) -> float:
    started = time.perf_counter()
    for _ in range(BURST):
        await subject()
    return (time.perf_counter() - started) / BURST * 1e6


def main(arguments: list[str]) -> None:
    """Print the table; with ``--json FILE`` write the numbers, too."""
    from benchmarks.measure import measure, write
    from benchmarks.report import plain

    result = measure("dispatch")
    print(plain(result))
    if arguments[:1] == ["--json"]:
        write(result, Path(arguments[1]))


if __name__ == "__main__":
    main(sys.argv[1:])

"""Servos in one process: what one costs in memory and CPU, and how fast a command is answered.

Each size runs in a process of its own against a stub optimizer in another: servos say hello, poll, sleep as told, and
one poll in ten is answered with a command whose result is timed at the stub. ``TRIMTAB_BENCH_QUICK=1`` stops at 500.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

from benchmarks.report import plain

SIZES = (100, 1_000, 10_000)
QUICK_SIZES = (100, 500)
TRACED, QUICK_TRACED = 1_000, 100
PERIOD, QUICK_PERIOD = 60.0, 4.0
SETTLE = 5.0
WINDOW, QUICK_WINDOW = 20.0, 2.0
COMMAND_SHARE = 0.1
QUICK = os.environ.get("TRIMTAB_BENCH_QUICK") == "1"  # also in the processes that it starts
AIM_KIB = 50.0
AIM_GROWTH = 1.5


def run() -> dict[str, Any]:
    """Measure every size and return name, rows and aims."""
    window = QUICK_WINDOW if QUICK else WINDOW
    rows = [_measure(size, window) for size in (QUICK_SIZES if QUICK else SIZES)]
    traced = _measure(QUICK_TRACED if QUICK else TRACED, 2.0, traced=True)
    largest, smallest = rows[-1], rows[0]
    # What is less than the clock of the system tells apart counts as one of its ticks would.
    growth = largest["cpu_us_per_poll"] / max(smallest["cpu_us_per_poll"], 1.0)
    return {
        "name": "scale",
        "rows": rows,
        "aims": {
            f"at most {AIM_KIB:g} KiB a servo": _aim(
                largest["kib_per_servo"] <= AIM_KIB, f"{largest['kib_per_servo']} KiB"
            ),
            # A servo among many costs no more CPU for a poll than one among few.
            f"linear: CPU a poll grows at most {AIM_GROWTH:g}x": _aim(growth <= AIM_GROWTH, f"{growth:.2f}x"),
        },
        "notes": f"By tracemalloc: {traced['traced_kib_per_servo']} KiB a servo. One poll in ten is a command.",
    }


def _aim(reached: bool, measured: str) -> dict[str, Any]:  # noqa: FBT001 - a pair of a verdict and its reason
    return {"reached": reached, "measured": measured}


def _measure(size: int, window: float, *, traced: bool = False) -> dict[str, Any]:
    stub = _spawn("--stub")
    try:
        assert stub.stdout is not None
        port = int(stub.stdout.readline())
        agent = _spawn(
            "--agent",
            str(size),
            "--port",
            str(port),
            "--window",
            str(window),
            *(["--trace"] if traced else []),
        )
        out, _ = agent.communicate(timeout=600)
        if agent.returncode:
            raise RuntimeError(f"the agent with {size} servos ended with {agent.returncode}")
        row: dict[str, Any] = json.loads(out.splitlines()[-1])
        return row
    finally:
        stub.terminate()
        stub.wait(timeout=10)


def _spawn(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.scale", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])


# The agent


async def _agent(size: int, port: int, window: float, *, trace: bool) -> dict[str, Any]:
    import psutil

    from servo.assembly import Assembly
    from servo.runner import AssemblyRunner

    _define_connector()
    process = psutil.Process()
    # What one servo needs and all share (modules, the HTTP client, compiled models) is there before the count begins.
    await _warm_up(port)
    gc.collect()
    before = process.memory_info().rss
    if trace:
        tracemalloc.start()
    started = time.perf_counter()
    assembly = await Assembly.assemble(configs=[_document(number, port) for number in range(size)], env={})
    assembled = time.perf_counter() - started
    runner = AssemblyRunner(assembly)
    task = asyncio.ensure_future(runner.run_async())
    while sum(each.running for each in runner.runners) < size:  # noqa: ASYNC110 - nothing tells of the last
        await asyncio.sleep(0.05)
    running = time.perf_counter() - started
    # All polls once before the window, so that the first ones, which come all at once, do not count.
    await _stats(port, reset=False, polls=size)
    await asyncio.sleep(min(SETTLE, window))
    await _stats(port, reset=True)
    cpu, clock = process.cpu_times(), time.perf_counter()
    await asyncio.sleep(window)
    used, elapsed = _cpu_seconds(process) - cpu.user - cpu.system, time.perf_counter() - clock
    stats = await _stats(port, reset=False)
    gc.collect()
    grown = process.memory_info().rss - before
    traced = tracemalloc.get_traced_memory()[0] if trace else 0
    await runner.shutdown(reason="done")
    code = await task
    assert code == 0
    return {
        "servos": size,
        "kib_per_servo": round(grown / size / 1024, 1),
        **({"traced_kib_per_servo": round(traced / size / 1024, 1)} if trace else {}),
        "assemble_s": round(assembled, 2),
        "running_s": round(running, 2),
        "polls_per_s": round(stats["polls"] / elapsed, 1),
        "cpu_us_per_poll": round(used / max(stats["polls"], 1) * 1e6, 1),
        "cpu_percent": round(used / elapsed * 100, 1),
        "command_p50_ms": stats["p50"],
        "command_p99_ms": stats["p99"],
    }


def _define_connector() -> None:
    import servo

    class ScaleConfiguration(servo.BaseConfiguration):
        factor: float = 1.0

    class ScaleConnector(servo.BaseConnector):
        config: ScaleConfiguration

        @servo.on_event()
        async def describe(self, control: servo.Control = servo.Control()) -> servo.Description:  # noqa: ARG002, B008 - the event's signature
            setting = servo.CPU(value=self.config.factor, min=1.0, max=4.0)
            return servo.Description(components=[servo.Component("web", [setting])])

    global _kept  # noqa: PLW0603 - the registry of connectors holds classes weakly
    _kept = ScaleConnector


_kept: Any = None


def _document(number: int, port: int) -> dict[str, Any]:
    return {
        "optimizer": {
            "id": f"example.com/app-{number}",
            "token": "token",
            "base_url": f"http://127.0.0.1:{port}",
        },
        "connectors": ["scale"],
        "scale": {"factor": 1.5},
    }


async def _warm_up(port: int) -> None:
    from servo.assembly import Assembly
    from servo.runner import AssemblyRunner

    assembly = await Assembly.assemble(configs=[_document(0, port)], env={})
    runner = AssemblyRunner(assembly)
    task = asyncio.ensure_future(runner.run_async())
    await asyncio.sleep(0.5)
    await runner.shutdown()
    await task


def _cpu_seconds(process: Any) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _stats(port: int, *, reset: bool, polls: int = 0) -> dict[str, Any]:
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /reset HTTP/1.1\r\n\r\n" if reset else b"GET /stats HTTP/1.1\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        stats: dict[str, Any] = json.loads(await reader.readexactly(length))
        writer.close()
        if stats["polls"] >= polls:
            return stats
        await asyncio.sleep(0.1)


# The stub optimizer


class _Stub(asyncio.Protocol):
    """Parses no more of HTTP and JSON than it must, so that it is never what is measured."""

    polls = 0
    sent: dict[bytes, float] = {}  # noqa: RUF012 - one stub a process
    latencies: list[float] = []  # noqa: RUF012 - the same

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            head, separator, rest = self.buffer.partition(b"\r\n\r\n")
            if not separator:
                return
            length = (
                int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]) if b"ontent-" in head else 0
            )
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            self.transport.write(self._answer(head.split(b" ", 2)[1], rest[:length]))

    def _answer(self, path: bytes, body: bytes) -> bytes:
        if path in {b"/stats", b"/reset"}:
            return self._report(reset=path == b"/reset")
        if b'"WHATS_NEXT"' in body:
            _Stub.polls += 1
            return _response(self._command(path))
        if b'"DESCRIPTION"' in body and path in _Stub.sent:
            _Stub.latencies.append(time.perf_counter() - _Stub.sent.pop(path))
        return _OK

    @staticmethod
    def _command(path: bytes) -> bytes:
        if random.random() < COMMAND_SHARE and path not in _Stub.sent:
            _Stub.sent[path] = time.perf_counter()
            return b'{"cmd":"DESCRIBE","cmd_uid":"u","param":{"control":{}}}'
        period = QUICK_PERIOD if QUICK else PERIOD
        return b'{"cmd":"SLEEP","param":{"duration":%.3f}}' % random.uniform(0, 2 * period)

    @staticmethod
    def _report(*, reset: bool) -> bytes:
        ordered = sorted(_Stub.latencies) or [0.0]
        stats = {
            "polls": _Stub.polls,
            "p50": round(ordered[len(ordered) // 2] * 1000, 2),
            "p99": round(ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)] * 1000, 2),
        }
        if reset:
            _Stub.polls, _Stub.latencies = 0, []
            _Stub.sent.clear()
        return _response(json.dumps(stats).encode())


def _response(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


_OK = _response(b'{"status":"ok"}')


async def _stub() -> None:
    server = await asyncio.get_running_loop().create_server(_Stub, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    """Run as the benchmark, or as one of its processes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--stub", action="store_true")
    parser.add_argument("--agent", type=int, default=0)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--window", type=float, default=WINDOW)
    parser.add_argument("--trace", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.stub or arguments.agent:
        import uvloop
        from loguru import logger

        logger.remove()
        if arguments.stub:
            uvloop.run(_stub())
            return
        work = _agent(arguments.agent, arguments.port, arguments.window, trace=arguments.trace)
        print(json.dumps(uvloop.run(work)))
        return
    result = run()
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    print(plain(result))


if __name__ == "__main__":
    main()

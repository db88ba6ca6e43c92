"""How fast builds go from a source through the journal to a backend: events/s of one core, and peak memory.

The backend is a process of its own that answers 202 to whatever comes; the floor is how many of the same requests the same
client posts to it with nothing before and nothing after. Each build has two images and a log of 2 KB, is journalled with its
disk's ``fsync``, sent once with an ``Idempotency-Key``, and written down as sent. Seconds are those of the processor, of all
threads of the agent's process, so that whatever else the machine does is left out; seconds of the clock are beside them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

from benchmarks.report import plain

AIM, MEMORY, GROWTH = 5_000, 120, 1.1
SIZES, QUICK_SIZES = (1_000, 10_000, 100_000), (200, 1_000)
BATCH = 500
LOG = b"".join(b"Collecting package-%02d==1.%d.0\n" % (n, n) for n in range(70))
ANSWER = json.dumps(
    {
        "base_image_analysis": {"analysis_id": "package-extract-261127000000-0123456789abcdef", "cached": False, "parameters": {}},
        "output_image_analysis": {"analysis_id": "package-extract-261127000000-fedcba9876543210", "cached": False, "parameters": {}},
        "buildlog_analysis": {"analysis_id": "buildlog-parser-261127000000-0123456789abcdef", "cached": False},
        "buildlog_document_id": "buildlog-" + 64 * "0",
        "build_analysis": {"analysis_id": "build-analysis-261127000000-0123456789abcdef"},
    }
).encode()  # fmt: skip


def run() -> dict[str, Any]:
    """Measure, and return rows of builds, events/s of a core and by the clock, the floor's, commits and peak RSS."""
    rows = []
    with _stub() as port:
        for size in QUICK_SIZES if os.environ.get("TRIMTAB_BENCH_QUICK") else SIZES:
            floor = _child("floor", str(port), str(min(size, 10_000)))
            rows.append(
                {"builds": size, **_child("agent", str(port), str(size)), "floor_events_s": floor["events_s"]}
            )
    return {"name": "watch", "rows": rows, "aims": _aims(rows)}


def _aims(rows: list[dict[str, Any]]) -> dict[str, Any]:
    largest = rows[-1]
    slowest, peak = largest["events_s"], max(row["peak_mib"] for row in rows)
    growth = largest["peak_mib"] / rows[1]["peak_mib"]
    return {
        f"≥ {AIM} events/s of one core": {"measured": slowest, "reached": slowest >= AIM},
        f"≤ {MEMORY} MiB": {"measured": peak, "reached": peak <= MEMORY},
        f"flat: ten times the builds take at most {GROWTH:g} times the memory": {
            "measured": round(growth, 2),
            "reached": growth <= GROWTH,
        },
    }


@contextlib.contextmanager
def _stub() -> Iterator[int]:
    command = [sys.executable, "-m", "benchmarks.watch", "stub"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def _child(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.watch", *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


class _Backend(asyncio.Protocol):
    """Answers each request when its body is there; knows no more of HTTP than that needs."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.left, self.held = transport, 0, b""

    def data_received(self, data: bytes) -> None:
        data = self.held + data
        while data:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                break
            at = data.index(b"Content-Length: ") + 16
            whole = end + 4 + int(data[at : data.index(b"\r", at)])
            if len(data) < whole:
                break
            data = data[whole:]
            self.transport.write(
                b"HTTP/1.1 202 Accepted\r\nContent-Length: %d\r\n\r\n%b" % (len(ANSWER), ANSWER)
            )  # type: ignore[attr-defined]  # it was connected, so it is one that writes
        self.held = data


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Backend, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class _Source:
    """Shows as many builds as it is told, as fast as they are taken."""

    engine, is_volatile = None, False

    def __init__(self, count: int) -> None:
        self.name, self.count = "benchmark", count

    async def watch(self, position: str | None) -> AsyncGenerator[Any, None]:  # noqa: ARG002  # what every source is given
        from servo.connectors.builds import Batch

        for start in range(0, self.count, BATCH):
            batch = [_build(number) for number in range(start, min(start + BATCH, self.count))]
            yield Batch(batch, str(start + len(batch)))
        await asyncio.Event().wait()

    async def log(self, build: Any) -> AsyncGenerator[bytes, None]:  # noqa: ARG002  # what every source is given
        yield LOG

    async def aclose(self) -> None:
        """Nothing is open."""

    async def check(self) -> str:
        return "a benchmark"


def _build(number: int) -> Any:
    from servo.connectors.builds import Build, Image, Phase

    phase = Phase.failed if number % 4 == 0 else Phase.complete
    names = (
        f"registry.example/base@sha256:{number:064x}",
        f"registry.example/team/app-{number}@sha256:{number:064x}",
    )
    return Build(
        f"benchmark-{number}", f"app-{number}", "benchmark", phase, namespace="team", exit_code=0, log="there",
        finished_at=time.time(), base=Image(names[0]), output=Image(names[1]), labels={"commit": f"{number:040x}"},
    )  # fmt: skip


def _config(port: str, directory: str) -> Any:
    from servo.connectors.builds import BuildsConfiguration

    return BuildsConfiguration.model_validate(
        {
            "backend": {"url": f"http://127.0.0.1:{port}"},
            "journal": Path(directory, "journal.sqlite"),
            "workers": 16,
        }
    )


async def _agent(port: str, count: int) -> dict[str, Any]:
    from servo.connectors.builds import Agent

    with tempfile.TemporaryDirectory(prefix="trimtab-watch-") as directory:
        agent = Agent(_config(port, directory), sources=[_Source(count)])
        began, used = time.perf_counter(), time.process_time()
        await agent.start()
        while agent.metrics.total("build_watcher_builds_total", outcome="submitted") < count:  # noqa: ASYNC110 - a counter tells nobody
            await asyncio.sleep(0.005)
        seconds, used = time.perf_counter() - began, time.process_time() - used
        commits = agent.journal.commits
        await agent.stop()
    return {**_rates(count, seconds, used), "commits": commits, "peak_mib": _peak()}


async def _floor(port: str, count: int) -> dict[str, Any]:
    from servo.connectors.builds.backend import Submission
    from servo.connectors.builds.http import DirectTransport

    build = _build(1)
    body = Submission(build.identity, build.described()).body() + LOG
    transport = DirectTransport(f"http://127.0.0.1:{port}")
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            await transport.request(
                "POST", "/api/v1/build-analysis", {"Idempotency-Key": f"floor-{number}"}, body
            )

    began, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(16)))
    rates = _rates(count, time.perf_counter() - began, time.process_time() - used)
    await transport.aclose()
    return rates


def _rates(count: int, seconds: float, used: float) -> dict[str, Any]:
    return {"events_s": round(count / used), "by_the_clock_s": round(count / seconds)}


def _peak() -> int:
    # Not ru_maxrss, which a child has from its parent.
    lines = Path("/proc/self/status").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024)


def _main(mode: str = "", port: str = "", count: str = "0") -> None:
    import uvloop

    if mode == "stub":
        uvloop.run(_serve())
    elif mode:
        measured = uvloop.run(_agent(port, int(count)) if mode == "agent" else _floor(port, int(count)))
        print(json.dumps(measured))
    else:
        print(plain(run()))


if __name__ == "__main__":
    _main(*sys.argv[1:])

"""How many requests per second the load generator does on one core, against a server that does nothing.

Beside it, where they are installed, `hey` and `wrk` against the same server in the same run: both are closed loops,
compared with ours with as many users.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from servo.connectors.load.arrivals import Phase
from servo.connectors.load.crew import generate
from servo.connectors.load.plan import Plan
from servo.connectors.load.requests import prepare
from servo.connectors.load.tally import total
from servo.connectors.load.targets import Target

AIM = 10_000
USERS = 32
SERVER = r"""
import asyncio, sys, uvloop
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
class Hello(asyncio.Protocol):
    def connection_made(self, transport): self.transport = transport
    def data_received(self, data): self.transport.write(ANSWER * data.count(b"\r\n\r\n"))
async def main():
    server = await asyncio.get_running_loop().create_server(Hello, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
uvloop.run(main())
"""


def run() -> dict[str, Any]:
    """Measure, and return a row for each load: requests per second, latencies, share of a core."""
    seconds = 2 if os.environ.get("TRIMTAB_BENCH_QUICK") else 8
    with _server() as url:
        rows = [asyncio.run(_ours(url, seconds, rate=rate)) for rate in (1_000, AIM, 2 * AIM)]
        rows.append(asyncio.run(_ours(url, seconds, users=USERS)))
        rows += [row for row in (_hey(url, seconds), _wrk(url, seconds)) if row]
    kept = rows[1]
    return {
        "name": "load",
        "rows": rows,
        "aims": {f"≥ {AIM} requests/s on one core": kept["rps"] >= 0.99 * AIM and kept["core_share"] < 1},
        "notes": "Open loops are ours only; the latencies of closed loops are those of so many users at once.",
    }


@contextmanager
def _server() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/"
    finally:
        process.kill()
        process.wait()


async def _ours(url: str, seconds: int, *, rate: float = 0.0, users: int | None = None) -> dict[str, Any]:
    origins, requests = prepare([Target("GET", url)])
    phases = (Phase(rate, 1.0, measured=False), Phase(rate, seconds))
    outcome = await generate(Plan(phases, tuple(origins), tuple(requests), concurrency=users))
    counted = total(outcome.measured)
    return {
        "load": f"ours, {users} users" if users else f"ours, open loop of {rate:.0f}/s",
        "rps": round(counted.throughput),
        "p50_us": round(counted.percentile(50) * 1e6),
        "p99_us": round(counted.percentile(99) * 1e6),
        "core_share": round(outcome.cpu_share, 2),
        "late_p99_us": None if users else outcome.lag.get_value_at_percentile(99),
    }


def _hey(url: str, seconds: int) -> dict[str, Any] | None:
    found = _timed(["hey", "-z", f"{seconds}s", "-c", str(USERS), url])
    if found is None:
        return None
    text, share = found
    p50, p99 = (float(_number(rf"{percent}%+ in ([\d.]+) secs", text)) * 1e6 for percent in (50, 99))
    return _peer("hey", float(_number(r"Requests/sec:\s+([\d.]+)", text)), p50, p99, share)


def _wrk(url: str, seconds: int) -> dict[str, Any] | None:
    found = _timed(["wrk", "-t", "1", "-c", str(USERS), "-d", str(seconds), "--latency", url])
    if found is None:
        return None
    text, share = found
    p50, p99 = (_microseconds(_number(rf"{percent}%\s+([\d.]+[a-z]+)", text)) for percent in (50, 99))
    return _peer("wrk", float(_number(r"Requests/sec:\s+([\d.]+)", text)), p50, p99, share)


def _timed(command: list[str]) -> tuple[str, float] | None:
    if shutil.which(command[0]) is None:
        return None
    before, started = os.times(), time.perf_counter()
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    after, elapsed = os.times(), time.perf_counter() - started
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return text, used / elapsed


def _peer(name: str, rps: float, p50: float, p99: float, share: float) -> dict[str, Any]:
    return {
        "load": f"{name}, {USERS} users",
        "rps": round(rps),
        "p50_us": round(p50),
        "p99_us": round(p99),
        "core_share": round(share, 2),
        "late_p99_us": None,
    }


def _number(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    return match[1] if match else "nan"


def _microseconds(text: str) -> float:
    for unit, factor in (("us", 1.0), ("ms", 1e3), ("s", 1e6)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    return float("nan")

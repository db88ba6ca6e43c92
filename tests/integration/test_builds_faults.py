"""1000 builds through a fault injector: the agent is killed at every step, the backend refuses, hangs and goes away.

Whatever happens: submitted + tombstoned = seen, and the backend has each build once.
"""

import asyncio
import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

CHILD = Path(__file__).with_name("builds_agent_child.py")
BUILDS = 1000
REFUSED = 7  # every so many builds is one that the backend never takes
PHASES = ("complete", "failed", "cancelled", "timed_out", "error")
STEPS = (
    "before-commit", "after-commit", "before-parts", "after-parts", "before-post", "after-post", "before-mark", "after-mark",
    "before-postpone", "after-postpone", "before-spool", "after-spool",
)  # fmt: skip


class FaultyBackend:
    """Takes each key once, and does what networks and servers do."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.taken, self.posts, self.faults = {}, 0, {}
        self.partitioned_until = 0.0
        self.kind = True

    async def serve(self, reader, writer):
        with suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            try:
                while await self.exchange(reader, writer):
                    pass
            finally:
                writer.close()

    async def exchange(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        headers = {
            name.lower(): value
            for name, _, value in (line.partition(": ") for line in head.split("\r\n")[1:])
        }
        body = json.loads(await reader.readexactly(int(headers["content-length"])))
        key, self.posts = headers["idempotency-key"], self.posts + 1
        fault = self.fault(body)
        self.faults[fault] = self.faults.get(fault, 0) + 1
        if fault in {"partition", "dropped"}:
            return False
        if fault == "hangs":
            await asyncio.sleep(3)
            return False
        if fault == "refused":
            return self.answer(writer, 400, {"error": "invalid reference", "parameters": {}})
        if isinstance(fault, int):
            return self.answer(writer, fault, {"error": "busy"}, "Retry-After: 0\r\n" if fault == 429 else "")
        # The same key, the same answer: what H1's server does, and what `docs/promises.md` stands on.
        answer = self.taken.setdefault(key, {"build_analysis": {"analysis_id": f"build-analysis-{len(self.taken)}"}, "name": body["build"]["name"]})  # fmt: skip
        if fault == "lost":
            return False
        return self.answer(writer, 202, answer)

    def fault(self, body):
        if time.monotonic() < self.partitioned_until:
            return "partition"
        if int(body["build"]["name"].partition("-")[2]) % REFUSED == 0:
            return "refused"
        if self.kind:
            return None
        chance = self.random.random()
        if chance < 0.02:
            self.partitioned_until = time.monotonic() + self.random.random() / 2
            return "partition"
        if chance < 0.25:
            return self.random.choice(("dropped", "lost", 429, 500, 502, 503))
        return "hangs" if chance < 0.252 else None

    @staticmethod
    def answer(writer, status, document, more=""):
        content = json.dumps(document).encode()
        writer.write(
            f"HTTP/1.1 {status} X\r\n{more}Content-Length: {len(content)}\r\n\r\n".encode() + content
        )
        return True


def write_builds(directory, numbers):
    """Logs with descriptions: the description comes last, and at once."""
    for number in numbers:
        described = {
            "name": f"build-{number}",
            "phase": PHASES[number % len(PHASES)],
            "exit_code": number % 2,
        }
        (directory / f"{number}.log").write_text(f"STEP 1/1: RUN build {number}\n")
        fresh = directory / f"{number}.tmp"
        fresh.write_text(json.dumps(described))
        fresh.rename(directory / f"{number}.json")


def states(directory):
    path = directory / "journal.sqlite"
    if not path.exists():
        return {}
    with closing(sqlite3.connect(path, timeout=30)) as db, suppress(sqlite3.OperationalError):
        return dict(db.execute("SELECT state, count(*) FROM builds GROUP BY state").fetchall())
    return {}


async def child(directory, port, step="", count=0):
    command = [sys.executable, str(CHILD), str(directory), str(port), step, str(count)]
    return await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL)


async def test_each_build_is_submitted_or_a_tombstone_and_none_is_there_twice(tmp_path):
    dice = random.Random(20261127)
    logs = tmp_path / "logs"
    logs.mkdir()
    backend = FaultyBackend(dice.random())
    server = await asyncio.start_server(backend.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    killed, waves = {}, len(STEPS) * 2
    try:
        backend.kind = False
        for wave in range(waves):
            write_builds(logs, range(wave * BUILDS // waves, (wave + 1) * BUILDS // waves))
            step = STEPS[wave % len(STEPS)]
            process = await child(tmp_path, port, step, dice.randint(1, 8))
            with suppress(TimeoutError):
                async with asyncio.timeout(6):
                    await process.wait()
            if process.returncode is None:  # it never came to that step: told to end, as a deployment would
                process.send_signal(dice.choice((signal.SIGTERM, signal.SIGKILL)))
                await process.wait()
            if process.returncode == -signal.SIGKILL:
                killed[step] = killed.get(step, 0) + 1
        process = await child(tmp_path, port)
        async with asyncio.timeout(400):
            while sum(states(tmp_path).get(each, 0) for each in ("submitted", "tombstone")) < BUILDS:
                assert process.returncode is None
                await asyncio.sleep(0.2)
        process.terminate()
        assert await process.wait() == 0
    finally:
        server.close()
    found = states(tmp_path)
    refused = len([number for number in range(BUILDS) if number % REFUSED == 0])
    assert found == {"submitted": BUILDS - refused, "tombstone": refused}
    names = [answer["name"] for answer in backend.taken.values()]
    assert len(names) == len(set(names)) == BUILDS - refused
    assert len(killed) >= len(STEPS) // 2, killed
    assert {"dropped", "lost", "partition", 429, 500, 503} <= set(backend.faults), backend.faults
    assert not list((tmp_path / "journal.sqlite.logs").glob("*.new-*"))

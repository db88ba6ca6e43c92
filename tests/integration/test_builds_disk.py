"""An agent whose journal lies on a small disk that fills up: nothing is lost, nothing is sent twice, and it goes on by itself."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import suppress

import pytest

from servo.connectors.builds import Agent, Batch, Build, BuildsConfiguration, Phase
from servo.connectors.builds.http import Answer, ExchangeError
from servo.connectors.builds.journal import records

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

MIB = 1024 * 1024
GIGABYTE = """
import sys
from pathlib import Path
from servo.connectors.builds.logs import Log, json_text
from servo.connectors.builds.redaction import Secrets

def line():
    yield b"STEP 1/1: RUN cat /dev/zero password=hunter2 "
    for _ in range(16384):
        yield b"." * 65536
    yield b" and the end\\n"

with Log(Secrets(), 10 * 1024 * 1024) as log:
    for piece in line():
        log.feed(piece)
    log.finish()
    body = b"".join(json_text(log.pieces()))
    size = log.size
peak = next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(size, len(body), int(peak), b"hunter2" in body, b"and the end" in body[-20:])
"""


@pytest.fixture
def disk(tmp_path):
    """A file system of 1 MiB; a function that makes it larger."""
    place = tmp_path / "disk"
    place.mkdir()
    try:
        command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a file system cannot be mounted here: {error}")

    def grow():
        subprocess.run(["mount", "-o", "remount,size=64m", str(place)], check=True, capture_output=True)

    yield place, grow
    subprocess.run(["umount", str(place)], check=False, capture_output=True)


class Backend:
    """Takes each key once, as long as it is there; counts what was posted."""

    def __init__(self):
        self.is_there, self.posts = True, []

    async def request(self, method, target, headers, body=b""):
        if not self.is_there:
            raise ExchangeError("connection refused")
        whole = body if isinstance(body, bytes) else b"".join([piece async for piece in body])
        self.posts.append((headers["Idempotency-Key"], json.loads(whole)["build_log"] is not None))
        return Answer(202, {}, b'{"build_analysis": {"analysis_id": "b"}}')

    async def aclose(self):
        pass


class Endless:
    """Shows as many builds as are taken, up to a number."""

    name, engine, is_volatile = "endless", None, False

    def __init__(self, count):
        self.count, self.shown = count, 0

    async def watch(self, position):
        self.shown = int(position or 0)
        while self.shown < self.count:
            batch = [_build(number) for number in range(self.shown, self.shown + 10)]
            yield Batch(batch, str(self.shown + 10))
            self.shown += 10
        await asyncio.Event().wait()

    async def log(self, build):
        yield b"x" * 500 + b"\n"

    async def aclose(self):
        """Nothing is open."""

    async def check(self):
        return "endless"


def _build(number):
    return Build(f"b{number}", "x" * 500, "endless", Phase.failed, log="there")


async def until(condition):
    async with asyncio.timeout(200):
        while True:
            found = condition()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.02)


async def is_written(agent, source):
    return await agent.journal.read(records.counts) == {"submitted": source.count}


@pytest.fixture
async def running(disk, monkeypatch):
    """Starts an agent whose journal is on the small disk."""
    for module in ("watcher", "submitter"):
        monkeypatch.setattr(f"servo.connectors.builds.{module}._PAUSE", 0.05)
    place, _ = disk
    started = []

    async def start(count):
        config = BuildsConfiguration.model_validate(
            {
                "backend": {"url": "http://backend.example"},
                "journal": place / "journal.sqlite",
                "retry": {"first": "10ms", "longest": "100ms"},
            }
        )
        source, backend = Endless(count), Backend()
        agent = Agent(config, sources=[source], transport=backend)
        started.append(agent)
        return agent, source, backend

    yield start
    for each in started:
        with suppress(Exception):
            await each.stop()


async def test_while_the_disk_is_full_sources_wait_and_then_all_is_sent_once(running, disk):
    _, grow = disk
    agent, source, backend = await running(2_000)
    backend.is_there = False
    await agent.start()
    await until(lambda: agent.metrics.total("build_watcher_journal_errors_total") > 3)
    shown = source.shown
    assert 0 < shown < source.count
    assert "cannot be written just now" in (agent.trouble() or "")
    assert sum((await agent.journal.read(records.counts)).values()) == shown
    grow()
    await until(lambda: source.shown == source.count)
    backend.is_there = True
    await until(lambda: is_written(agent, source))
    assert sorted(backend.posts) == sorted((f"b{number}", True) for number in range(source.count))


async def test_what_was_taken_while_the_disk_was_full_is_not_sent_again(running, disk):
    place, _ = disk
    agent, source, backend = await running(100)
    ballast = place / "ballast"

    def fill():
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    backend.is_there = False
    await agent.start()
    await until(lambda: source.shown == source.count)
    fill()
    backend.is_there = True
    await until(lambda: len(backend.posts) == source.count)
    await until(lambda: agent.metrics.total("build_watcher_journal_errors_total") > 3)
    ballast.unlink()
    await until(lambda: is_written(agent, source))
    assert sorted(key for key, _ in backend.posts) == sorted(f"b{number}" for number in range(source.count))


def test_a_line_of_a_gigabyte_is_bounded():
    """What a build printed without a line end: its beginning and its end are sent, and memory does not grow with it."""
    done = subprocess.run([sys.executable, "-c", GIGABYTE], capture_output=True, text=True, check=True)
    *numbers, told, ended = done.stdout.split()
    size, body, peak = map(int, numbers)
    assert size > 1024 * MIB
    assert 10 * MIB < body < 10 * MIB + 200
    assert peak < 100 * 1024
    assert (told, ended) == ("False", "True")

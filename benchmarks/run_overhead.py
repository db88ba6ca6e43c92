"""Our share of a run that does nothing: an engine's `run`, document and all, against the same command started by hand.

By hand is what somebody starts who wants neither: for podman the same `podman run`, for processes the same bubblewrap, each
with the script in the place of the run wrapper, and waited for. Ours begins with the call of `run` and ends with its answer.
Pairs are interleaved, and turn by turn the other one is first. CPU time is that of all processes that were started, also of
those that tidy up afterwards: this process adopts them; but for those that the supervisors' server has forked, of which the kernel
tells in hundredths of a second. So its figures are means of all pairs, and those of the clock are medians.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trimtab.engines import Build, Engine, ProcessEngine, Resources, RunRequest
from trimtab.engines.container import ContainerEngine
from trimtab.engines.container.run import Place, variables_of
from trimtab.engines.process.groups import Groups
from trimtab.engines.process.launch import Launch
from trimtab.engines.process.manifest import Manifest
from trimtab.engines.supervision.forking import server_pid

ROOT = Path(__file__).resolve().parent.parent
IMAGE = "localhost/python:3.11"
AIM_MS, AIM_SHARE = 20.0, 0.05
SECOND = 1.0
TOKEN = "benchmark"
SCRIPTS = {"nothing": "#!/bin/sh\nexit 0\n", "a second": f"#!/bin/sh\nexec sleep {SECOND:g}\n"}
PAIRS = {"process": {"nothing": 60, "a second": 8}, "podman": {"nothing": 30, "a second": 8}}
_SUBREAPER = 36

Measured = tuple[float, float]
"""Seconds by the clock, and of CPU."""


@dataclass(frozen=True)
class Subject:
    """Something that is run.

    Attributes:
        ours: Runs it by the engine.
        by_hand: Runs it without.
        settle: Waits until both have tidied up.
        make_ready: Empties the directory that takes results.
    """

    ours: Callable[[], Awaitable[None]]
    by_hand: Callable[[], Awaitable[None]]
    settle: Callable[[], Awaitable[None]]
    make_ready: Callable[[], None]


def run() -> dict[str, Any]:
    """Measure, and return rows of `engine`, `script`, medians of both ways, our share of wall and CPU time, and `pairs`."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory(prefix="trimtab-bench-") as name:
        rows, left_out = asyncio.run(_rows(Path(name)))
    return {"name": "run_overhead", "rows": rows, "aims": _aims(rows), "notes": _notes(left_out)}


async def _rows(directory: Path) -> tuple[list[dict[str, Any]], list[str]]:
    rows, left_out = [], []
    for engine, made in (("process", _process), ("podman", _podman)):
        if problem := _problem(engine):
            left_out.append(problem)
            continue
        for script, text in SCRIPTS.items():
            async with made(directory / f"{engine}-{len(rows)}", text) as subject:
                rows.append(await _row(engine, script, subject))
    return rows, left_out


async def _row(engine: str, script: str, subject: Subject) -> dict[str, Any]:
    pairs = 2 if os.environ.get("TRIMTAB_BENCH_QUICK") else PAIRS[engine][script]
    found = [await _pair(subject, ours_first=number % 2 == 0) for number in range(pairs + 1)][1:]
    hand, ours = ([pair[side] for pair in found] for side in (0, 1))
    share = [b[0] - a[0] for a, b in found]
    cpu = [b[1] - a[1] for a, b in found]
    return {
        "engine": engine,
        "script": script,
        "by_hand_ms": _ms(wall for wall, _ in hand),
        "ours_ms": _ms(wall for wall, _ in ours),
        "share_ms": _ms(share),
        "share_low_ms": _ms([statistics.quantiles(share, n=4)[0]]),
        "share_high_ms": _ms([statistics.quantiles(share, n=4)[2]]),
        "cpu_by_hand_ms": _ms([statistics.fmean(used for _, used in hand)]),
        "cpu_share_ms": _ms([statistics.fmean(cpu)]),
        "pairs": pairs,
    }


async def _pair(subject: Subject, *, ours_first: bool) -> tuple[Measured, Measured]:
    """By hand, and ours."""
    order = (subject.ours, subject.by_hand) if ours_first else (subject.by_hand, subject.ours)
    subject.make_ready()
    first, second = [await _measured(each, subject.settle) for each in order]
    return (second, first) if ours_first else (first, second)


async def _measured(action: Callable[[], Awaitable[None]], settle: Callable[[], Awaitable[None]]) -> Measured:
    used = _cpu()
    began = time.perf_counter()
    await action()
    wall = time.perf_counter() - began
    await settle()
    _reap()
    return wall, _cpu() - used


def _cpu() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(part for kind in kinds for part in resource.getrusage(kind)[:2]) + _cpu_of_server()


def _cpu_of_server() -> float:
    """Of the process that supervisors are forked from, and of all that it has waited for."""
    server = server_pid()
    if server is None:
        return 0.0
    fields = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _reap() -> None:
    """Wait for what was left to us: a container's monitor, and with it all that ran below it."""
    deadline = time.monotonic() + 20
    while _children() - {server_pid()} and time.monotonic() < deadline:
        for child in _children() - {server_pid()}:
            with suppress(ChildProcessError):  # asyncio was first
                os.waitpid(child, os.WNOHANG)
        time.sleep(0.001)


def _children() -> set[int | None]:
    found: set[int | None] = set()
    for path in Path("/proc/self/task").glob("*/children"):
        with suppress(FileNotFoundError):  # a thread that has ended
            found |= {int(pid) for pid in path.read_text().split()}
    return found


@asynccontextmanager
async def _process(directory: Path, script: str) -> AsyncIterator[Subject]:
    engine = ProcessEngine(directory / "state")
    build = await _built(engine, directory, script)
    runner = engine._ready[1] if engine._ready else None
    assert runner
    request = _request(directory, build)
    manifest, place = Manifest.read(Path(build.reference)), directory / "by-hand"
    place.mkdir()
    runner._furnish(Path(build.reference), manifest, place, request)
    launch = Launch(
        request, manifest, place, runner._sandbox, Groups(), runner._settings, (engine._state, Path.home())
    )
    program = launch.program(())
    sandbox = program.argv[: program.argv.index("--") + 1] if "--" in program.argv else ()
    command = [*sandbox, program.environment["THOTH_AMUN_EXEC_FILE"]]

    async def by_hand() -> None:
        await _start(command, program.directory, dict(program.environment))

    yield Subject(_by_engine(engine, request), by_hand, runner.settle, _emptied(request))
    await engine.clean(request.id)


@asynccontextmanager
async def _podman(directory: Path, script: str) -> AsyncIterator[Subject]:
    engine = ContainerEngine("podman", directory / "state")
    build = await _built(engine, directory, script)
    request, runner = _request(directory, build), engine._runner
    place = Place(runner._labels.name(request.id, 99), directory / "by-hand")
    place.directory.mkdir()
    environment = runner._client.environment_with(variables_of(request))
    command = [runner._client.program, *runner._arguments(request, place), "/home/amun/script"]

    async def by_hand() -> None:
        await _start(command, str(place.directory), environment)

    async def settle() -> None:
        await runner.settle()
        if place.cidfile.exists():
            await runner.remove(place.name)
            place.cidfile.unlink()

    yield Subject(_by_engine(engine, request), by_hand, settle, _emptied(request))
    await engine.clean(request.id)


def _emptied(request: RunRequest) -> Callable[[], None]:
    def make_ready() -> None:
        shutil.rmtree(request.output, ignore_errors=True)
        request.output.mkdir(parents=True)

    return make_ready


def _by_engine(engine: Engine, request: RunRequest) -> Callable[[], Awaitable[None]]:
    async def ours() -> None:
        done = await engine.run(request, lambda _: None)
        assert done.exit_code == 0, done.log.read_text()
        assert (request.output / "result").exists(), done

    return ours


async def _start(command: list[str], directory: str, environment: dict[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    code = await process.wait()
    assert code == 0, f"{command} ended with {code}"


async def _built(engine: Engine, directory: Path, script: str) -> Build:
    from trimtab.inspection import Specification, build_request, write_context

    wanted = {"base": IMAGE, "script": script, "build": {"requests": {"cpu": "1", "memory": "1Gi"}}}
    specification = Specification.load(wanted)
    context = write_context(specification, directory / "context")
    await engine.prepare()
    request = build_request(specification, context, f"inspection-bench-{os.getpid()}")
    return await engine.build(request, lambda _: None)


def _request(directory: Path, build: Build) -> RunRequest:
    output = directory / "results" / "0"
    output.mkdir(parents=True)
    request = RunRequest(
        id=f"inspection-bench-{os.getpid()}",
        item=0,
        build=build,
        resources=Resources(1, 256 * 2**20),
        timeout=60,
        network=False,
        output=output,
        environment={"TRIMTAB_RUN_TOKEN": TOKEN},
    )
    return replace(request, output=output.absolute())


def _problem(engine: str) -> str | None:
    if engine == "process":
        return None
    if not shutil.which("podman"):
        return "podman is not installed, and was left out"
    if not Path("/sys/fs/cgroup/cgroup.controllers").exists():
        os.environ.setdefault("CONTAINERS_CONF", str(ROOT / "scripts/containers.conf"))
    made = subprocess.run([ROOT / "scripts/test-image"], capture_output=True, text=True, check=False)
    return f"podman was left out: {made.stderr.strip()[-200:]}" if made.returncode else None


def _ms(values: Any) -> float:
    return round(1000 * statistics.median(values), 1)


def _aims(rows: list[dict[str, Any]]) -> dict[str, Any]:
    aims: dict[str, Any] = {}
    for row in rows:
        engine, share = row["engine"], row["share_ms"]
        if row["script"] == "nothing":
            aims[f"{engine}: our share of a run ≤ {AIM_MS:g} ms"] = {
                "measured": f"{share} ms",
                "reached": share <= AIM_MS,
            }
        else:
            part = share / row["by_hand_ms"]
            aims[f"{engine}: of a run of 1 s ≤ {AIM_SHARE:.0%}"] = {
                "measured": f"{part:.1%}",
                "reached": part <= AIM_SHARE,
            }
    return aims


def _notes(left_out: list[str]) -> str:
    return " ".join(
        [
            "Shares are medians of the differences of pairs, with their quartiles; CPU time is the mean, of all processes.",
            *left_out,
        ]
    )

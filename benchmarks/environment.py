"""From a lock to an environment that can be imported from: the process engine against uv called by hand.

By hand is `uv venv` and `uv pip sync`, with hashes, as the lock has them. The engine compiles modules, as pip does, so that no
run begins with that; uv by hand does so only if told. The aim is against the one that does the same; against the one that
leaves compiling to the first import, that import counts, too. Cold is with an empty cache of uv, warm with a full one; the
wheels come from a directory of this machine, so that no network is measured. Turn by turn another is first.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trimtab.engines import BuildRequest, Lock, ProcessEngine, Resources
from trimtab.engines.index import Index

ROOT = Path(__file__).resolve().parent.parent
AIM = 1.2
QUICK = ("idna", "h11")
"""What the lock has where only the benchmark itself is tried."""
IMPORTS = "httpx2, loguru, psutil, pydantic, rich.table, semver, tabulate, typer, yaml"
WAYS = ("by hand", "by hand, compiled", "engine")


@dataclass(frozen=True)
class Bench:
    """Where all of it is.

    Attributes:
        directory: Of the benchmark.
        pins: The lock: requirements with hashes.
        imports: What is imported at the end.
        index: Where the wheels are.
    """

    directory: Path
    pins: Path
    imports: str
    index: Path

    @property
    def cache(self) -> Path:
        """Of uv, by hand."""
        return self.directory / "cache"

    @property
    def state(self) -> Path:
        """Of the engine; uv's cache is in it."""
        return self.directory / "state"

    def empty(self, *, warm: bool) -> None:
        """Make all of them start from the same."""
        for path in (self.directory / "venv", self.state / "environments", self.state / "builds"):
            shutil.rmtree(path, ignore_errors=True)
        if not warm:
            shutil.rmtree(self.cache, ignore_errors=True)
            shutil.rmtree(self.state / "uv", ignore_errors=True)


def run() -> dict[str, Any]:
    """Measure, and return rows of `cache`, `way`, `build_ms`, `import_ms`, `total_ms` and `ratio` to compiling by hand."""
    quick = bool(os.environ.get("TRIMTAB_BENCH_QUICK"))
    with tempfile.TemporaryDirectory(prefix="trimtab-bench-") as name:
        bench = _prepare(Path(name), quick=quick)
        rounds = {"cold": 1 if quick else 9, "warm": 1 if quick else 21}
        rows = [row for cache, count in rounds.items() for row in asyncio.run(_rows(bench, cache, count))]
        packages = bench.pins.read_text().count("==")
    aims = {
        f"engine, {row['cache']} ≤ {AIM}x uv pip sync": {
            "measured": f"{row['ratio']}x",
            "reached": row["ratio"] <= AIM,
        }
        for row in rows
        if row["way"] == "engine"
    }
    return {
        "name": "environment",
        "rows": rows,
        "aims": aims,
        "notes": f"The lock has {packages} packages. Medians.",
    }


async def _rows(bench: Bench, cache: str, rounds: int) -> list[dict[str, Any]]:
    times: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    engine = ProcessEngine(bench.state)
    engine._uv._index = _index(bench)
    await engine.prepare()
    for number in range(rounds + 1):
        for place in range(len(WAYS)):
            way = WAYS[(place + number) % len(WAYS)]
            bench.empty(warm=cache == "warm")
            times[way].append(await _measured(bench, engine, way))
    medians = {
        way: [1000 * statistics.median(part) for part in zip(*found[1:], strict=True)]
        for way, found in times.items()
    }
    floor = medians["by hand, compiled"][0]
    return [
        {
            "cache": cache,
            "way": way,
            "build_ms": round(build, 1),
            "import_ms": round(imported, 1),
            "total_ms": round(build + imported, 1),
            "ratio": round(build / floor, 2),
            "rounds": rounds,
        }
        for way, (build, imported) in medians.items()
    ]


async def _measured(bench: Bench, engine: ProcessEngine, way: str) -> tuple[float, float]:
    """Seconds of the build, and of the first import."""
    build: Callable[[], Awaitable[Path]] = {
        "by hand": lambda: _by_hand(bench),
        "by hand, compiled": lambda: _by_hand(bench, "--compile-bytecode"),
        "engine": lambda: _by_engine(bench, engine),
    }[way]
    began = time.perf_counter()
    environment = await build()
    built = time.perf_counter()
    await _call([str(environment / "bin/python"), "-c", f"import {bench.imports}"], os.environ)
    return built - began, time.perf_counter() - built


async def _by_hand(bench: Bench, *options: str) -> Path:
    from uv import find_uv_bin

    uv, place = find_uv_bin(), bench.directory / "venv"
    python = getattr(sys, "_base_executable", sys.executable)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PIP_"))},
        **_index(bench).uv_environment(),
        "UV_CACHE_DIR": str(bench.cache),
        "UV_NO_CONFIG": "1",
        "UV_LINK_MODE": "hardlink",
    }
    await _call([uv, "venv", "--quiet", "--no-project", "--python", python, str(place)], environment)
    target = ["--python", str(place / "bin/python"), *options, "--require-hashes", str(bench.pins)]
    await _call([uv, "pip", "sync", "--quiet", *target], environment)
    return place


async def _by_engine(bench: Bench, engine: ProcessEngine) -> Path:
    context = bench.directory / "context"
    context.mkdir(exist_ok=True)
    lock = Lock("requirements", {"requirements.txt": bench.pins.read_bytes()})
    resources = Resources(float(os.cpu_count() or 1), 2 * 2**30)
    request = BuildRequest(f"inspection-bench-{os.getpid()}", context, "none", resources, 600, lock=lock)
    build = await engine.build(request, lambda _: None)
    assert not build.cached
    (slot,) = (bench.state / "environments").glob("*/venv")
    return slot


def _index(bench: Bench) -> Index:
    return replace(Index(), default=bench.index.as_uri())


async def _call(command: list[str], environment: Any) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    code = await process.wait()
    assert code == 0, f"{command} ended with {code}"


def _prepare(directory: Path, *, quick: bool) -> Bench:
    """Take the agent's own lock, and fetch its wheels once."""
    from uv import find_uv_bin

    command = [
        find_uv_bin(),
        "export",
        "--quiet",
        "--frozen",
        "--no-dev",
        "--no-emit-project",
        "--no-header",
        "--no-annotate",
    ]
    pins = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    if quick:
        blocks = pins.replace(" \\\n", " ").splitlines()
        pins = "".join(
            f"{line}\n" for line in blocks if line.startswith(tuple(f"{name}==" for name in QUICK))
        )
    file = directory / "requirements.txt"
    file.write_text(pins)
    _fetch(file, directory / "index")
    return Bench(directory, file, ", ".join(QUICK) if quick else IMPORTS, directory / "index")


def _pip() -> list[str]:
    """The pip of this environment, or of the Python it was made of: uv makes them without."""
    for python in (sys.executable, getattr(sys, "_base_executable", sys.executable), "python3"):
        if (
            subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode
            == 0
        ):
            return [python, "-m", "pip"]
    sys.exit("no Python here has pip, which fetches the wheels")


def _fetch(pins: Path, index: Path) -> None:
    """Fetch the wheels with pip, and lay them out as an index."""
    wheels = index / "wheels"
    options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    command = [*_pip(), "download", *options, "--dest", str(wheels), "--requirement", str(pins)]
    subprocess.run(command, check=True)
    for wheel in wheels.iterdir():
        place = index / wheel.name.partition("-")[0].lower().replace("_", "-").replace(".", "-")
        place.mkdir(exist_ok=True)
        wheel.rename(place / wheel.name)
        names = sorted(path.name for path in place.glob("*.whl"))
        links = "".join(f'<a href="{name}">{name}</a>' for name in names)
        (place / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}</body></html>")
    wheels.rmdir()

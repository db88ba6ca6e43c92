"""The API of inspections with 100 000 of them in the catalog: submissions a second, and how long lists take.

A real `trimtab serve` that accepts and does not make (`TRIMTAB_WORKER=false`), asked over loopback by callers of another process, as
many at once as there are cores. What is in the catalog is made up: 2000 stacks of 30 packages, four bases, six kinds of machines, of which one
is rare, three runs an inspection, 50 owners. With PostgreSQL where TRIMTAB_TEST_POSTGRESQL_URL names one
(`scripts/with-services python -m benchmarks api`), else with SQLite alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import httpx2
import sqlalchemy as sa

from trimtab.catalog import Database
from trimtab.catalog import inspection_schema as tables
from trimtab.catalog.inspection_rows import words_of

AIM = 0.200
QUICK = bool(os.environ.get("TRIMTAB_BENCH_QUICK"))
INSPECTIONS = 5_000 if QUICK else 100_000
STACKS, PACKAGES, LOCKED, OWNERS, BATCH = 2000, 3000, 30, 50, 3
LISTINGS, SECONDS = (30, 1.0) if QUICK else (400, 10.0)
WARMUP = (
    5  # requests that are not counted: the first ones of a server open connections and compile statements
)
CALLERS = max(2, os.cpu_count() or 1)
BASES = [f"registry.example/python:3.{minor}" for minor in (10, 11, 12, 13)]
STATES = ["succeeded"] * 90 + ["failed"] * 6 + ["build_failed"] * 3 + ["cancelled"]
BRANDS = [
    "Intel Xeon Gold 6140",
    "AMD EPYC 7763",
    "Ampere Altra",
    "Intel Xeon 8358",
    "AMD EPYC 9654",
    "Rare 1",
]
ADMIN, OWNER = "admin-0123456789abcdef", "owner-0123456789abcdef"
SPECIFICATION = {
    "base": BASES[0],
    "identifier": "bench",
    "batch_size": BATCH,
    "python": {
        "lock": {
            "requirements.txt": "".join(f"package-{n}==1.{n} --hash=sha256:{n:064x}\n" for n in range(LOCKED))
        }
    },
    "script": "#!/bin/sh\necho hello\n",
}
QUERIES: dict[str, dict[str, Any]] = {
    "first page": {},
    "page 900": {"page": 900},
    "ids, page 900": {"page": 900},
    "own": {},
    "state": {"state": "failed"},
    "words": {"words": "conv2d 0007"},
    "base": {"base": BASES[2]},
    "package": {"package": "package-7==1.7"},
    "hardware": {"hardware": "epyc"},
    "rare hardware": {"hardware": "rare"},
    "hardware nobody has": {"hardware": "abacus"},
    "own, hardware": {"hardware": "epyc"},
}


def run() -> dict[str, Any]:
    """Measure, and return rows of `database`, `request`, `p50_ms`, `p99_ms`, `n`; and of submissions `per_s`."""
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        for kind, url in _databases(Path(directory)):
            _fill(url)
            with _served(Path(directory) / kind, url) as address:
                rows += [{"database": kind, **row} for row in asyncio.run(_measure(address))]
    worst = max(row["p99_ms"] for row in rows if row["request"] != "submit")
    aim = {"measured": f"worst {worst:.0f} ms", "reached": worst <= AIM * 1000}
    return {
        "name": "api",
        "rows": rows,
        "aims": {f"p99 of lists ≤ {AIM * 1000:.0f} ms": aim},
        "notes": (
            f"{INSPECTIONS} inspections with {BATCH} runs each; {CALLERS} callers at once, each asks again when it has its answer, "
            "on the cores that the server has, too."
        ),
    }


@contextmanager
def _new_postgresql(url: str) -> Iterator[str]:
    server = sa.create_engine(
        sa.make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    name = f"bench_{secrets.token_hex(8)}"
    with server.connect() as connection:
        connection.execute(sa.text(f'CREATE DATABASE "{name}"'))
    try:
        yield server.url.set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(sa.text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        server.dispose()


def _databases(directory: Path) -> Iterator[tuple[str, str]]:
    yield "SQLite", f"sqlite:///{directory / 'bench.sqlite'}"
    if url := os.environ.get("TRIMTAB_TEST_POSTGRESQL_URL"):
        with _new_postgresql(url) as made:
            yield "PostgreSQL", made


def _fill(url: str) -> None:
    """Rows as real inspections have them, in bulk."""
    database = Database(url)
    with database.write() as connection:
        for table, rows in _rows():
            left = iter(rows)
            while some := list(islice(left, 10_000)):
                connection.execute(sa.insert(table), some)
        if not database.is_sqlite:  # numbers that were given are not known to have been
            for table in (tables.packages, tables.stacks, tables.environments):
                top = sa.select(sa.func.max(table.c.id)).scalar_subquery()
                connection.execute(sa.select(sa.func.setval(f"{table.name}_id_seq", top)))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    database.close()


def _rows() -> Iterator[tuple[sa.Table, Iterable[dict[str, Any]]]]:
    rng = random.Random(7)
    ids = [
        f"inspection-{_identifier(n)}-260101{n:06d}-{rng.getrandbits(64):016x}" for n in range(INSPECTIONS)
    ]
    numbers = range(INSPECTIONS)
    yield (
        tables.packages,
        (
            {"id": n + 1, "name": f"package-{n}", "version": f"1.{n}", "source": "pypi"}
            for n in range(PACKAGES)
        ),
    )
    yield tables.stacks, ({"id": n + 1, "digest": f"{n:064x}", "packages": LOCKED} for n in range(STACKS))
    yield (
        tables.stack_packages,
        (
            {"stack_id": stack + 1, "package_id": package + 1}
            for stack in range(STACKS)
            for package in rng.sample(range(PACKAGES), LOCKED)
        ),
    )
    yield (
        tables.hardware,
        (
            {"digest": f"{n:064x}", "brand": brand, "ncpus": 8, "document": {}}
            for n, brand in enumerate(BRANDS)
        ),
    )
    yield (
        tables.environments,
        [{"id": 1, "os_name": "debian", "os_version": "12", "python_version": "3.11", "cuda_version": ""}],
    )
    yield tables.inspections, (_inspection(n, ids[n], rng) for n in numbers)
    yield tables.specifications, ({"inspection_id": ids[n], "document": SPECIFICATION} for n in numbers)
    yield (
        tables.inspection_words,
        ({"word": word, "inspection_id": ids[n]} for n in numbers for word in sorted(words_of(ids[n]))),
    )
    yield tables.runs, (_run(ids[n], item, rng) for n in numbers for item in range(BATCH))


def _identifier(number: int) -> str:
    return f"{('matmul', 'conv1d', 'conv2d')[number % 3]}-{number % 100:04d}"


def _inspection(number: int, name: str, rng: random.Random) -> dict[str, Any]:
    moment = 1.7e9 + number
    return {
        "id": name,
        "identifier": _identifier(number),
        "owner": f"owner-{rng.randrange(OWNERS)}",
        "state": rng.choice(STATES),
        "base": rng.choice(BASES),
        "batch_size": BATCH,
        "specification_digest": f"{number:064x}",
        "stack_id": rng.randrange(STACKS) + 1,
        "engine": "podman",
        "build": {
            "reference": "trimtab/bench",
            "digest": f"sha256:{number:064x}",
            "cached": False,
            "seconds": 12.0,
        },
        "created_at": moment,
        "started_at": moment + 1,
        "ended_at": moment + 60,
    }


def _run(name: str, item: int, rng: random.Random) -> dict[str, Any]:
    rare = rng.random() < 0.0005
    return {
        "inspection_id": name,
        "item": item,
        "attempt": 1,
        "state": "succeeded",
        "exit_code": 0,
        "timed_out": False,
        "oom_killed": False,
        "duration": rng.random(),
        "hardware_digest": f"{5 if rare else rng.randrange(5):064x}",
        "environment_id": 1,
    }


@contextmanager
def _served(home: Path, url: str) -> Iterator[str]:
    home.mkdir()
    (home / "tokens").write_text(f"{ADMIN}\nowner-7:submit:{OWNER}\n")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TRIMTAB_")},
        "TRIMTAB_HOME": str(home),
        "TRIMTAB_DATABASE_URL": url,
        "TRIMTAB_TOKEN_FILE": str(home / "tokens"),
        "TRIMTAB_PORT": "0",
        "TRIMTAB_WORKER": "false",
    }
    log = home / "log"
    with log.open("w") as file:
        command = [sys.executable, "-c", "from trimtab.cli import main; main()", "serve"]
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
    try:
        yield _address(process, log)
    finally:
        process.terminate()
        process.wait(30)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    while process.poll() is None:
        if found := re.search(r"running on (http://\S+:\d+)", log.read_text()):
            return found[1]
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start:\n{log.read_text()}")


async def _measure(address: str) -> list[dict[str, Any]]:
    limits = httpx2.Limits(max_connections=CALLERS, max_keepalive_connections=CALLERS)
    async with httpx2.AsyncClient(base_url=address, limits=limits, timeout=60, trust_env=False) as client:
        rows = [await _list(client, name, params) for name, params in QUERIES.items()]
        return [*rows, await _submit(client)]


async def _list(client: httpx2.AsyncClient, name: str, params: dict[str, Any]) -> dict[str, Any]:
    path = "/api/v1/inspect" if name.startswith("ids") else "/api/v1/inspections"
    token = OWNER if name.startswith("own") else ADMIN
    times: list[float] = []

    async def caller() -> None:
        while len(times) < LISTINGS + WARMUP:
            times.append(await _timed(client, "GET", path, token, params=params))

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return {"request": name, **_figures(times[WARMUP:])}


async def _submit(client: httpx2.AsyncClient) -> dict[str, Any]:
    body = json.dumps(SPECIFICATION).encode()
    times: list[float] = []
    end = time.perf_counter() + SECONDS

    async def caller() -> None:
        while time.perf_counter() < end:
            times.append(
                await _timed(
                    client,
                    "POST",
                    "/api/v1/inspect",
                    OWNER,
                    content=body,
                    headers={"Content-Type": "application/json"},
                )
            )

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return {
        "request": "submit",
        **_figures(times),
        "per_s": round(len(times) / (time.perf_counter() - began), 1),
    }


async def _timed(client: httpx2.AsyncClient, method: str, path: str, token: str, **options: Any) -> float:
    headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
    began = time.perf_counter()
    response = await client.request(method, path, headers=headers, **options)
    seconds = time.perf_counter() - began
    response.raise_for_status()
    return seconds


def _figures(times: list[float]) -> dict[str, Any]:
    return {
        "p50_ms": round(1000 * statistics.median(times), 1),
        "p99_ms": round(1000 * statistics.quantiles(times, n=100)[98], 1),
        "n": len(times),
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=2, ensure_ascii=False))

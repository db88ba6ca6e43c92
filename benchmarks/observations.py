"""Observations: how many documents a second are recorded, and how long questions take, with 1 and 10 million rows in the catalog.

What is in the catalog is made up, and drawn from its numbers, so that it is the same each time: builds of stacks of about 35 of 3000 Python
packages, some loved by all and most by few, on 40 base images; 120 packages break builds from a version on, some on one base only; images with
packages of Debian and symbols beside. It is written in bulk, table by table, and taken up where it was broken off. Then real documents are
recorded on top of it, and each question is asked with arguments drawn at random, by one caller in this process.

With PostgreSQL where TRIMTAB_TEST_POSTGRESQL_URL names one (`scripts/with-services python -m benchmarks observations`), else with SQLite alone.
TRIMTAB_BENCH_ROWS names other sizes (`1000000`), TRIMTAB_BENCH_DATA a directory where what was written is kept for the next time.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from trimtab.catalog import Database, inspection_schema
from trimtab.catalog import observation_schema as tables
from trimtab.catalog import observations as ask

AIM = 0.200
QUICK = bool(os.environ.get("TRIMTAB_BENCH_QUICK"))
SIZES = [
    int(each)
    for each in os.environ.get("TRIMTAB_BENCH_ROWS", "20000" if QUICK else "1000000,10000000").split(",")
]
ASKED, WARMUP = (20, 2) if QUICK else (100, 5)
RECORDED = 20 if QUICK else 200
NAMES, VERSIONS, BASES, SYSTEM, LIBRARIES, SYMBOLS = 3000, 20, 40, 20_000, 10_000, 4000
CLASSES = ["compile-error", "missing-native", "conflict", "hash-mismatch", "package-build"]
OTHER = [
    ("connection", "network"),
    ("killed", "resource"),
    ("no-such-version", "index"),
    ("push", "infrastructure"),
]
AT_ONCE = 20_000
LOVED = list(accumulate(1 / (place + 3) for place in range(NAMES)))
MET = list(accumulate(1 / (place + 1) for place in range(BASES)))


class World:
    """Everything there is, by its number; `size` is about how many rows.

    Args:
        size: Rows.
    """

    def __init__(self, size: int) -> None:
        self.stacks = max(20, size * 79 // 10_000)
        self.builds = max(50, size * 237 // 10_000)
        self.images = max(20, size * 19 // 10_000)
        self.systems = max(4, size * 16 // 100_000)
        self._made: dict[int, tuple[int, int, str, str, str, int | None, int]] = {}
        rng = random.Random("bad")
        self.bad = {
            rng.randrange(400): (
                rng.randrange(8, VERSIONS),
                rng.choice([None, None, *range(6)]),
                rng.choice(CLASSES),
            )
            for _ in range(120)
        }

    def stack(self, number: int) -> list[int]:
        """Facts of a stack: one version of each of its packages."""
        return sorted(_python(*each) for each in _stack(number).items())

    def build(self, number: int) -> tuple[int, int, str, str, str, int | None, int]:
        """Stack, base, outcome, kind, class, breaker and how many packages were installed."""
        if number not in self._made:
            self._made[number] = _build(self, number)
        return self._made[number]

    def pip_set(self, image: int) -> int:
        """The number of the set of an image's Python packages."""
        return 1 + self.stacks + self.builds + image

    def system_set(self, image: int) -> int:
        """That of its system's packages, which many share."""
        return 1 + self.stacks + self.builds + self.images + image % self.systems

    def library_set(self, image: int) -> int:
        """That of its libraries."""
        return 1 + self.stacks + self.builds + self.images + self.systems + image % self.systems


def _python(name: int, version: int) -> int:
    return 1 + name * VERSIONS + version


SYSTEM_FACTS, LIBRARY_FACTS = 1 + NAMES * VERSIONS, 1 + NAMES * VERSIONS + SYSTEM


@lru_cache(maxsize=200_000)
def _stack(number: int) -> dict[int, int]:
    rng = random.Random(f"stack {number}")
    names = rng.choices(range(NAMES), cum_weights=LOVED, k=44)
    return {name: int(VERSIONS * rng.random() ** 0.6) for name in names}


def _build(world: World, number: int) -> tuple[int, int, str, str, str, int | None, int]:
    rng = random.Random(f"build {number}")
    stack = rng.randrange(world.stacks)
    base = rng.choices(range(BASES), cum_weights=MET)[0]
    found = _stack(stack)
    for place, (name, version) in enumerate(sorted(found.items())):
        bad = world.bad.get(name)
        if bad and version >= bad[0] and bad[1] in {None, base} and rng.random() < 0.9:
            return stack, base, "failed", "stack", bad[2], _python(name, version), place
    if rng.random() < 0.04:
        failure, kind = rng.choice(OTHER)
        return stack, base, "failed", kind, failure, None, rng.randrange(len(found))
    if rng.random() < 0.01:
        place = rng.randrange(len(found))
        name, version = sorted(found.items())[place]
        return stack, base, "failed", "stack", rng.choice(CLASSES), _python(name, version), place
    return stack, base, "successful", "", "", None, len(found)


def run() -> dict[str, Any]:
    """Measure, and return rows of `database`, `rows`, `request`, `p50_ms`, `p99_ms`, `n`; of what is recorded `per_s`."""
    rows = []
    with _data() as directory:
        for size in SIZES:
            world = World(size)
            for kind, url in _databases(directory, size):
                began = time.perf_counter()
                count = _fill(url, world)
                print(f"{kind}: {count} rows after {time.perf_counter() - began:.0f} s", file=sys.stderr)
                rows += [{"database": kind, "rows": count, **row} for row in _measure(url, world)]
    asked = [row for row in rows if row["request"] not in RECORDINGS]
    worst = max(asked, key=lambda row: row["p99_ms"])
    measured = (
        f"worst {worst['p99_ms']:.0f} ms: {worst['request']}, {worst['database']}, {worst['rows']} rows"
    )
    return {
        "name": "observations",
        "rows": rows,
        "aims": {
            f"p99 of questions ≤ {AIM * 1000:.0f} ms": {
                "measured": measured,
                "reached": worst["p99_ms"] <= AIM * 1000,
            }
        },
        "notes": (
            "Rows are those of all tables of observations. `cpu` is the processor's time of the process that asks, which has SQLite inside, and not "
            "PostgreSQL. One caller; of what is recorded, each document is a "
            "transaction of its own, its packages are 35 (log) and 300 (image)."
        ),
    }


@contextmanager
def _data() -> Iterator[Path]:
    if kept := os.environ.get("TRIMTAB_BENCH_DATA"):
        Path(kept).mkdir(parents=True, exist_ok=True)
        yield Path(kept)
        return
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


def _databases(directory: Path, size: int) -> Iterator[tuple[str, str]]:
    yield "SQLite", f"sqlite:///{directory / f'observations-{size}.sqlite'}"
    if url := os.environ.get("TRIMTAB_TEST_POSTGRESQL_URL"):
        with _postgresql(url, size) as made:
            yield "PostgreSQL", made


@contextmanager
def _postgresql(url: str, size: int) -> Iterator[str]:
    keep = bool(os.environ.get("TRIMTAB_BENCH_DATA"))
    name = f"bench_observations_{size}" if keep else f"bench_{secrets.token_hex(8)}"
    server = sa.create_engine(
        sa.make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with server.connect() as connection:
        there = connection.execute(
            sa.text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}
        ).scalar()
        if not there:
            connection.execute(sa.text(f'CREATE DATABASE "{name}"'))
    try:
        yield server.url.set(database=name).render_as_string(hide_password=False)
    finally:
        if not keep:
            with server.connect() as connection:
                connection.execute(sa.text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        server.dispose()


# Filling: each table from the numbers alone, so that whatever was broken off begins again with the table it was at.


def _fill(url: str, world: World) -> int:
    database = Database(url)
    try:
        with database.write() as connection:
            connection.exec_driver_sql(
                "CREATE TABLE IF NOT EXISTS bench_progress (name VARCHAR(100) PRIMARY KEY, count BIGINT)"
            )
        for table, rows in _tables(world).items():
            if _done(database, table.name) is None:
                _write(database, table, rows)
        if _done(database, "*") is None:
            _finish(database)
        return sum(
            _done(database, table.name) or 0 for table in _tables(world) if table.name != "environments"
        )
    finally:
        database.close()


def _done(database: Database, name: str) -> int | None:
    with database.read() as connection:
        query = sa.text("SELECT count FROM bench_progress WHERE name = :name")
        found: int | None = connection.execute(query, {"name": name}).scalar()
        return found


def _write(database: Database, table: sa.Table, rows: Callable[[], Iterable[tuple[Any, ...]]]) -> None:
    columns = [each.name for each in table.columns]
    with database.engine.connect() as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.commit()
        connection.execution_options(trimtab_write=True)
        with connection.begin():
            for index in sorted(table.indexes, key=lambda each: str(each.name)):
                index.drop(connection)  # it is made anew at the end, which is faster
            connection.execute(sa.delete(table))
            count = (_insert if database.is_sqlite else _copy)(connection, table.name, columns, rows())
            for index in table.indexes:
                index.create(connection)
            connection.execute(
                sa.text("INSERT INTO bench_progress VALUES (:name, :count)"),
                {"name": table.name, "count": count},
            )
        if database.is_sqlite:
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")


def _insert(connection: sa.Connection, name: str, columns: list[str], rows: Iterable[tuple[Any, ...]]) -> int:
    cursor = connection.connection.cursor()
    query = f'INSERT INTO "{name}" VALUES ({", ".join("?" * len(columns))})'
    left, count = iter(rows), 0
    while some := list(islice(left, AT_ONCE)):
        cursor.executemany(query, some)
        count += len(some)
    return count


def _copy(connection: sa.Connection, name: str, columns: list[str], rows: Iterable[tuple[Any, ...]]) -> int:
    connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
    with suppress(sa.exc.ProgrammingError), connection.begin_nested():
        connection.exec_driver_sql(
            "SET LOCAL session_replication_role = replica"
        )  # foreign keys are right by construction
    cursor: Any = connection.connection.cursor()
    count = 0
    listed = ", ".join(f'"{each}"' for each in columns)
    with cursor.copy(f'COPY "{name}" ({listed}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def _finish(database: Database) -> None:
    if not database.is_sqlite:  # numbers that were given are not known to have been
        with database.write() as connection:
            numbered = (
                tables.sources,
                tables.images,
                tables.image_references,
                tables.facts,
                tables.symbols,
                tables.fact_sets,
                tables.builds,
            )
            for table in (*numbered, inspection_schema.environments):
                top = sa.select(sa.func.max(table.c.id)).scalar_subquery()
                connection.execute(sa.select(sa.func.setval(f"{table.name}_id_seq", top)))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    with database.write() as connection:
        connection.exec_driver_sql("INSERT INTO bench_progress VALUES ('*', 0)")


def _tables(world: World) -> dict[sa.Table, Callable[[], Iterable[tuple[Any, ...]]]]:
    return {
        tables.sources: lambda: _sources(world),
        tables.images: lambda: ((n + 1, f"sha256:{n:064x}") for n in range(world.images)),
        tables.image_references: lambda: ((n + 1, _base(n), _base(n).rpartition(":")[0]) for n in range(BASES)),
        tables.facts: _facts,
        tables.symbols: lambda: ((n + 1, f"SYM_{n // 10}.{n % 10}") for n in range(SYMBOLS)),
        tables.library_symbols: _library_symbols,
        tables.fact_sets: lambda: _fact_sets(world),
        tables.set_facts: lambda: _set_facts(world),
        tables.observations: lambda: _observations(world),
        inspection_schema.environments: lambda: ((n + 1, "debian" if n % 2 else "rhel", str(8 + n // 12), f"3.{8 + n // 2 % 6}", "") for n in range(24)),
        tables.image_analyses: lambda: _image_analyses(world),
        tables.log_analyses: lambda: _log_analyses(world),
        tables.failures: lambda: _failures(world),
        tables.build_documents: lambda: _build_documents(world),
        tables.builds: lambda: _builds(world),
        tables.tallies: lambda: _tallies(world),
        tables.breakers: lambda: _breakers(world),
        tables.base_tallies: lambda: _base_tallies(world),
    }  # fmt: skip


def _base(number: int) -> str:
    return f"registry.example/base-{number % 10}:{number // 10}"


def _name(fact: int) -> tuple[str, str, str]:
    if fact < SYSTEM_FACTS:
        name, version = divmod(fact - 1, VERSIONS)
        return "pypi", f"package-{name}", f"{1 + version // 10}.{version % 10}"
    if fact < LIBRARY_FACTS:
        return "deb", f"lib{(fact - SYSTEM_FACTS) // 4}", f"1.{(fact - SYSTEM_FACTS) % 4}-1"
    number = fact - LIBRARY_FACTS
    return "library", f"/usr/lib/lib{number // 4}.so.1", f"{number:032x}"


def _facts() -> Iterator[tuple[Any, ...]]:
    yield from ((fact, *_name(fact)) for fact in range(1, LIBRARY_FACTS + LIBRARIES))


def _library_symbols() -> Iterator[tuple[int, int]]:
    for number in range(LIBRARIES):
        for symbol in sorted({(number // 4 * 7 + each) % SYMBOLS for each in range(10 + number % 4)}):
            yield LIBRARY_FACTS + number, symbol + 1


def _sources(world: World) -> Iterator[tuple[Any, ...]]:
    for n in range(world.builds):
        yield 1 + n, f"build-analysis-{n:012d}", "build", f"{n:064x}", "", "", 1.7e9 + n
        yield 1 + world.builds + n, f"buildlog-parser-{n:012d}", "log", f"{n:064x}", "trimtab", "1", 1.7e9 + n
    for n in range(world.images):
        yield (
            1 + 2 * world.builds + n,
            f"package-extract-{n:012d}",
            "image",
            f"{n:064x}",
            "trimtab",
            "1",
            1.7e9 + n,
        )


def _digest(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def _fact_sets(world: World) -> Iterator[tuple[Any, ...]]:
    for number, kind, subject, found in _sets(world):
        yield number, kind, subject, _digest(number), len(found)


def _set_facts(world: World) -> Iterator[tuple[int, int, str]]:
    for number, _, subject, found in _sets(world):
        yield from ((number, fact, subject) for fact in found)


def _sets(world: World) -> Iterator[tuple[int, str, str, list[int]]]:
    for n in range(world.stacks):
        yield 1 + n, "pypi", "build", world.stack(n)
    for n in range(world.builds):
        stack, _, outcome, _, _, _, installed = world.build(n)
        if outcome == "failed":
            yield 1 + world.stacks + n, "pypi", "build", world.stack(stack)[:installed]
    for n in range(world.images):
        yield world.pip_set(n), "pypi", "image", world.stack(n % world.stacks)
    for n in range(world.systems):
        first = 1 + world.stacks + world.builds + world.images
        yield (
            first + n,
            "deb",
            "image",
            sorted({SYSTEM_FACTS + (each * 4 + n * 7 % (each + 3)) % SYSTEM for each in range(250)}),
        )
        yield (
            first + world.systems + n,
            "library",
            "image",
            sorted({LIBRARY_FACTS + (each * 4 + n * 5 % (each + 2)) % LIBRARIES for each in range(200)}),
        )


def _observations(world: World) -> Iterator[tuple[Any, ...]]:
    for n in range(world.builds):
        stack, _, outcome, *_ = world.build(n)
        yield 1 + world.builds + n, 1 + stack, "requires", "declared"
        yield (
            1 + world.builds + n,
            1 + stack if outcome == "successful" else 1 + world.stacks + n,
            "installed",
            "observed",
        )
    for n in range(world.images):
        for found in (world.pip_set(n), world.system_set(n), world.library_set(n)):
            yield 1 + 2 * world.builds + n, found, "contains", "observed"


def _image_analyses(world: World) -> Iterator[tuple[Any, ...]]:
    for n in range(world.images):
        source = 1 + 2 * world.builds + n
        yield (
            *(
                source,
                f"package-extract-{n:012d}",
                1 + n,
                1 + n % BASES,
                1 + n % 24,
                "runtime",
                f"{n:064x}",
                "",
                "",
            ),
            *(100_000_000 + n, 1.7e9 + n, True),
        )


def _log_analyses(world: World) -> Iterator[tuple[Any, ...]]:
    for n in range(world.builds):
        _, _, outcome, kind, failure, breaker, _ = world.build(n)
        how = "observed" if kind else ""
        yield 1 + world.builds + n, outcome, "pip", None, kind, failure, breaker, how, None, "", 1.7e9 + n


def _failures(world: World) -> Iterator[tuple[Any, ...]]:
    for n in range(world.builds):
        _, _, outcome, kind, failure, breaker, _ = world.build(n)
        if outcome == "failed":
            _, name, version = _name(breaker) if breaker else ("", "", "")
            yield 1 + world.builds + n, 1, failure, kind, name, version, "it failed", 100, False, True


def _build_documents(world: World) -> Iterator[tuple[Any, ...]]:
    for n in range(world.builds):
        _, base, outcome, *_ = world.build(n)
        phase = "complete" if outcome == "successful" else "failed"
        log = f"buildlog-parser-{n:012d}"
        yield (
            1 + n,
            f"{n:064x}",
            3,
            f"build-{n}",
            "bench",
            phase,
            None,
            1 + base,
            "",
            "",
            None,
            "",
            "",
            log,
            1.7e9 + n,
        )


def _builds(world: World) -> Iterator[tuple[Any, ...]]:
    for n in range(world.builds):
        stack, base, outcome, kind, failure, breaker, _ = world.build(n)
        yield (
            *(
                1 + n,
                f"{n:064x}",
                f"build-analysis-{n:012d}",
                1 + n,
                1 + world.builds + n,
                None,
                1 + base,
                None,
                None,
            ),
            *(1 + stack, outcome, "observed", kind, failure, breaker, 1.7e9 + n),
        )


def _tallies(world: World) -> Iterator[tuple[Any, ...]]:
    counts: dict[tuple[int, int], list[int]] = {}
    for n in range(world.builds):
        stack, base, outcome, kind, _, breaker, installed = world.build(n)
        if outcome == "failed" and kind != "stack":
            continue
        for place, fact in enumerate(world.stack(stack)):
            for number in (0, 1 + base):
                count = counts.setdefault((number, fact), [0, 0, 0, 0])
                if outcome == "successful":
                    count[0] += 1
                else:
                    count[1] += 1
                    count[2] += fact == breaker
                    count[3] += place < installed
    yield from ((*key, *count) for key, count in sorted(counts.items()))


def _breakers(world: World) -> Iterator[tuple[Any, ...]]:
    counts: dict[tuple[Any, ...], int] = {}
    for n in range(world.builds):
        _, base, outcome, kind, failure, breaker, _ = world.build(n)
        for number in (0, 1 + base) if outcome == "failed" else ():
            key = (number, breaker or 0, failure, kind)
            counts[key] = counts.get(key, 0) + 1
    yield from ((*key, count) for key, count in counts.items())


def _base_tallies(world: World) -> Iterator[tuple[Any, ...]]:
    kinds = ("successful", "stack", "index", "network", "infrastructure", "resource")
    counts: dict[int, dict[str, int]] = {}
    for n in range(world.builds):
        _, base, outcome, kind, *_ = world.build(n)
        for number in (0, 1 + base):
            here = counts.setdefault(number, dict.fromkeys(kinds, 0))
            here[kind or outcome] += 1
    yield from ((number, *here.values(), 0, 0, 0) for number, here in sorted(counts.items()))


# Measuring.

RECORDINGS = ("record a log", "record a build", "record an image")


def _measure(url: str, world: World) -> list[dict[str, Any]]:
    database = Database(url)
    try:
        rows = [_asked(database, name, question) for name, question in _questions(world).items()]
        return [*rows, *_recorded(database)]
    finally:
        database.close()


def _questions(world: World) -> dict[str, Callable[[sa.Connection, random.Random], Any]]:
    def base(rng: random.Random) -> str:
        return _base(rng.choices(range(BASES), cum_weights=MET)[0])

    def package(rng: random.Random) -> str:
        return f"package-{rng.choices(range(NAMES), cum_weights=LOVED)[0]}"

    def image(rng: random.Random) -> str:
        return f"sha256:{rng.randrange(world.images):064x}"

    def images(connection: sa.Connection, **wanted: Any) -> Any:
        return ask.images_holding(connection, ask.ImagesWanted(**wanted))

    return {
        "only in failures": lambda c, rng: ask.only_in_failures(c, offset=25 * rng.randrange(4)),
        "only in failures, on a base": lambda c, rng: ask.only_in_failures(c, base=base(rng)),
        "first bad version": lambda c, rng: ask.first_bad_version(c, package(rng)),
        "first bad version, on a base": lambda c, rng: ask.first_bad_version(c, package(rng), base=base(rng)),
        "images with a package": lambda c, rng: images(c, package=f"{package(rng)}>=1.5,<2"),
        "images with the most loved package": lambda c, _: images(c, package="package-0"),
        "images with a symbol": lambda c, rng: images(c, symbol=f"SYM_{rng.randrange(400)}.{rng.randrange(10)}"),
        "images with a system": lambda c, rng: images(c, os_name="debian", python_version=f"3.{8 + rng.randrange(6)}"),
        "images, page 20": lambda c, _: ask.images_holding(c, ask.ImagesWanted(), offset=500),
        "drift": lambda c, rng: ask.drift(c, image(rng), image(rng)),
        "failure rate by base": lambda c, _: ask.failure_rates(c),
        "breakers": lambda c, _: ask.most_frequent_breakers(c),
        "breakers, on a base": lambda c, rng: ask.most_frequent_breakers(c, base=base(rng), by="version"),
        "known-good neighbours": lambda c, rng: ask.neighbours_of_build(c, f"build-analysis-{rng.randrange(world.builds):012d}"),
        "rules, 25 packages": lambda c, rng: ask.candidate_rules(c, offset=25 * rng.randrange(4), limit=25),
        "rules, on a base": lambda c, rng: ask.candidate_rules(c, base=base(rng), limit=25),
        "observations of a document": lambda c, rng: list(
            ask.observed(c, document_id=f"buildlog-parser-{rng.randrange(world.builds):012d}")
        ),
    }  # fmt: skip


def _asked(
    database: Database, name: str, question: Callable[[sa.Connection, random.Random], Any]
) -> dict[str, Any]:
    rng, times, busy = random.Random(name), [], []
    for _ in range(ASKED + WARMUP):
        began, worked = time.perf_counter(), time.process_time()
        with database.read() as connection:
            question(connection, rng)
        times.append(time.perf_counter() - began)
        busy.append(time.process_time() - worked)
    return {"request": name, **_figures(times[WARMUP:], busy[WARMUP:])}


def _recorded(database: Database) -> list[dict[str, Any]]:
    run_ = secrets.token_hex(4)  # of what is kept, each time other documents are recorded
    return [
        _recording(database, RECORDINGS[0], ask.record_analysis, (_log(run_, n) for n in range(RECORDED))),
        _recording(database, RECORDINGS[1], ask.record_build, (_told(run_, n) for n in range(RECORDED))),
        _recording(database, RECORDINGS[2], ask.record_analysis, (_scan(run_, n) for n in range(RECORDED))),
    ]


def _recording(
    database: Database, name: str, record: Any, documents: Iterable[dict[str, Any]]
) -> dict[str, Any]:
    times, busy = [], []
    for document in documents:
        began, worked = time.perf_counter(), time.process_time()
        with database.write() as connection:
            record(connection, document)
        times.append(time.perf_counter() - began)
        busy.append(time.process_time() - worked)
    return {"request": name, **_figures(times, busy), "per_s": round(len(times) / sum(times), 1)}


def _log(run_: str, number: int) -> dict[str, Any]:
    found = [_name(_python(*each)) for each in _stack(int(run_, 16) * 10**6 + number).items()]
    failed = number % 5 == 0
    error = {
        "class": "compile-error",
        "kind": "stack",
        "package": found[0][1],
        "version": found[0][2],
        "message": "it failed",
        "line": 7,
        "recovered": False,
    }
    entries = [
        {"package_name": name, "package_version": version, "is_successful": not (failed and place == 0)}
        for place, (_, name, version) in enumerate(found)
    ]
    lock = {"default": {name: {"version": f"=={version}"} for _, name, version in found}}
    outcome = (
        {"outcome": "failed", "errors": [error], "build_breaker": error}
        if failed
        else {"outcome": "successful", "errors": []}
    )
    metadata = {"document_id": f"buildlog-parser-{run_}-{number}", "timestamp": 1.8e9 + number}
    return {"metadata": metadata, "result": {"pipfile_lock": lock, "installation": entries, **outcome}}  # fmt: skip


def _told(run_: str, number: int) -> dict[str, Any]:
    return {
        "analysis_id": f"build-analysis-{run_}-{number}",
        "created_at": 1.8e9 + number,
        "base_image": {"reference": _base(number % BASES), "digest": None, "analysis_id": None},
        "output_image": None,
        "build_log": {
            "document_id": f"log-{run_}-{number}",
            "analysis_id": f"buildlog-parser-{run_}-{number}",
        },
        "build": {"phase": "failed" if number % 5 == 0 else "complete"},
    }


def _scan(run_: str, number: int) -> dict[str, Any]:
    system = [{"name": f"lib{each}", "version": f"1.{each * number % 4}-1"} for each in range(250)]
    python = [_name(_python(*each)) for each in _stack(int(run_, 16) * 10**6 + 10**5 + number).items()]
    return {
        "metadata": {"document_id": f"package-extract-{run_}-{number}", "timestamp": 1.8e9 + number},
        "result": {
            "deb": system,
            "python-packages": [
                {"package_name": name, "package_version": version} for _, name, version in python
            ],
            "operating-system": {"id": "debian", "version_id": "12"},
            "skopeo-inspect": {"Digest": f"sha256:{hashlib.sha256(f'{run_} {number}'.encode()).hexdigest()}"},
        },
    }


def _figures(times: list[float], busy: list[float]) -> dict[str, Any]:
    """Time that passed, and the processor's time of this process: of SQLite all of it, of PostgreSQL not the server's."""
    return {
        "p50_ms": round(1000 * statistics.median(times), 2),
        "p99_ms": round(1000 * statistics.quantiles(times, n=100)[98], 2),
        "cpu_p50_ms": round(1000 * statistics.median(busy), 2),
        "cpu_p99_ms": round(1000 * statistics.quantiles(busy, n=100)[98], 2),
        "n": len(times),
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=2, ensure_ascii=False))

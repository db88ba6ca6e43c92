"""The shop that `make demo` tunes: a real service, and the same one on every machine."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "shop"
VARIABLES = (
    "WORKERS",
    "CACHE_MB",
    "COMPRESSION",
    "DATABASE_CACHE_MB",
    "BATCH",
    "RANKING",
    "HOST",
    "PORT",
    "DATA",
)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLE))
    for name in VARIABLES:
        monkeypatch.delenv(f"SHOP_{name}", raising=False)


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """The database, made once."""
    folder = tmp_path_factory.mktemp("shop")
    run = [
        sys.executable,
        "-c",
        "import sys; from pathlib import Path; from shop.database import prepare; prepare(Path(sys.argv[1]))",
    ]
    subprocess.run([*run, str(folder)], cwd=EXAMPLE, check=True)
    return folder


@pytest.fixture
def client(data, monkeypatch):
    """Makes a client of an application with some settings."""
    from shop.app import create_app
    from shop.settings import read_settings

    def make(**settings):
        monkeypatch.setenv("SHOP_DATA", str(data))
        monkeypatch.setenv("SHOP_LINE_MBIT", "0")
        for name, value in settings.items():
            monkeypatch.setenv(f"SHOP_{name.upper()}", str(value))
        transport = httpx2.ASGITransport(app=create_app(read_settings()))
        return httpx2.AsyncClient(transport=transport, base_url="http://shop")

    return make


async def test_each_ranking_finds_the_same(client):
    answers = []
    for ranking in ("sort", "heap", "sql"):
        async with client(ranking=ranking) as shop:
            found = (await shop.get("/search/boats/30")).json()
            page = (await shop.get("/products/7")).text
        answers.append(([row["id"] for row in found["results"]], page))
    assert len(answers[0][0]) == 30
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("level", [0, 1, 9])
async def test_the_compression_level_changes_the_size_and_nothing_else(client, level):
    async with client(compression=level) as shop, shop.stream("GET", "/products/3") as answer:
        body = b"".join([chunk async for chunk in answer.aiter_raw()])
        assert ("content-encoding" in answer.headers) == (level > 0)
    plain = gzip.decompress(body) if level else body
    assert plain.startswith(b"<!doctype html>")
    assert len(body) < len(plain) / 2 or level == 0


@pytest.mark.parametrize("batch", [1, 7, 500])
async def test_a_delivery_is_written_whole_whatever_the_batch(client, data, batch):
    from shop.database import connect, prepare

    lines = [[product, 3, 1000 + batch + product] for product in range(20)]
    async with client(batch=batch) as shop:
        assert (await shop.post("/stock", json=lines)).json() == {"written": 20}
    connection = connect(prepare(data), 1)
    rows = connection.execute("SELECT product, place, amount FROM stock WHERE place = 3 AND product < 20")
    assert [list(row) for row in rows] == lines
    connection.close()


async def test_what_is_not_there_is_404(client):
    async with client() as shop:
        assert (await shop.get("/products/999999")).status_code == 404
        assert (await shop.get("/search/nothing/10")).status_code == 404


def test_the_cache_keeps_what_was_used_last_within_its_capacity():
    from shop.cache import Cache

    cache = Cache(10)
    cache.put("a", b"1234")
    cache.put("b", b"1234")
    assert cache.get("a") == b"1234"
    cache.put("c", b"1234")
    assert cache.get("b") is None
    assert (cache.get("a"), cache.get("c")) == (b"1234", b"1234")
    cache.put("too much", b"12345678901")
    assert cache.get("too much") is None
    assert cache.get("a") == b"1234"


def test_the_database_is_the_same_each_time_and_made_whole_or_not_at_all(data, tmp_path):
    from shop.database import prepare

    other = prepare(tmp_path)
    dumps = [_sums(path) for path in (prepare(data), other)]
    assert dumps[0] == dumps[1]
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".draft"] == []


def _sums(path):
    from shop.database import connect

    connection = connect(path, 1)
    found = [
        tuple(row)
        for row in connection.execute("SELECT sum(helpful), sum(length(body)), count(*) FROM review")
    ]
    connection.close()
    return found


def test_the_traffic_is_what_its_module_writes(tmp_path):
    from shop.traffic import write

    write(tmp_path)
    committed = EXAMPLE / "traffic"
    for made in tmp_path.iterdir():
        assert made.read_text() == (committed / made.name).read_text(), (
            f"run `python -m shop.traffic`: {made.name}"
        )


@pytest.mark.parametrize(
    ("name", "value"),
    [("SHOP_WORKERS", "0"), ("SHOP_WORKERS", "many"), ("SHOP_RANKING", "best"), ("SHOP_CACHE_MB", "nan")],
)
def test_a_wrong_setting_is_named(monkeypatch, name, value):
    from shop.settings import read_settings

    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=name):
        read_settings()


def test_the_configuration_says_what_the_shop_does(monkeypatch):
    """The defaults of servo.yaml are those of the shop, and each of its variables is one the shop reads."""
    import yaml
    from shop.settings import read_settings

    settings = read_settings()
    for each in yaml.safe_load((EXAMPLE / "servo.yaml").read_text())["process"]["settings"]:
        field = each["environment"].removeprefix("SHOP_").lower()
        assert getattr(settings, field) == each["default"]


@pytest.mark.integration
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_workers_serve_and_end_together(data, number):
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "SHOP_PORT": str(port), "SHOP_WORKERS": "3", "SHOP_DATA": str(data)}
    with subprocess.Popen([sys.executable, "-m", "shop"], cwd=EXAMPLE, env=environment) as shop:
        deadline = time.monotonic() + 30
        while not _answers(port):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        shop.send_signal(number)
        assert shop.wait(timeout=30) == 0
    assert not _answers(port)


def _answers(port):
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    except httpx2.HTTPError:
        return False


def test_the_inspection_has_all_that_the_benchmark_needs():
    """Its specification is one, and its lock has the versions that the shop is tuned with: those of uv.lock."""
    import tomllib

    from inspection import specification
    from trimtab.catalog import packages_of
    from trimtab.inspection import Specification

    document = specification()
    asked = Specification.parse(json.dumps(document))
    assert {each.path for each in asked.files} == {
        f"shop/{each.name}" for each in (EXAMPLE / "shop").glob("*.py")
    }
    lock = tomllib.loads((EXAMPLE.parents[1] / "uv.lock").read_text())
    known = {each["name"]: each["version"] for each in lock["package"] if "version" in each}
    locked = {each.name: each.version for each in packages_of(document)}
    assert locked.keys() >= {"starlette", "uvicorn", "jinja2"}
    assert locked == {name: known[name] for name in locked}


def test_the_benchmark_prints_what_an_inspection_reads(data):
    environment = {**os.environ, "SHOP_DATA": str(data), "SHOP_LINE_MBIT": "0", "SHOP_BENCHMARK_REPS": "1"}
    command = [sys.executable, str(EXAMPLE / "benchmark.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert (found["name"], found["@parameters"]["reps"]) == ("Shop", 1)
    assert found["@result"]["rate"] == pytest.approx(4 / found["@result"]["elapsed"])


@pytest.mark.integration
@pytest.mark.timeout(300)
def test_the_demo_tunes_the_shop_and_tidies_up(tmp_path):
    """A shortened `make demo`: the whole inspection, both builds, fewer and shorter trials, all else as it is."""
    before = {each.name for each in Path("/tmp").glob("trimtab-demo-*")}
    short = [
        "--trials",
        "8",
        "--warmup",
        "250ms",
        "--duration",
        "1.25s",
        "--report",
        str(tmp_path),
        "--output",
        "json",
    ]
    done = subprocess.run(
        [sys.executable, str(EXAMPLE / "demo.py"), *short],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["trials"] == 8
    assert found["verdict"] in {
        "improved",
        "no improvement shown",
    }  # 8 short trials on a busy machine may not tell
    assert set(found["settings"]) == {
        f"web.{name}" for name in ("workers", "cache", "compression", "database_cache", "batch", "ranking")
    }
    assert (tmp_path / "report.html").stat().st_size > 50_000
    assert "starlette  1 of 1" in done.stderr  # what its own builds taught
    assert "All 3 runs succeeded" in (tmp_path / "inspection" / "report.html").read_text()
    assert {each.name for each in Path("/tmp").glob("trimtab-demo-*")} <= before


@pytest.mark.integration
@pytest.mark.timeout(120)
def test_the_sweep_measures_a_point_and_ends_the_shop():
    done = subprocess.run(
        [sys.executable, str(EXAMPLE / "sweep.py"), "1", "workers = 3"],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("| workers = 3 |")

"""SIGKILL of `trimtab serve` at each step of a submission and its analyses: the next comes to the same end, once."""

import contextlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from trimtab.catalog import Database, analyses
from trimtab.catalog.analysis_schema import build_analyses
from trimtab.store import (
    AnalysisResultsStore,
    BuildLogsParsedResultsStore,
    BuildLogsStore,
    BuildsStore,
    Store,
)

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

ZYGOTE = Path(__file__).parent / "kill" / "server_zygote.py"
PATH = "/api/v1/build-analysis"
LOG = "Collecting six==1.16.0\nSuccessfully installed six-1.16.0\n"
CATALOG, WORKFLOWS, STORE = "trimtab.catalog.analyses", "trimtab.workflows", "trimtab.store.analyses"
BEFORE_ANSWER = [
    (f"{STORE}:BuildLogsStore.store_document", "after", 1),  # a log, and no row
    (f"{CATALOG}:add", "after", 2),  # rows, and not committed
    (f"{WORKFLOWS}.queue:Queue.put", "after", 3),  # all of it, and not committed
    (f"{WORKFLOWS}.accepting:Accepting._build", "after", 1),  # accepted, and nobody was told
]
AFTER_ANSWER = [
    (f"{WORKFLOWS}.recording:Recording.make", "before", 1),
    (f"{STORE}:BuildsStore.put_once", "after", 1),
    (f"{WORKFLOWS}.recording:record_build", "after", 1),
    ("trimtab.catalog.submitted_builds:recorded", "after", 1),
    (f"{WORKFLOWS}.analysing:Analysing.make", "before", 1),
    (f"{CATALOG}:begin", "after", 1),  # begun, and not committed
    (f"{WORKFLOWS}.analysing:Analysing._begin", "after", 1),
    (f"{WORKFLOWS}.analysis:Analysis.announce", "after", 1),
    (f"{WORKFLOWS}.analysers:Analysers.analyse", "before", 1),
    (f"{WORKFLOWS}.analysers:Analysers.analyse", "after", 1),
    (f"{STORE}:_Results.put_once", "after", 1),  # a document, and its row says that it runs
    (f"{WORKFLOWS}.analysis:record_analysis", "after", 1),
    (f"{WORKFLOWS}.analysing:Analysing._finish", "before", 2),
    (f"{WORKFLOWS}.analysing:Analysing._finish", "after", 1),
    (f"{WORKFLOWS}.analysing:Analysing.make", "after", 1),  # done, and still taken
]


class Zygote:
    """Forks servers."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, ZYGOTE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, **asked: Any) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


class Server:
    """A server over a home, and the one that takes its place."""

    def __init__(self, zygote: Zygote, home: Path) -> None:
        self.zygote, self.home = zygote, home
        self.pid = 0

    def start(self, point: tuple[str, str, int] | None = None) -> None:
        log = self.home / "log"
        log.write_text("")
        self.pid = self.zygote.ask(start={"home": str(self.home), "log": str(log), "point": point})
        pattern = re.compile(r"running on (http://127\.0\.0\.1:\d+)")
        until(lambda: pattern.search(log.read_text()), self)
        found = pattern.search(log.read_text())
        assert found
        self.url = found[1]

    def ended(self) -> int:
        pid, self.pid = self.pid, 0
        return self.zygote.ask(wait=pid)

    def stop(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            self.ended()

    @property
    def lives(self) -> bool:
        stat = Path(f"/proc/{self.pid}/stat")
        return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def until(condition: Callable[[], object], server: Server | None = None, seconds: float = 150) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if server is not None:
            assert server.lives, (server.home / "log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture(scope="module")
def zygote():
    started = Zygote()
    yield started
    started.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """One for all, with the rows of those before."""
    return tmp_path_factory.mktemp("killed")


@pytest.fixture
def server(zygote, home):
    started = Server(zygote, home)
    yield started
    started.stop()


def submit(server, body):
    """Submit a build as an agent does, by the build's identity: here it is that of its log."""
    with httpx2.Client(base_url=server.url, timeout=120) as client:
        tls = {"output_registry_verify_tls": False}
        sent = client.post(
            PATH, json=body, params=tls, headers={"Idempotency-Key": body["build_log"]["log"][:40]}
        )
        assert sent.status_code == 202, sent.text
        return sent.json()


def ended(server, answer):
    with httpx2.Client(base_url=server.url, timeout=120) as client:
        path = f"{PATH}/{answer['build_analysis']['analysis_id']}"
        found: list[httpx2.Response] = []

        def over() -> object:
            with contextlib.suppress(httpx2.TransportError):  # of a connection that was idle for too long
                found.append(client.get(path))
            return found and found[-1].status_code != 202

        until(over, server)
        return found[-1]


def known(home):
    """Rows and documents: ids of analyses, of builds, of logs."""
    database = Database(f"sqlite:///{home / 'trimtab.sqlite'}")
    with database.read() as connection:
        rows = connection.execute(analyses.analyses.select()).mappings().all()
        builds = connection.execute(build_analyses.select()).mappings().all()
    database.close()
    store = Store.open(str(home / "store"))
    stored = [
        *AnalysisResultsStore(store, "test").get_document_listing(),
        *BuildLogsParsedResultsStore(store, "test").get_document_listing(),
        *BuildsStore(store, "test").get_document_listing(),
    ]
    logs = BuildLogsStore(store, "test").get_document_listing()
    return {each["id"]: each for each in rows}, {each["id"] for each in builds}, set(stored), set(logs)


def check(home, before, answer):
    """Each is over once, under the id that was told; its document is there; nothing is there twice, or under another id."""
    ids = {answer[name]["analysis_id"] for name in ("output_image_analysis", "buildlog_analysis")}
    build = answer["build_analysis"]["analysis_id"]
    rows, builds, stored, logs = known(home)
    new = {name: row for name, row in rows.items() if name not in before[0]}
    assert {name: row["state"] for name, row in new.items()} == dict.fromkeys(ids, "succeeded")
    assert [row["log"].count("succeeded") for row in new.values()] == [1, 1]
    assert builds - before[1] == {build}
    assert stored - before[2] == {*ids, build}
    assert logs - before[3] == {answer["buildlog_document_id"]}


def name(point):
    return f"{point[0].rpartition(':')[2]}-{point[1]}-{point[2]}"


@pytest.mark.parametrize("point", [*BEFORE_ANSWER, *AFTER_ANSWER], ids=name)
def test_killed_at_any_step_each_analysis_ends_once_under_its_id(server, registry, point):
    registry.push(files={"var/lib/dpkg/status": secrets.token_bytes(16)})
    log = f"{secrets.token_hex(20)}\n{LOG}"
    body = {"output_image": f"{registry.host}/app:1", "build_log": {"log": log}}
    before = known(server.home)
    server.start(point)
    answer = None
    with contextlib.suppress(httpx2.TransportError):  # it may die before it answers
        answer = submit(server, body)
    assert server.ended() == -9, f"{point} was not reached"
    server.start()
    again = submit(server, body)  # as an agent does that had no answer
    assert answer is None or again == answer
    over = ended(server, again)
    assert (over.status_code, over.json()["state"]) == (200, "succeeded"), over.text
    check(server.home, before, again)


def test_a_killed_server_leaves_no_process_that_analyses(server, registry):
    """A registry that never ends its answer holds one in the middle."""
    import threading

    registry.push()
    stalled = threading.Event()

    def stall(_handler):
        stalled.set()
        time.sleep(60)
        return 200, {}, b""

    registry.answers[registry.layer] = stall
    server.start()
    log = f"{secrets.token_hex(20)}\n{LOG}"
    submit(server, {"output_image": f"{registry.host}/app:1", "build_log": {"log": log}})
    assert stalled.wait(120)
    threads = Path(f"/proc/{server.pid}/task").glob("*/children")
    children = [int(each) for path in threads for each in path.read_text().split()]
    assert children
    server.stop()
    until(lambda: not any(Path(f"/proc/{each}").exists() for each in children))

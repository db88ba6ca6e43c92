"""PostgreSQL is restarted every few seconds while two workers make a hundred inspections: each ends once."""

import contextlib
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from trimtab.catalog import CatalogError, Database, inspections
from trimtab.catalog.rebuild import documents_of
from trimtab.inspection import Specification
from trimtab.store import Inspections, Store
from trimtab.workflows import Inspecting, Place, Submission

pytestmark = [pytest.mark.integration, pytest.mark.timeout(500)]

ZYGOTE = Path(__file__).parent / "kill" / "worker_zygote.py"
COUNT, BATCH, WORKERS = 100, 2, 2
UP = 3.0  # seconds between two restarts
SPECIFICATION = {
    "base": "registry.example/python:3.11",
    "run": {"requests": {"cpu": "0.2", "memory": "64Mi"}, "timeout": 60},
    "batch_size": BATCH,
    "script": "#!/bin/sh\nexit 0\n",
}


class Server:
    """A PostgreSQL of one's own, that may be restarted."""

    def __init__(self, directory):
        self.directory = directory
        programs = [*Path("/usr/lib/postgresql").glob("*/bin"), *filter(None, [_on_path()])]
        if not programs:
            pytest.skip("no PostgreSQL is installed (initdb, pg_ctl)")
        self.programs = max(programs)
        user = "nobody" if os.getuid() == 0 else None
        if user:
            user = next((each.pw_name for each in pwd.getpwall() if each.pw_name == "postgres"), user)
            shutil.chown(directory, user)
        self.user = user
        self.restarts = 0
        self._call(
            "initdb", "--username=trimtab", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"
        )
        options = f"-c listen_addresses='' -c unix_socket_directories='{directory}' -c fsync=off"
        self._call("pg_ctl", "start", "--wait", "--silent", f"--log={directory}/log", f"--options={options}")

    @property
    def url(self):
        return f"postgresql://trimtab@/postgres?host={self.directory}"

    def restart(self):
        """In turn as an administrator does, and as a power cut does."""
        self.restarts += 1
        mode = "fast" if self.restarts % 2 else "immediate"
        self._call("pg_ctl", "restart", "--wait", "--silent", f"--mode={mode}", f"--log={self.directory}/log")

    def stop(self):
        self._call("pg_ctl", "stop", "--mode=immediate", "--silent")

    def _call(self, program, *arguments):
        subprocess.run(
            [self.programs / program, f"--pgdata={self.directory}/data", *arguments],
            user=self.user,
            group=pwd.getpwnam(self.user).pw_gid if self.user else None,
            extra_groups=[] if self.user else None,
            cwd=self.directory,
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=120,
        )


def _on_path():
    found = shutil.which("initdb")
    return found and Path(found).resolve().parent


@pytest.fixture
def server():
    directory = Path(
        tempfile.mkdtemp(prefix="trimtab-chaos.", dir="/tmp")
    )  # short: it is part of a socket's path
    started = Server(directory)
    yield started
    started.stop()
    shutil.rmtree(directory)


@contextlib.contextmanager
def restarted(server):
    """Every few seconds."""
    stop = threading.Event()

    def go():
        while not stop.wait(UP):
            server.restart()

    thread = threading.Thread(target=go)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextlib.contextmanager
def workers(task):
    """Processes that take from the queue."""
    started = [
        subprocess.Popen([sys.executable, ZYGOTE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(WORKERS)
    ]
    for number, each in enumerate(started):
        each.stdin.write(json.dumps(task | {"home": f"{task['home']}/{number}"}) + "\n")
        each.stdin.flush()
    try:
        yield started
    finally:
        for each in started:
            each.stdin.close()
            each.wait(60)
            each.stdout.close()


async def submit_all(place, asked):
    async with Inspecting.alone(place, works=False) as accepting:
        for each in asked:
            while True:
                with contextlib.suppress(CatalogError):
                    await accepting.submit(each)
                    break


async def test_each_of_a_hundred_inspections_ends_once_while_postgresql_is_restarted(
    server, tmp_path, request
):
    database = Database(server.url)
    request.addfinalizer(database.close)
    store = Inspections(Store.open(str(tmp_path / "store")), "test")
    specification = Specification.parse(json.dumps(SPECIFICATION))
    asked = [Submission.of(specification, "process", deployment="test") for _ in range(COUNT)]
    task = {
        "database": server.url,
        "store": str(tmp_path / "store"),
        "home": str(tmp_path),
        "log": str(tmp_path / "log"),
        "submissions": [],
        "ids": [each.id for each in asked],
        "options": {"grace": 10.0, "builds": 2, "runs": 3},
    }
    began = time.monotonic()
    with restarted(server):
        await submit_all(Place(database, store, tmp_path / "accepting"), asked)
        with workers(task) as started:
            ended = [each.stdout.readline().strip() for each in started]
    seconds = time.monotonic() - began
    assert ended == ["0"] * WORKERS
    assert server.restarts >= 3
    with database.read() as connection:
        states = Counter(each["state"] for each in inspections.listed(connection, limit=COUNT + 1))
        runs = [(each.id, inspections.runs_of(connection, each.id)) for each in asked]
    assert states == {"succeeded": COUNT}
    lost = 0
    for inspection_id, rows in runs:
        told = store[inspection_id].retrieve_report()["runs"]
        shown = [(each["item"], each["attempt"], each["state"]) for each in rows]
        assert shown == [(each["item"], each["attempt"], each["state"]) for each in told]
        assert [item for item, _, state in shown if state == "succeeded"] == list(range(BATCH))
        documents = documents_of(store[inspection_id])
        assert [each.item for each in documents.runs if each.result] == list(range(BATCH))
        lost += len(shown) - BATCH
    print(f"{COUNT} inspections, {server.restarts} restarts, {lost} runs lost, {seconds:.0f} s")  # noqa: T201
    assert lost == 0  # an engine that went on knows nothing of the database
    made = Counter((tmp_path / "log").read_text().splitlines())
    assert made == {f"{each.id} {item}": 1 for each in asked for item in range(BATCH)}

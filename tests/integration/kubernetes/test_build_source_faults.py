"""1000 builds in a real cluster while watches are cut, versions are gone, and the agent is killed.

Whatever happens: submitted + tombstoned = seen = all there were, and the backend has each once.
"""

import asyncio
import os
import random
import signal
import sqlite3
import sys
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import pytest
import yaml

from servo.connectors.builds.build import identity_of
from servo.kubernetes import Client

from ..test_builds_faults import REFUSED, FaultyBackend  # noqa: TID252 - tests are no package that has a name
from .build_kinds import Bed, eventually, install

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

BUILDS, WITH_PODS, AT_ONCE = 1000, 40, 8
KINDS = ("openshift-builds", "tekton-taskruns", "shipwright-buildruns")
KILLS = 6
GONE = b'{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","message":"too old resource version","code":410}'


class Cutting:
    """Between the agent and the API server: breaks streams off, and forgets versions."""

    def __init__(self, port, seed):
        self.port, self.random, self.cuts, self.gone = port, random.Random(seed), 0, 0
        self.open = set()
        self.kind = False

    async def serve(self, reader, writer):
        with suppress(OSError, asyncio.IncompleteReadError):
            there, back = await asyncio.open_connection("127.0.0.1", self.port)
            self.open.add(writer)
            await asyncio.gather(self._ask(reader, back, writer), self._copy(there, writer))
        self.open.discard(writer)
        writer.close()

    async def _ask(self, reader, back, writer):
        """Hand requests on; now and then a watch is told that its version is gone."""
        try:
            while data := await reader.read(65536):
                is_watch = b"watch=true" in data.partition(b"\r\n")[0]
                if is_watch and not self.kind and self.random.random() < 0.3:
                    self.gone += 1
                    head = b"HTTP/1.1 410 Gone\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
                    writer.write(head % len(GONE) + GONE)
                    return
                back.write(data)
                await back.drain()
        finally:
            back.close()

    async def _copy(self, reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()

    async def aclose(self):
        """Close what is still open."""
        for each in list(self.open):
            each.transport.abort()
        async with asyncio.timeout(10):
            while self.open:  # noqa: ASYNC110 - the transports' own
                await asyncio.sleep(0.02)

    async def cut(self):
        """Break connections off, for ever."""
        while True:
            await asyncio.sleep(self.random.uniform(0.1, 0.8))
            if self.open and not self.kind:
                self.cuts += 1
                self.random.choice(sorted(self.open, key=id)).transport.abort()


@asynccontextmanager
async def kubectl_proxy(cluster):
    """The API server without TLS, so that what goes through it can be cut."""
    process = await asyncio.create_subprocess_exec(
        "kubectl", "--kubeconfig", str(cluster), "proxy", "--port=0", stdout=asyncio.subprocess.PIPE
    )
    try:
        line = await process.stdout.readline()
        yield int(line.rsplit(b":", 1)[1])
    finally:
        process.kill()
        await process.wait()


class Killed:
    """`servo builds watch`, which is killed now and then."""

    def __init__(self, directory, kubeconfig, namespace, backend):
        self.journal = directory / "journal.sqlite"
        self._command = [
            str(Path(sys.executable).with_name("servo")), "builds", "watch", "--backend", f"http://127.0.0.1:{backend}", "-n", namespace,
            "--journal", str(self.journal), *(word for kind in KINDS for word in ("--source", kind)),
        ]  # fmt: skip
        self._environment = os.environ | {"KUBECONFIG": str(kubeconfig)}
        self._directory, self._process = directory, None

    async def start(self):
        with (self._directory / "agent.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, env=self._environment, cwd=self._directory, stdout=log, stderr=log
            )

    async def stop(self, how):
        self._process.send_signal(how)
        await self._process.wait()

    def states(self):
        if not self.journal.exists():
            return {}
        with closing(sqlite3.connect(self.journal, timeout=30)) as db, suppress(sqlite3.OperationalError):
            return dict(db.execute("SELECT identity, state FROM builds"))
        return {}

    def has_begun(self):
        """Whether it knows from when on it watches each kind."""
        if not self.journal.exists():
            return False
        with closing(sqlite3.connect(self.journal, timeout=30)) as db, suppress(sqlite3.OperationalError):
            return db.execute("SELECT count(*) FROM cursors").fetchone()[0] == len(KINDS)
        return False


async def make_builds(bed, numbers, rng, made, deleted):
    """Make builds and end them; some are deleted before they end."""
    for number in numbers:
        kind, name = KINDS[number % len(KINDS)], f"app-{number}"
        with_pod = number < WITH_PODS
        await bed.begin(kind, name, [f"log of {number}"], pod=with_pod)
        obj = await bed.client.get(await bed.resource(kind), name, bed.namespace)
        made[identity_of(kind, obj["metadata"]["uid"])] = name
        if rng.random() < 0.05:
            await bed.delete(kind, name)
            deleted.add(identity_of(kind, obj["metadata"]["uid"]))
            continue
        await bed.end(kind, name, good=rng.random() < 0.7, wait=with_pod)


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # of the connections that are cut here
async def test_submitted_and_tombstoned_is_all_there_were_and_none_is_sent_twice(
    cluster, namespace, tmp_path
):
    seed, made, deleted = random.randrange(10**6), {}, set()
    rng = random.Random(seed)
    backend = FaultyBackend(seed)
    backend.kind = False
    async with Client.open(cluster) as client, kubectl_proxy(cluster) as port:
        await install(client)
        bed, cutting = Bed(client, namespace), Cutting(port, seed)
        servers = [await asyncio.start_server(each.serve, "127.0.0.1", 0) for each in (backend, cutting)]
        ports = [each.sockets[0].getsockname()[1] for each in servers]
        kubeconfig = tmp_path / "kubeconfig"
        context = {"name": "c", "context": {"cluster": "c", "user": "c"}}
        kubeconfig.write_text(
            yaml.safe_dump(
                {
                    "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{ports[1]}"}}],
                    "users": [{"name": "c", "user": {}}],
                    "contexts": [context],
                    "current-context": "c",
                }
            )
        )
        agent = Killed(tmp_path, kubeconfig, namespace, ports[0])
        await agent.start()
        await eventually(lambda: asyncio.to_thread(agent.has_begun))
        cutter = asyncio.create_task(cutting.cut())
        makers = [
            asyncio.create_task(make_builds(bed, range(start, BUILDS, AT_ONCE), rng, made, deleted))
            for start in range(AT_ONCE)
        ]
        for _ in range(KILLS):
            await asyncio.sleep(rng.uniform(2, 5))
            await agent.stop(signal.SIGKILL)
            await asyncio.sleep(rng.uniform(0, 1))
            await agent.start()
        await asyncio.gather(*makers)
        backend.kind = cutting.kind = True

        async def all_over():
            found = await asyncio.to_thread(agent.states)
            return set(found) >= set(made) - deleted and set(found.values()) <= {"submitted", "tombstone"}

        try:
            await eventually(all_over, seconds=240)
        except TimeoutError:
            known = set(agent.states()) | deleted
            lost = {name for identity, name in made.items() if identity not in known}
            raise AssertionError(
                f"seed {seed}: {sorted(lost)[:20]} were not seen, {(tmp_path / 'agent.log').read_text()[-3000:]}"
            ) from None
        finally:
            cutter.cancel()
            await agent.stop(signal.SIGTERM)
            for each in servers:
                each.close()
            await cutting.aclose()
    states = agent.states()
    assert len(made) == BUILDS, f"seed {seed}"
    # What began and was deleted in a gap that the cluster forgot (410), nobody can have seen.
    assert set(made) - deleted <= set(states) <= set(made), f"seed {seed}"
    refused = {identity for identity, name in made.items() if int(name.partition("-")[2]) % REFUSED == 0}
    submitted = {identity for identity, state in states.items() if state == "submitted"}
    assert set(backend.taken) == submitted, f"seed {seed}"
    # What was deleted while nobody watched has no parts: that it was there is all that is known, and a tombstone says so.
    assert refused & set(states) <= set(states) - submitted, f"seed {seed}"
    assert len(set(states) - submitted - refused) < BUILDS * 0.05, f"seed {seed}"
    assert cutting.cuts > 10
    assert cutting.gone

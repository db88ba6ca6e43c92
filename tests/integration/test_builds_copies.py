"""Copies in a real registry with TLS and passwords, made and deleted by the real skopeo."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil

import pytest

from servo.connectors.builds import Agent, Batch, Build, BuildsConfiguration, Image, Phase
from servo.connectors.builds.copying import Registry, Skopeo, is_gone
from servo.connectors.builds.credentials import Credentials
from servo.connectors.builds.errors import PartError
from servo.connectors.builds.housekeeping import AGAIN
from servo.connectors.builds.http import Answer
from servo.connectors.builds.journal import records

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not shutil.which("skopeo"), reason="no skopeo: run scripts/system-packages"),
]


class Backend:
    """Takes everything."""

    def __init__(self):
        self.taken = {}

    async def request(self, method, target, headers, body=b""):
        assert method == "POST"
        assert isinstance(body, bytes)
        self.taken[headers["Idempotency-Key"]] = json.loads(body)
        return Answer(202, {}, b'{"build_analysis": {"analysis_id": "b"}}')

    async def aclose(self):
        pass


class Shown:
    """Shows builds that it is given."""

    name, engine, is_volatile = "shown", None, False

    def __init__(self):
        self.queue = asyncio.Queue()

    async def watch(self, position):
        while True:
            yield Batch([await self.queue.get()])

    async def log(self, build):
        yield b"a log\n"

    async def aclose(self):
        """Nothing is open."""

    async def check(self):
        return "shown"


def layout(directory, content):
    """An image of one layer in an OCI layout, as skopeo names it."""

    def blob(data):
        digest = hashlib.sha256(data).hexdigest()
        (directory / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
        (directory / "blobs" / "sha256" / digest).write_bytes(data)
        return {"digest": f"sha256:{digest}", "size": len(data)}

    kind = "application/vnd.oci.image"
    rootfs = {"type": "layers", "diff_ids": []}
    config = {"architecture": "amd64", "os": "linux", "rootfs": rootfs, "config": {"Labels": {"a": content}}}
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{kind}.manifest.v1+json",
        "config": {"mediaType": f"{kind}.config.v1+json", **blob(json.dumps(config).encode())},
        "layers": [],
    }
    entry = {"mediaType": f"{kind}.manifest.v1+json", **blob(json.dumps(manifest).encode())}
    (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (directory / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return Image(local=f"oci:{directory}", shown="localhost/team/app:1")


@pytest.fixture
async def running(secured_registry, tmp_path, monkeypatch):
    """An agent that copies there, its source, its backend, and its clock."""
    monkeypatch.setenv("SSL_CERT_FILE", str(secured_registry.certificate))
    monkeypatch.setattr("servo.connectors.builds.housekeeping.EVERY", 1e6)  # the test says when
    now = [1e9]
    config = BuildsConfiguration.model_validate(
        {
            "backend": {"url": "http://backend.example"},
            "journal": tmp_path / "journal.sqlite",
            "base_image": False,
            "copy_to": {"registry": f"{secured_registry.host}/builds", "keep": "1h"},
            "destination_registry": {"user": secured_registry.user, "password": secured_registry.password},
        }
    )
    source, backend = Shown(), Backend()
    agent = Agent(config, sources=[source], transport=backend, clock=lambda: now[0])
    await agent.start()
    yield agent, source, backend, now
    await agent.stop()


async def until(condition):
    async with asyncio.timeout(100):
        while True:
            if condition():
                return
            await asyncio.sleep(0.02)


async def sent(running, identity, image):
    """Have a build sent; where its copy is."""
    _, source, backend, _ = running
    source.queue.put_nowait(Build(identity, "app", "shown", Phase.complete, log="there", output=image))
    await until(lambda: identity in backend.taken)
    told = backend.taken[identity]
    assert told["missing"] == []
    return told["output_image"]


async def is_there(reference, secured_registry):
    push = Registry(Credentials(secured_registry.user, secured_registry.password))
    try:
        await Skopeo().digest(reference, push)
    except PartError as error:
        if is_gone(error):
            return False
        raise
    return True


async def test_copies_are_deleted_when_their_time_is_over_and_nobody_else_needs_them(
    running, secured_registry, tmp_path
):
    agent, _, _, now = running
    housekeeping = agent.housekeeping
    first = await sent(running, "first", layout(tmp_path / "a", "the same"))
    now[0] += 1800
    second = await sent(running, "second", layout(tmp_path / "b", "the same"))
    third = await sent(running, "third", layout(tmp_path / "c", "another"))
    assert first == second != third
    await until(lambda: agent.metrics.total("build_watcher_builds_total", outcome="submitted") == 3)
    now[0] += 1900
    assert await housekeeping.expire() == 1  # what the first and the second point to is one manifest
    assert await is_there(second, secured_registry)
    now[0] += 1800
    assert await housekeeping.expire() == 2
    assert not await is_there(second, secured_registry)
    assert not await is_there(third, secured_registry)
    assert [await agent.journal.read(records.copies, each) for each in ("first", "second", "third")] == 3 * [
        {}
    ]
    assert await housekeeping.expire() == 0


async def test_a_copy_that_somebody_else_deleted_is_forgotten(running, secured_registry, tmp_path):
    agent, _, _, now = running
    copy = await sent(running, "one", layout(tmp_path / "a", "gone"))
    await until(lambda: agent.metrics.total("build_watcher_builds_total", outcome="submitted") == 1)
    push = Registry(Credentials(secured_registry.user, secured_registry.password))
    await Skopeo().delete(copy, push)
    now[0] += 7200
    assert await agent.housekeeping.expire() == 1


async def test_one_that_cannot_be_deleted_now_is_tried_again_on_another_day(
    running, secured_registry, tmp_path, monkeypatch
):
    agent, _, _, now = running
    copy = await sent(running, "one", layout(tmp_path / "a", "kept"))
    await until(lambda: agent.metrics.total("build_watcher_builds_total", outcome="submitted") == 1)
    now[0] += 7200
    with monkeypatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", "/dev/null")  # nobody is trusted
        assert await agent.housekeeping.expire() == 0
    assert await is_there(copy, secured_registry)
    assert await agent.housekeeping.expire() == 0  # not at once
    now[0] += AGAIN + 1
    assert await agent.housekeeping.expire() == 1
    assert not await is_there(copy, secured_registry)


async def test_wrong_credentials_are_told(secured_registry, tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(secured_registry.certificate))
    push = Registry(Credentials(secured_registry.user, "wrong"))
    image, target = layout(tmp_path / "a", "x"), f"{secured_registry.host}/builds/x:1"
    with pytest.raises(PartError, match=r"(?i)unauthorized|authentication") as caught:
        await Skopeo().copy(image, target, Registry(), push)
    assert type(caught.value) is PartError  # it is not tried again
    assert "wrong" not in str(caught.value)


async def test_a_certificate_that_nobody_vouches_for_is_refused_unless_told(
    secured_registry, tmp_path, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    credentials = Credentials(secured_registry.user, secured_registry.password)
    image, target = layout(tmp_path / "a", "x"), f"{secured_registry.host}/builds/x:1"
    with pytest.raises(PartError, match="certificate"):
        await Skopeo().copy(image, target, Registry(), Registry(credentials))
    assert await Skopeo().copy(image, target, Registry(), Registry(credentials, verify=False))

"""Builds of a real Docker engine: seen by its events, with base and output, and copied from its storage."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import tarfile
from contextlib import aclosing

import pytest

from servo.connectors.builds.build import Phase
from servo.connectors.builds.copying import Registry, Skopeo
from servo.connectors.builds.credentials import Credentials
from servo.connectors.builds.sources.engine import Docker

HOST = os.environ.get("TRIMTAB_TEST_DOCKER_HOST")
# The package's own: an older or other command of this name may come first on the path.
DOCKER = "/usr/bin/docker" if os.access("/usr/bin/docker", os.X_OK) else "docker"

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not HOST, reason="no Docker engine: run by scripts/with-services"),
]


def docker(*args, check=True, buildkit="0"):
    environment = os.environ | {"DOCKER_HOST": HOST or "", "DOCKER_BUILDKIT": buildkit}
    return subprocess.run([DOCKER, *args], env=environment, capture_output=True, text=True, check=check)


@pytest.fixture
def name():
    """The beginning of the names of this test's images, which are removed at the end."""
    prefix = f"trimtab-builds-{os.getpid()}-{os.urandom(3).hex()}"
    yield prefix
    found = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").stdout.split()
    docker("rmi", "--force", *(each for each in found if each.startswith(prefix)), check=False)


@pytest.fixture
def build(tmp_path, name):
    """Builds an image by a recipe, and returns its name."""

    def make(tag, recipe, *options, **how):
        (tmp_path / "file").write_text(tag)
        (tmp_path / "Dockerfile").write_text(recipe)
        return docker("build", "--tag", f"{name}:{tag}", *options, str(tmp_path), **how)

    return make


@pytest.fixture
async def seen(name):
    """Listens from now on; what is called later gives back the builds of this test that were seen, up to the last one named."""
    source = Docker("docker", "agent", program=DOCKER, host=HOST)
    found, positions, listening = [], [], asyncio.Event()

    async def listen():
        async with aclosing(source.watch(None)) as batches:
            async for batch in batches:
                listening.set()
                found.extend(each for each in batch.builds if name in each.name)
                positions.append(batch.position)

    task = asyncio.create_task(listen())
    await listening.wait()

    async def until(last):
        async with asyncio.timeout(100):
            while True:
                if any(each.name == f"{name}:{last}" for each in found):
                    return found, positions
                await asyncio.sleep(0.05)

    yield until
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_builds_are_seen_with_what_they_are_built_on(build, seen, name):
    await asyncio.to_thread(build, "base", "FROM scratch\nCOPY file /base\n")
    failed = await asyncio.to_thread(build, "bad", "FROM scratch\nCOPY none /none\n", check=False)
    await asyncio.to_thread(build, "app", f"FROM {name}:base\nCOPY file /app\nLABEL a=b\n")
    builds, positions = await seen("app")
    assert failed.returncode != 0
    base, app = builds  # Docker tells nothing of the one that failed
    identity = docker("inspect", "--format", "{{.Id}}", f"{name}:app").stdout.strip()
    assert (app.phase, app.output.shown, app.output.host) == (Phase.complete, f"{name}:app", HOST)
    assert app.output.local == f"docker-daemon:{identity}"
    assert (base.base, app.base.shown) == (None, f"{name}:base")
    assert [str(each.part) for each in app.missing] == ["build_log"]
    assert positions == sorted(positions, key=float)


async def test_so_is_one_of_buildkit(build, seen, name):
    made = await asyncio.to_thread(build, "kit", "FROM scratch\nCOPY file /kit\n", check=False, buildkit="1")
    if made.returncode:
        pytest.skip(f"this Docker has no BuildKit: {made.stderr[-200:]}")
    builds, _ = await seen("kit")
    assert [(each.name, each.phase) for each in builds] == [(f"{name}:kit", Phase.complete)]


async def test_another_name_is_not_another_build_nor_is_an_image_that_was_there(build, seen, name, tmp_path):
    await asyncio.to_thread(build, "one", "FROM scratch\nCOPY file /one\n", "--tag", f"{name}:two")
    await asyncio.to_thread(docker, "load", "--input", str(old_image(tmp_path / "old", f"{name}:old")))
    await asyncio.to_thread(docker, "tag", f"{name}:old", f"{name}:older")
    await asyncio.to_thread(build, "last", "FROM scratch\nCOPY file /last\n")
    builds, _ = await seen("last")
    assert len({each.identity for each in builds}) == 2
    assert not any("old" in each.name for each in builds)


def old_image(directory, name):
    """An archive of an image that was made long ago."""
    directory.mkdir()
    with tarfile.open(directory / "layer.tar", "w"):
        pass
    (directory / "config.json").write_text(
        json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "created": "2001-09-09T01:46:40Z",
                "rootfs": {"type": "layers", "diff_ids": []},
                "config": {},
            }
        )
    )
    (directory / "manifest.json").write_text(
        json.dumps([{"Config": "config.json", "RepoTags": [name], "Layers": []}])
    )
    with tarfile.open(directory / "image.tar", "w") as archive:
        for each in ("config.json", "manifest.json"):
            archive.add(directory / each, each)
    return directory / "image.tar"


async def test_who_comes_back_is_shown_what_ended_since(build, seen, name):
    await asyncio.to_thread(build, "first", "FROM scratch\nCOPY file /first\n")
    builds, positions = await seen("first")
    await asyncio.to_thread(build, "second", "FROM scratch\nCOPY file /second\n")
    again = []
    async with asyncio.timeout(100):
        watching = Docker("docker", "agent", program=DOCKER, host=HOST).watch(positions[-1])
        async with aclosing(watching) as batches:
            async for batch in batches:
                again += [each for each in batch.builds if name in each.name]
                if again and again[-1].name == f"{name}:second":
                    break
    assert {each.identity for each in again} - {builds[0].identity} == {again[-1].identity}


async def test_images_that_are_there_are_told_of(build, name):
    await asyncio.to_thread(build, "there", "FROM scratch\nCOPY file /there\n")
    source = Docker("docker", "agent", program=DOCKER, host=HOST)
    found = [each async for batch in source.existing() for each in batch.builds if name in each.name]
    assert [each.output.shown for each in found] == [f"{name}:there"]
    assert (await source.check()).startswith("docker ")


@pytest.mark.skipif(not shutil.which("skopeo"), reason="no skopeo: run scripts/system-packages")
async def test_an_image_is_copied_from_the_engine_it_was_built_on(build, seen, name, secured_registry):
    """Whatever engine skopeo would ask by itself."""
    await asyncio.to_thread(build, "copied", "FROM scratch\nCOPY file /copied\n")
    builds, _ = await seen("copied")
    push = Registry(Credentials(secured_registry.user, secured_registry.password), verify=False)
    target = f"{secured_registry.host}/builds/copied:1"
    digest = await Skopeo().copy(builds[-1].output, target, Registry(), push)
    assert await Skopeo().digest(target, push) == digest

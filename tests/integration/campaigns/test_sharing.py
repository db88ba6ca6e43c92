"""What candidates share: files of packages on the disk, and the layers of an image below the lock."""

import asyncio
import json
import subprocess
from pathlib import Path

import pytest

from trimtab.engines import EngineUnavailableError
from trimtab.engines.container.engine import ContainerEngine
from trimtab.engines.container.settings import ContainerSettings
from trimtab.inspection import Specification, build_request, write_context
from trimtab.stacks import Stack
from trimtab.workflows.campaigns import Campaign

pytestmark = [pytest.mark.integration, pytest.mark.timeout(500)]

REPOSITORY = Path(__file__).parents[3]
BASE = "localhost/python:3.11"
HASHES = {
    "1.16.0": "8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254",
    "1.15.0": "8b74bedcbbbaca38ff6d7491d76f2b06b3592611af620f8426e82dddb04a5ced",
}


def test_environments_share_the_files_of_a_package(trimtab, files, engines):
    requirements, context = files("cedar\ndune\n", script="#!/bin/sh\necho hello\n")
    command = ("campaigns", "run", requirements, "--context", context, "--engine", "process")
    done = trimtab(*command, "--plan", "all", "--stacks", 3, "--output", "json", check=0)
    packages = [each["packages"]["cedar"] for each in json.loads(done.stdout)["candidates"]]
    assert packages == ["1.2"] * 3
    found = [
        each
        for each in engines.glob("process/environments/*/venv/lib/python3*/site-packages/cedar.py")
        if "'1.2'" in each.read_text() and (each.parent / "dune.py").exists()
    ]
    assert len(found) >= 3
    assert len({each.stat().st_ino for each in found}) == 1
    assert found[0].stat().st_nlink >= 4  # and uv's cache has it


@pytest.fixture
async def podman(tmp_path):
    made = await asyncio.to_thread(
        subprocess.run, [REPOSITORY / "scripts/test-image"], capture_output=True, text=True, timeout=600
    )
    if made.returncode:
        pytest.skip(f"there is no image to build upon: {made.stderr.strip()[-300:]}")
    engine = ContainerEngine("podman", tmp_path / "engine", ContainerSettings(build_network="host"))
    try:
        await engine.prepare()
    except EngineUnavailableError as error:
        pytest.skip(str(error))
    return engine


async def test_images_of_candidates_share_all_layers_below_the_lock(podman, tmp_path):
    context = {
        "base": BASE,
        "files": [{"path": "/data/numbers", "content": "1 2 3\n"}],
        "environment": [{"name": "A", "value": "b"}],
        "script": "#!/usr/bin/env python3\nimport six\n",
    }
    campaign = Campaign.of({"requirements": ["six"]}, context, engine="podman")
    layers = []
    for version, digest in HASHES.items():
        submission = campaign.submission(Stack(f"six=={version} --hash=sha256:{digest}\n"), 1, "test")
        specification = Specification.load(submission.specification)
        written = write_context(specification, tmp_path / version)
        try:
            built = await podman.build(build_request(specification, written, submission.id), lambda _: None)
            shown = await asyncio.to_thread(
                subprocess.run,
                ["podman", "image", "inspect", "--format", "{{json .RootFS.Layers}}", built.reference],
                capture_output=True,
                check=True,
            )
            layers.append(json.loads(shown.stdout))
        finally:
            await podman.clean(submission.id)
    one, other = layers
    shared = [a for a, b in zip(one, other, strict=False) if a == b]
    below = next(n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    assert shared == one[:below], "what differs is at the end"
    # The lock, what it installs, the script, and the rest of our own: all before that is there once.
    assert len(one) - below <= 5
    assert below >= 4

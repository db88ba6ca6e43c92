"""Docker's command without what it builds by is no engine; what it tells of itself is as versions 28.2 and 20.10 do."""

import json

import pytest

from trimtab.engines import EngineUnavailableError
from trimtab.engines.container import ContainerEngine, ContainerSettings

SERVER = {
    "ServerVersion": "28.2.2",
    "CgroupVersion": "2",
    "MemoryLimit": True,
    "PidsLimit": True,
    "CpuCfsQuota": True,
}
BUILDX = {"Name": "buildx", "Version": "v0.24.0", "Path": "/usr/libexec/docker/cli-plugins/docker-buildx"}


@pytest.fixture
def engine(tmp_path):
    """An engine whose command answers so."""

    def make(client):
        (tmp_path / "info.json").write_text(json.dumps({**SERVER, "ClientInfo": client}))
        program = tmp_path / "docker"
        program.write_text(f"#!/bin/sh\nexec cat {tmp_path / 'info.json'}\n")
        program.chmod(0o755)
        return ContainerEngine("docker", tmp_path / "state", ContainerSettings(program=str(program)))

    return make


@pytest.mark.parametrize("plugins", [[], None, [{"Name": "compose"}]])
async def test_without_its_builder_it_is_no_engine_and_the_remedy_is_named(engine, plugins):
    """It would be found out by the build, which says so as any failing stack does."""
    with pytest.raises(EngineUnavailableError, match=r"docker-buildx.*choose another engine"):
        await engine({"Version": "28.2.2", "Plugins": plugins}).prepare()


@pytest.mark.parametrize(
    "client", [{"Version": "28.2.2", "Plugins": [BUILDX]}, {"Plugins": []}, {"Plugins": None}]
)
async def test_a_builder_of_its_own_or_by_the_plugin_will_do(engine, client):
    assert (await engine(client).prepare()).name == "docker"

"""The engine that builds images and runs containers."""

import json
import os
from pathlib import Path

from trimtab.engines.claims import Claims
from trimtab.engines.container.build import Builder
from trimtab.engines.container.client import Client, Flavour
from trimtab.engines.container.kept import Keeper
from trimtab.engines.container.labels import Labels
from trimtab.engines.container.removal import Remover
from trimtab.engines.container.run import Runner
from trimtab.engines.container.settings import ContainerSettings
from trimtab.engines.container.working import remove_working_containers
from trimtab.engines.engine import Capabilities, LogSink
from trimtab.engines.errors import EngineUnavailableError, UnmetError
from trimtab.engines.identity import check_id
from trimtab.engines.machine import unmet
from trimtab.engines.request import Build, BuildRequest, Resources, Run, RunRequest

__all__ = ["ContainerEngine"]

_BUILDS = ".builds"
"""Claimed while something is built; no id of an inspection begins with a dot."""
_CDI = (Path("/etc/cdi"), Path("/var/run/cdi"))


class ContainerEngine:
    """Builds and runs with podman or Docker.

    Args:
        flavour: Which of them.
        state: A directory for what it keeps. It also says what is ours in the engine: whoever has another directory
            does not touch it.
        settings: Limits that no request names.
    """

    def __init__(self, flavour: Flavour, state: Path, settings: ContainerSettings | None = None) -> None:
        settings = settings or ContainerSettings()
        self.name: str = flavour
        self._settings = settings
        self._client = Client(flavour, settings)
        self._claims = Claims(state / "claims")
        self._state = state
        self._building = 0
        self._labels = labels = Labels(state)
        self._builder = Builder(self._client, labels, settings, state)
        self._runner = Runner(self._client, labels, settings, state)
        self._keeper = Keeper(self._client, labels, settings, self._runner, state)
        self._remover = Remover(self._client, labels, self._claims)
        self._capabilities: Capabilities | None = None

    async def prepare(self) -> Capabilities:
        """Look what there is and what it enforces."""
        found = json.loads(await self._client.check("info", "--format", "{{json .}}"))
        self._capabilities = self._of_podman(found) if self._client.is_podman else self._of_docker(found)
        return self._capabilities

    async def build(self, request: BuildRequest, log: LogSink) -> Build:
        """Build an image, which runs are started from by its id."""
        check_id(self.name, request.id)
        await self._refuse_unmet(request.resources, request.running)
        self._claims.take(request.id)
        self._claims.take(_BUILDS)
        self._building += 1
        try:
            return await self._builder.build(request, log)
        finally:
            self._building -= 1
            if self._building == 0:
                self._claims.release(_BUILDS)

    async def run(self, request: RunRequest, log: LogSink) -> Run:
        """Run it once, in a container of its own or in the inspection's."""
        check_id(self.name, request.id)
        await self._refuse_unmet(request.resources)
        self._claims.take(request.id)
        return await (self._keeper if request.reuse else self._runner).run(request, log)

    async def clean(self, id: str) -> None:  # noqa: A002 - the word of the interface
        """End and remove everything of an inspection."""
        check_id(self.name, id)
        await self._runner.settle()
        await self._keeper.drop(id)
        await self._remover.clean(id)
        self._claims.release(id)

    async def expire(self, older_than: float) -> list[str]:
        """End and remove what is older, and containers whose process was killed."""
        removed = await self._remover.expire(older_than)
        if self._client.is_podman and self._claims.is_free(_BUILDS):
            await remove_working_containers(self._client, self._labels, self._state)
        return removed

    async def _refuse_unmet(self, *asked: Resources | None) -> None:
        capabilities = self._capabilities or await self.prepare()
        if reasons := unmet(*asked, gpus=capabilities.gpus):
            raise UnmetError(self.name, reasons)

    def _of_podman(self, found: dict[str, dict[str, object]]) -> Capabilities:
        host, store = found["host"], found["store"]
        storage = Path(str(store.get("graphRoot"))) / "overlay-containers"
        monitors = Path(str(store.get("runRoot"))) / "overlay-containers"
        self._runner.storage = storage if os.access(storage, os.R_OK) else None
        self._runner.monitors = monitors if os.access(monitors, os.R_OK) else None
        group = f"cgroup {host.get('cgroupVersion')}"
        controllers = host.get("cgroupControllers") or []
        assert isinstance(controllers, list)
        enforced = {name: group if name in controllers else None for name in ("cpu", "memory", "pids")}
        return Capabilities(
            name=self.name,
            version=str(found["version"].get("Version")),
            images=True,
            network="network namespace",
            filesystem="read-only root, overlaid home",
            gpus=any(
                path.is_dir() and any("nvidia" in file.name for file in path.iterdir()) for path in _CDI
            ),
            warnings=_missing(enforced),
            **enforced,
        )

    def _of_docker(self, found: dict[str, object]) -> Capabilities:
        _check_builder(found.get("ClientInfo"))
        group = f"cgroup v{found.get('CgroupVersion') or 1}"
        flags = {"cpu": "CpuCfsQuota", "memory": "MemoryLimit", "pids": "PidsLimit"}
        enforced = {name: group if found.get(flag) else None for name, flag in flags.items()}
        runtimes = found.get("Runtimes")
        home = "Docker copies the image's home for each run, which takes time and disk where the stack is big"
        return Capabilities(
            name=self.name,
            version=str(found.get("ServerVersion")),
            images=True,
            network="network namespace",
            filesystem="read-only root, copied home",
            gpus=isinstance(runtimes, dict) and "nvidia" in runtimes,
            warnings=(*_missing(enforced), home),
            **enforced,
        )


def _check_builder(client: object) -> None:
    """From 23.0 on, which tells its version here, Docker's command builds by a plugin, which is a package of its own.

    Raises:
        EngineUnavailableError: It is not installed.
    """
    if not isinstance(client, dict) or "Version" not in client:
        return
    plugins = client.get("Plugins")
    if not any(isinstance(each, dict) and each.get("Name") == "buildx" for each in plugins or ()):
        raise EngineUnavailableError(
            f"docker cannot be used: its command, version {client['Version']}, builds by the plugin buildx, which is not "
            "installed; install it (Docker's package docker-buildx-plugin, Debian's docker-buildx), or choose another engine"
        )


def _missing(enforced: dict[str, str | None]) -> tuple[str, ...]:
    return tuple(
        f"the {name} limit of a run is not enforced here" for name, how in enforced.items() if how is None
    )

"""The engine that needs nothing but this machine."""

import asyncio
import hashlib
import shutil
import time
from pathlib import Path

from trimtab.engines.claims import Claims
from trimtab.engines.engine import Capabilities, LogSink
from trimtab.engines.errors import UnmetError
from trimtab.engines.identity import check_id
from trimtab.engines.index import Index
from trimtab.engines.machine import unmet
from trimtab.engines.process.build import Builder
from trimtab.engines.process.cache import EnvironmentCache
from trimtab.engines.process.environment import Environments
from trimtab.engines.process.groups import Groups
from trimtab.engines.process.run import Runner, end_remains
from trimtab.engines.process.sandbox import Sandbox
from trimtab.engines.process.settings import ProcessSettings
from trimtab.engines.process.uv import UV
from trimtab.engines.request import Build, BuildRequest, Resources, Run, RunRequest

__all__ = ["ProcessEngine"]


class ProcessEngine:
    """Builds environments with uv and runs processes.

    It is no sandbox: where bubblewrap works it keeps a run from this machine's files and network, and a run that is
    no friend needs a container or a machine of its own all the same.

    Args:
        state: A directory for what it keeps: environments, uv's cache, what runs.
        settings: Limits that no request names.
    """

    name: str = "process"

    def __init__(self, state: Path, settings: ProcessSettings | None = None) -> None:
        self._state = state.absolute()
        self._settings = settings or ProcessSettings()
        self._claims = Claims(self._state / "claims")
        self._uv = UV(self._state / "uv", Index.of_this_machine())
        self._cache = EnvironmentCache(self._state / "environments", self._settings.cache_limit)
        # Part of the names of control groups: several installations may share a machine.
        self._mark = f"trimtab-{hashlib.sha256(bytes(self._state)).hexdigest()[:8]}"
        self._ready: tuple[Builder, Runner] | None = None

    async def prepare(self) -> Capabilities:
        """Look what there is and what it enforces."""
        version = await self._uv.version()
        groups = await asyncio.to_thread(Groups.find) if self._settings.groups else Groups()
        sandbox = await Sandbox.find() if self._settings.sandbox else None
        environments = Environments(self._cache, self._uv, groups, self._settings, self._mark)
        builder = Builder(environments, self._uv, self._settings, self._state, sandboxed=sandbox is not None)
        runner = Runner(self._cache, groups, sandbox, self._settings, self._state, self._mark)
        self._ready = builder, runner
        return Capabilities(
            name=self.name,
            version=f"uv {version}",
            images=False,
            cpu=groups.how("cpu") or "affinity",
            memory=groups.how("memory") or "rlimit of each process",
            pids=groups.how("pids") or "rlimit of the user",
            network="network namespace" if sandbox else None,
            filesystem=f"bubblewrap {sandbox.version}" if sandbox else None,
            warnings=tuple(_warnings(groups, sandbox)),
        )

    async def build(self, request: BuildRequest, log: LogSink) -> Build:
        """Build the environment of a stack, and lay out its home."""
        self._check(request.id, request.resources, request.running)
        builder, _ = await self._prepared()
        self._claims.take(request.id)
        return await builder.build(request, log)

    async def run(self, request: RunRequest, log: LogSink) -> Run:
        """Run it once. There is no place to be kept between runs, and so `reuse` changes nothing."""
        self._check(request.id, request.resources)
        _, runner = await self._prepared()
        self._claims.take(request.id)
        return await runner.run(request, log)

    async def clean(self, id: str) -> None:  # noqa: A002 - the word of the interface
        """End and remove everything of an inspection; environments stay, for others."""
        check_id(self.name, id)
        if self._ready:
            await self._ready[1].settle()
        await asyncio.to_thread(self._remove, id)
        self._claims.release(id)

    async def expire(self, older_than: float) -> list[str]:
        """End runs whose process was killed, and remove builds that are older."""
        return await asyncio.to_thread(self._expire, time.time() - older_than)

    async def _prepared(self) -> tuple[Builder, Runner]:
        if self._ready is None:
            await self.prepare()
        assert self._ready
        return self._ready

    def _check(self, inspection: str, *asked: Resources | None) -> None:
        check_id(self.name, inspection)
        if reasons := unmet(*asked):
            raise UnmetError(self.name, reasons)

    def _expire(self, limit: float) -> list[str]:
        removed = set()
        for place in (self._state / "runs").glob("*"):
            inspection = place.name.rsplit(".", 2)[0]
            if self._claims.is_free(inspection):
                self._remove_run(place)
                removed.add(inspection)
        for build in (self._state / "builds").glob("*"):
            if build.stat().st_mtime <= limit and self._claims.is_free(build.name):
                self._remove(build.name)
                removed.add(build.name)
        return sorted(removed)

    def _remove(self, inspection: str) -> None:
        for place in (self._state / "runs").glob(f"{inspection}.*.*"):
            if place.name.rsplit(".", 2)[0] == inspection:
                self._remove_run(place)
        shutil.rmtree(self._state / "builds" / inspection, ignore_errors=True)

    def _remove_run(self, place: Path) -> None:
        end_remains(place)
        shutil.rmtree(place, ignore_errors=True)


def _warnings(groups: Groups, sandbox: Sandbox | None) -> list[str]:
    found = [
        "the process engine is no sandbox: let it run only what you would run yourself",
        "the base image is not used: what runs sees this machine's Python and libraries",
    ]
    if sandbox is None:
        found.append(
            "there is no working bubblewrap (the package bubblewrap): the network is not cut off, this machine's files "
            "are in reach, and the home of a run is not at /home/amun"
        )
    if "memory" not in groups.parents:
        found.append(
            "no memory control group can be made: the limit holds for each process, not for all together"
        )
    if "cpu" not in groups.parents:
        found.append("no CPU control group can be made: a run has whole cores, not parts of them")
    return found

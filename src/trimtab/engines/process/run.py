"""Runs a program of a build as processes of this machine."""

import asyncio
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from trimtab.engines.engine import LogSink
from trimtab.engines.leavings import size_of
from trimtab.engines.log import Log
from trimtab.engines.process.cache import EnvironmentCache
from trimtab.engines.process.groups import Groups, remove_group
from trimtab.engines.process.launch import Launch
from trimtab.engines.process.manifest import Manifest
from trimtab.engines.process.remains import kill_marked
from trimtab.engines.process.sandbox import Sandbox
from trimtab.engines.process.settings import ProcessSettings
from trimtab.engines.process.verdict import judge, lost
from trimtab.engines.removals import Removals
from trimtab.engines.request import Run, RunRequest
from trimtab.engines.supervision import Ending, SupervisionError, Supervisor

__all__ = ["GROUPS", "Runner", "end_remains"]

GROUPS = "groups"
"""File in a run's directory with the directories of its control groups, for whoever finds it after our death."""

_LOOK = 1.0


class Runner:
    """Runs builds.

    Args:
        cache: Where environments are.
        groups: What limits runs.
        sandbox: What confines them, if it is there.
        settings: Limits.
        state: A directory of ours.
        name: Of control groups, the beginning.
    """

    def __init__(
        self,
        cache: EnvironmentCache,
        groups: Groups,
        sandbox: Sandbox | None,
        settings: ProcessSettings,
        state: Path,
        name: str,
    ) -> None:
        self._cache = cache
        self._groups = groups
        self._sandbox = sandbox
        self._settings = settings
        self._state = state
        self._name = name
        self._removals = Removals()

    async def run(self, request: RunRequest, sink: LogSink) -> Run:
        """Run a build once."""
        build, started = Path(request.build.reference), datetime.now(UTC)
        manifest = Manifest.read(build)
        path = request.output.with_name(request.output.name + ".log")
        async with Supervisor.started() as supervisor, self._cache.using(manifest.key):
            with self._place(request) as place, Log(path, sink, self._settings.log_limit) as log:
                await asyncio.to_thread(self._furnish, build, manifest, place, request)
                launch = Launch(
                    request, manifest, place, self._sandbox, self._groups, self._settings,
                    (self._state, Path.home()),
                )  # fmt: skip
                program = launch.program(self._make_groups(request, place))
                running = asyncio.create_task(supervisor.run(program, log.write))
                return await self._watched(request, running, place, started, log)

    async def settle(self) -> None:
        """Wait until the directories of runs that ended are removed."""
        await self._removals.settle()

    async def _watched(
        self, request: RunRequest, running: asyncio.Task[Ending], place: Path, started: datetime, log: Log
    ) -> Run:
        notes = [] if request.network or self._sandbox else ["the network was not cut off"]
        watching = asyncio.create_task(self._full(request, place))
        try:
            await asyncio.wait({running, watching}, return_when=asyncio.FIRST_COMPLETED)
            over_disk = not running.done()
        finally:
            watching.cancel()
            running.cancel()
            await asyncio.wait({running, watching})
        if over_disk:
            notes.append(f"it was ended for having written more than {self._settings.disk} bytes to disk")
            return lost(request, None, log, started, notes)
        try:
            ending = running.result()
        except SupervisionError as error:
            await asyncio.to_thread(end_remains, place)
            return lost(request, str(error), log, started, notes)
        return judge(request, ending, log, started, notes=notes, sandboxed=self._sandbox is not None)

    async def _full(self, request: RunRequest, place: Path) -> None:
        """Return when a run has written too much."""
        limit = self._settings.disk
        while True:
            await asyncio.sleep(_LOOK)
            used = [await asyncio.to_thread(size_of, path, limit) for path in (place, request.output)]
            if sum(used) > limit:
                return

    def _furnish(self, build: Path, manifest: Manifest, place: Path, request: RunRequest) -> None:
        home = place / "home"
        shutil.copytree(build / "home", home, symlinks=True)
        if (Path(manifest.environment) / "bin").is_dir():
            (home / "venv").symlink_to(manifest.environment)
        results = home / "results"
        results.mkdir(exist_ok=True)
        if self._sandbox is None:
            (place / "tmp").mkdir()
            (results / str(request.item)).symlink_to(request.output.absolute())

    def _make_groups(self, request: RunRequest, place: Path) -> tuple[str, ...]:
        groups = self._groups.make(f"{self._name}-run", request.resources, self._settings.pids)
        (place / GROUPS).write_text("\n".join(groups))
        return groups

    @contextmanager
    def _place(self, request: RunRequest) -> Iterator[Path]:
        place = self._state / "runs" / f"{request.id}.{request.item}.{secrets.token_hex(4)}"
        place.mkdir(mode=0o700, parents=True)
        try:
            yield place
        finally:
            self._removals.remove(place)


def end_remains(place: Path) -> None:
    """End what is left of a run whose supervisor was killed, and remove its control groups."""
    try:
        groups = (place / GROUPS).read_text().split("\n")
    except OSError:
        groups = []
    for group in filter(None, groups):
        remove_group(Path(group))
    kill_marked(place.name)

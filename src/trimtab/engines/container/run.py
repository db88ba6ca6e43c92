"""Runs: a container each, from its start to what is known of its end."""

import asyncio
import secrets
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trimtab.engines.container.arguments import Confinement, run_arguments
from trimtab.engines.container.client import Client
from trimtab.engines.container.guard import Guard, guarded
from trimtab.engines.container.labels import Labels
from trimtab.engines.container.settings import ContainerSettings
from trimtab.engines.container.verdict import judge
from trimtab.engines.engine import LogSink
from trimtab.engines.errors import BuildGoneError, EngineUnavailableError
from trimtab.engines.home import log_path, results_of, variables_of
from trimtab.engines.leavings import tidy
from trimtab.engines.log import Log
from trimtab.engines.program import stream
from trimtab.engines.removals import Removals
from trimtab.engines.request import Run, RunRequest
from trimtab.engines.verdict import Verdict

__all__ = ["Runner", "confinement_of", "finish"]

_LATE = 60.0
_CONFLICT = "is already in use"


@dataclass(frozen=True, slots=True)
class Place:
    """Where one run happens.

    Attributes:
        name: Of its container.
        directory: One of ours, from which the engine's command is started.
    """

    name: str
    directory: Path

    @property
    def cidfile(self) -> Path:
        """Takes the container's id; an engine refuses to overwrite it."""
        return self.directory / "id"


class Runner:
    """Runs containers of one engine.

    Args:
        client: The engine.
        labels: What is ours.
        settings: Limits.
        state: A directory of ours.
    """

    def __init__(self, client: Client, labels: Labels, settings: ContainerSettings, state: Path) -> None:
        self._client = client
        self._labels = labels
        self._settings = settings
        self._state = state
        self._removals: dict[str, asyncio.Task[None]] = {}
        self._places = Removals()
        self.storage: Path | None = None
        """Where podman keeps what containers write, if this process may look there."""
        self.monitors: Path | None = None
        """Where podman keeps the process ids of its monitors, if this process may look there."""

    async def run(self, request: RunRequest, sink: LogSink) -> Run:
        """Run a build once, in a container of its own."""
        path, started = log_path(request), datetime.now(UTC)
        with self._place(request) as place, Log(path, sink, self._settings.log_limit) as log:
            request.output.chmod(0o777)  # the container's user is none of this machine's
            guard = self._guard(request, place)
            await self._removal_of(place.name)
            try:
                verdict = await self._verdict(request, place, guard, log)
            except BaseException:
                await asyncio.shield(self.remove(place.name))
                raise
            self._remove_later(place.name)
        return finish(request, verdict, guard, started, log)

    async def settle(self) -> None:
        """Wait until the containers of runs that ended are removed, and their directories."""
        while self._removals:
            await asyncio.gather(*self._removals.values(), return_exceptions=True)
        await self._places.settle()

    async def remove(self, name: str) -> None:
        """End and remove a container, if it is there, and what only it uses."""
        at_once = ["--time", "0"] if self._client.is_podman else []
        await self._client.ask("rm", "--force", "--volumes", *at_once, name)

    async def _verdict(self, request: RunRequest, place: Place, guard: Guard, log: Log) -> Verdict:
        code = await guarded(self._command(request, place, log), guard)
        if (
            code and _CONFLICT in log.excerpt()
        ):  # left by a process that was killed; podman replaces it by itself
            await self.remove(place.name)
            place.cidfile.unlink(missing_ok=True)
            code = await guarded(self._command(request, place, log), guard)
        image = request.build.reference
        if guard.abandoned:
            return Verdict(None, lost="podman's monitor of the container was killed")
        verdict = await judge(self._client, place.name, image, code, place.directory, log.excerpt())
        if verdict.exit_code != 0 and self._client.is_podman:
            await self._check_volume(request)
        return verdict

    def _command(self, request: RunRequest, place: Place, log: Log) -> Coroutine[Any, Any, int]:
        return stream(
            [self._client.program, *self._arguments(request, place)], log.write,
            directory=place.directory, environment=self._client.environment_with(variables_of(request)),
        )  # fmt: skip

    def _arguments(self, request: RunRequest, place: Place) -> list[str]:
        settings = self._settings
        return run_arguments(
            confinement_of(request, self._client, settings, self._labels),
            name=place.name,
            labels=self._labels.options(request.id),
            cidfile=place.cidfile,
            mounts={results_of(request): request.output},
            environment=variables_of(request),
            image=request.build.reference,
        )

    def _guard(self, request: RunRequest, place: Place) -> Guard:
        def places() -> list[Path]:
            homes: list[Path] = []
            if self.storage and place.cidfile.exists():
                userdata = self.storage / place.cidfile.read_text().strip() / "userdata/overlay"
                homes = list(userdata.glob("*/upper"))
            return [request.output, *homes]

        def monitor() -> Path | None:
            if self.monitors and place.cidfile.exists():
                return self.monitors / place.cidfile.read_text().strip() / "userdata/conmon.pid"
            return None

        settings = self._settings
        allowed = None if request.timeout is None else request.timeout + settings.slack
        return Guard(self._client, place.name, allowed, settings.grace, settings.disk, places, monitor)

    async def _check_volume(self, request: RunRequest) -> None:
        """A volume that was removed comes back as root's, without our label, and a run cannot write in it."""
        name = self._labels.name(request.id)
        found = await self._client.inspect("volume", name)
        if not found or not found.get("Labels"):
            await self._client.ask("volume", "rm", "--force", name)
            raise BuildGoneError(f"the volume {name} was removed; build it again")

    def _remove_later(self, name: str) -> None:
        """What it takes to remove a container is no part of the run."""
        self._removals[name] = asyncio.create_task(self._removed(name), name=f"remove {name}")

    async def _removed(self, name: str) -> None:
        try:
            await self.remove(name)
        except EngineUnavailableError:
            return  # `clean` or `expire` finds it by its label
        finally:
            del self._removals[name]

    async def _removal_of(self, name: str) -> None:
        """A name is free for the next attempt of a run when the container before is gone: Docker refuses it until then."""
        if (removal := self._removals.get(name)) is not None:
            await asyncio.wait({removal})

    @contextmanager
    def _place(self, request: RunRequest) -> Iterator[Place]:
        directory = self._state / f"run-{request.id}-{request.item}-{secrets.token_hex(4)}"
        directory.mkdir(mode=0o700, parents=True)
        try:
            yield Place(self._labels.name(request.id, request.item), directory)
        finally:
            self._places.remove(directory)


def confinement_of(
    request: RunRequest, client: Client, settings: ContainerSettings, labels: Labels, *, kept: bool = False
) -> Confinement:
    """The limits of a run."""
    lifetime = None
    if request.timeout is not None and not kept:
        lifetime = request.timeout + settings.slack + settings.grace + _LATE
    return Confinement(
        client.flavour, settings, request.resources, request.network, labels.name(request.id), lifetime
    )


def finish(request: RunRequest, verdict: Verdict, guard: Guard, started: datetime, log: Log) -> Run:
    """What is told of a run, once its output is safe to read."""
    notes = [*verdict.notes, *tidy(request.output)]
    if guard.over_disk:
        notes.append(f"it was ended for having written more than {guard.disk} bytes to disk")
    if log.cut:
        notes.append("it printed more than is kept of a log")
    return Run(
        verdict.exit_code,
        verdict.signal,
        verdict.oom_killed and not guard.timed_out,
        guard.timed_out and verdict.lost is None,
        None if guard.over_disk else verdict.lost,
        started,
        datetime.now(UTC),
        log.path,
        tuple(notes),
    )

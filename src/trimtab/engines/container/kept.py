"""Runs in one container that is kept between them: each but the first saves the start of one.

What one run leaves behind (files in its home, processes) the next one sees. A run that is out of time, or is cancelled,
takes the container with it: an engine has no other way to end what it `exec`s.
"""

import asyncio
import shutil
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trimtab.engines.container.arguments import exec_arguments, run_arguments
from trimtab.engines.container.client import Client
from trimtab.engines.container.guard import Guard, guarded
from trimtab.engines.container.labels import Labels
from trimtab.engines.container.run import Runner, confinement_of, finish
from trimtab.engines.container.settings import ContainerSettings
from trimtab.engines.engine import LogSink
from trimtab.engines.errors import BuildGoneError, RefusedError
from trimtab.engines.home import HOME, log_path, variables_of
from trimtab.engines.log import Log
from trimtab.engines.program import ask, stream
from trimtab.engines.request import Run, RunRequest
from trimtab.engines.verdict import Verdict

__all__ = ["Keeper"]

_KILLED = 137
_DOUBTFUL = frozenset({125, 126, 127, 137, 255})
_SLEEP = ("sleep", "2147483647")


@dataclass(frozen=True, slots=True)
class _Kept:
    name: str
    build: str
    directory: Path
    command: tuple[str, ...]

    @property
    def results(self) -> Path:
        return self.directory / "results"


class Keeper:
    """Keeps one container an inspection.

    Args:
        client: The engine.
        labels: What is ours.
        settings: Limits.
        runner: Removes containers.
        state: A directory of ours.
    """

    def __init__(
        self, client: Client, labels: Labels, settings: ContainerSettings, runner: Runner, state: Path
    ) -> None:
        self._client = client
        self._labels = labels
        self._settings = settings
        self._runner = runner
        self._state = state
        self._kept: dict[str, _Kept] = {}
        self._starting = asyncio.Lock()

    async def run(self, request: RunRequest, sink: LogSink) -> Run:
        """Run a build once, in the inspection's container; it is started if there is none."""
        kept = await self._container(request)
        started, settings = datetime.now(UTC), self._settings
        allowed = None if request.timeout is None else request.timeout + settings.slack
        guard = Guard(self._client, kept.name, allowed, settings.grace, settings.disk, lambda: [kept.results])
        mailbox = kept.results / str(request.item)
        with Log(log_path(request), sink, settings.log_limit) as log:
            try:
                _open(mailbox)
                (kept.directory / "oom").unlink(missing_ok=True)
                (kept.directory / "began").touch()
                code = await guarded(self._command(request, kept, log), guard)
                verdict = await self._verdict(kept, guard, code, log)
            except BaseException:
                await asyncio.shield(self._give_up(request.id, kept))
                raise
            if guard.timed_out or guard.over_disk or verdict.lost:
                await self._give_up(request.id, kept)
            _deliver(mailbox, request.output)
        return finish(request, verdict, guard, started, log)

    async def drop(self, inspection: str) -> None:
        """End the container of an inspection, if there is one."""
        async with self._starting:
            await self._end(inspection)

    async def _give_up(self, inspection: str, kept: _Kept) -> None:
        """End a container; runs side by side have it in common, and the first of them that is over may have done so."""
        async with self._starting:
            if self._kept.get(inspection) is kept:
                await self._end(inspection)

    async def _end(self, inspection: str) -> None:
        kept = self._kept.pop(inspection, None)
        if kept:
            await self._runner.remove(kept.name)
            shutil.rmtree(kept.directory, ignore_errors=True)

    def _command(self, request: RunRequest, kept: _Kept, log: Log) -> Coroutine[Any, Any, int]:
        variables = variables_of(request)
        arguments = exec_arguments(kept.name, variables, kept.command)
        return stream(
            [self._client.program, *arguments],
            log.write,
            environment=self._client.environment_with(variables),
        )

    async def _verdict(self, kept: _Kept, guard: Guard, code: int, log: Log) -> Verdict:
        if guard.timed_out or guard.over_disk:  # we ended it, and the container with it
            return Verdict(_KILLED, _KILLED - 128)
        out_of_memory = code == _KILLED and await self._was_out_of_memory(kept)
        if (code < 0 or code in _DOUBTFUL) and not out_of_memory:
            found = await self._client.inspect("container", kept.name)
            if not (found and found["State"].get("Running")):
                return Verdict(None, lost=f"the container that was kept is gone: {log.excerpt(1)}")
        signal = code - 128 if code in range(129, 193) else None
        return Verdict(code if code >= 0 else None, signal, out_of_memory)

    async def _was_out_of_memory(self, kept: _Kept) -> bool:
        """Docker tells of a kill in a container that goes on in its events only, podman's monitor by a file."""
        if self._client.is_podman:
            return (kept.directory / "oom").exists()
        events = await self._client.check(
            "events", "--filter", "event=oom", "--filter", f"container={kept.name}", "--format", "{{.ID}}",
            "--since", f"{(kept.directory / 'began').stat().st_mtime:.9f}", "--until", f"{time.time():.9f}",
        )  # fmt: skip
        return bool(events.strip())

    async def _container(self, request: RunRequest) -> _Kept:
        async with self._starting:
            kept = self._kept.get(request.id)
            if kept and kept.build == request.build.reference:
                return kept
            await self._end(request.id)
            directory = self._state / f"kept-{request.id}"
            shutil.rmtree(directory, ignore_errors=True)
            kept = _Kept(
                self._labels.name(request.id) + "-kept",
                request.build.reference,
                directory,
                await self._program(request.build.reference),
            )
            await self._start(request, kept)
            self._kept[request.id] = kept
            return kept

    async def _start(self, request: RunRequest, kept: _Kept) -> None:
        kept.results.mkdir(mode=0o755, parents=True)
        arguments = run_arguments(
            confinement_of(request, self._client, self._settings, self._labels, kept=True),
            name=kept.name,
            labels=self._labels.options(request.id),
            cidfile=kept.directory / "id",
            mounts={f"{HOME}/results": kept.results},
            environment={},
            image=request.build.reference,
            command=_SLEEP,
            detached=True,
        )
        await self._runner.remove(kept.name)
        answer = await ask(
            [self._client.program, *arguments], directory=kept.directory, environment=self._client.environment
        )
        if answer.code:
            await self._runner.remove(kept.name)
            raise RefusedError(
                self._client.flavour,
                (
                    f"a container could not be kept, which needs the program `sleep` in it: {answer.complaint}",
                ),
            )

    async def _program(self, image: str) -> tuple[str, ...]:
        found = await self._client.inspect("image", image)
        if found is None:
            raise BuildGoneError(f"the image {image} was removed; build it again")
        config = found.get("Config") or {}
        command = (*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ()))
        if not command:
            raise RefusedError(self._client.flavour, ("the image says not what to run",))
        return command


def _open(mailbox: Path) -> None:
    shutil.rmtree(mailbox, ignore_errors=True)
    mailbox.mkdir()
    mailbox.chmod(0o777)  # the container's user is none of this machine's


def _deliver(mailbox: Path, output: Path) -> None:
    """Move what a run left to where it belongs, without following its links."""
    if not mailbox.is_dir() or mailbox.is_symlink():
        return
    for entry in mailbox.iterdir():
        shutil.move(entry, output / entry.name)

"""Builds what runs of a stack start from: its environment and its home."""

import asyncio
import shutil
import time
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from trimtab.engines.engine import LogSink
from trimtab.engines.errors import BuildFailedError, FailureKind, RefusedError
from trimtab.engines.log import Log
from trimtab.engines.process.environment import Budget, Environments, Recipe
from trimtab.engines.process.home import HOME, STARTER, Layout, lay_out
from trimtab.engines.process.interpreter import Interpreter, find
from trimtab.engines.process.locks import pins_of
from trimtab.engines.process.manifest import Manifest
from trimtab.engines.process.pins import LockError, Pins
from trimtab.engines.process.settings import ProcessSettings
from trimtab.engines.process.uv import UV
from trimtab.engines.request import Build, BuildRequest

__all__ = ["Builder"]


class Builder:
    """Builds on this machine.

    Args:
        environments: Those of this machine.
        uv: Reads locks.
        settings: Limits.
        state: A directory of ours.
        sandboxed: Whether runs see their home where an image has it.
    """

    def __init__(
        self, environments: Environments, uv: UV, settings: ProcessSettings, state: Path, *, sandboxed: bool
    ) -> None:
        self._environments = environments
        self._uv = uv
        self._settings = settings
        self._state = state
        self._sandboxed = sandboxed

    async def build(self, request: BuildRequest, sink: LogSink) -> Build:
        """Build, or say all at once why not."""
        began = time.monotonic()
        interpreter, problem = await find(self._uv, request.python_version, self._settings.python)
        pins, layout = await self._pins(request, interpreter), Layout.of(request)
        refused = [
            *([problem] if problem else []),
            *(pins.refused if pins else ()),
            *layout.outside,
            *_refused(request),
        ]
        if refused and not request.best_effort:
            raise RefusedError("process", tuple(refused))
        recipe = Recipe(interpreter, pins, _loose(request), request.upgrade_pip)
        path = request.context.with_name(request.context.name + ".log")
        left_out = (*self._base(request, interpreter), *_not_needed(request), *refused)
        with Log(path, sink, self._settings.log_limit) as log:
            for line in left_out:
                log.say(line)
            slot, cached = await self._environments.get(
                recipe, Budget(request.resources, request.timeout, log)
            )
            manifest = Manifest(
                str(slot.environment), slot.key, str(interpreter.prefix), str(interpreter.executable),
                dict(request.environment), (request.context / STARTER).is_file(),
            )  # fmt: skip
            place = await asyncio.to_thread(self._lay_out, request, layout, manifest)
        return Build(
            str(place), f"sha256:{slot.key}", left_out, path, time.monotonic() - began, cached,
            dict(request.environment), slot.size(),
        )  # fmt: skip

    async def _pins(self, request: BuildRequest, interpreter: Interpreter) -> Pins | None:
        if request.lock is None:
            return None
        try:
            return await pins_of(request.lock, interpreter, self._uv)
        except LockError as error:
            raise BuildFailedError(FailureKind.STACK, None, str(error)) from error

    def _lay_out(self, request: BuildRequest, layout: Layout, manifest: Manifest) -> Path:
        place = self._state / "builds" / request.id
        shutil.rmtree(place, ignore_errors=True)
        lay_out(request, layout, place / "home")
        manifest.write(place)
        return place

    def _base(self, request: BuildRequest, interpreter: Interpreter) -> tuple[str, ...]:
        base = (
            f"the base image {request.base} is not used: the script runs with this machine's Python "
            f"{interpreter.version} ({interpreter.executable})"
        )
        home = f"{HOME} is a directory of the run, whose path is in HOME"
        return (base,) if self._sandboxed else (base, home)


def _refused(request: BuildRequest) -> list[str]:
    """What this engine never does: it leaves this machine as it is."""
    reasons = []
    if request.packages:
        reasons.append(
            f"packages of the operating system are not installed: {' '.join(request.packages)[:500]}"
        )
    if request.update:
        reasons.append("packages of the operating system are not updated")
    if request.lock is None:
        reasons += [
            f"python_packages: {text[:100]!r} is no requirement"
            for text in request.python_packages
            if not _is_requirement(text)
        ]
    return reasons


def _loose(request: BuildRequest) -> tuple[str, ...]:
    """What is installed without a lock. Beside a lock these go into the base's own Python, where a stack's cannot see them."""
    if request.lock is not None:
        return ()
    return tuple(text for text in request.python_packages if _is_requirement(text))


def _not_needed(request: BuildRequest) -> list[str]:
    if request.lock is None or not request.python_packages:
        return []
    return [
        f"python_packages are not installed, for they are no part of the stack: {' '.join(request.python_packages)[:500]}"
    ]


def _is_requirement(text: str) -> bool:
    """Whether it names a package of an index; a path or a repository of this machine it must not name."""
    try:
        return Requirement(text).url is None
    except (InvalidRequirement, RecursionError):
        return False

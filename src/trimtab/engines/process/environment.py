"""Builds the environment of a stack, or finds it built."""

import asyncio
import secrets
import shutil
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from trimtab.engines.errors import BuildFailedError, EngineLostError, FailureKind
from trimtab.engines.failures import build_failure
from trimtab.engines.leavings import size_of
from trimtab.engines.log import Log
from trimtab.engines.process.cache import EnvironmentCache, Slot
from trimtab.engines.process.groups import Groups, out_of_memory
from trimtab.engines.process.interpreter import Interpreter
from trimtab.engines.process.pins import Pins
from trimtab.engines.process.settings import ProcessSettings
from trimtab.engines.process.uv import UV
from trimtab.engines.request import Resources
from trimtab.engines.supervision import Program, SupervisionError, supervise

__all__ = ["Budget", "Environments", "Recipe"]

_FORMAT = 1
"""Part of each key: raised when the same recipe gives another environment."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an environment is built from.

    Attributes:
        interpreter: The Python.
        pins: The lock; None: there is none.
        loose: Requirements that are installed where there is no lock.
        upgrade_pip: Whether it has the latest pip.
    """

    interpreter: Interpreter
    pins: Pins | None
    loose: tuple[str, ...] = ()
    upgrade_pip: bool = False

    def parts(self) -> list[object]:
        """All it depends on, as JSON."""
        text = None if self.pins is None else self.pins.text()
        return [_FORMAT, self.interpreter.identity(), text, list(self.loose), self.upgrade_pip]

    @property
    def is_repeatable(self) -> bool:
        """Whether the same recipe gives the same environment on another day."""
        return not self.loose and not self.upgrade_pip


@dataclass(frozen=True, slots=True)
class Budget:
    """What a build may use.

    Attributes:
        resources: CPU and memory.
        seconds: How long it may take; None: for ever. The wait for another builder of the same is not counted.
        log: Takes what is said.
    """

    resources: Resources
    seconds: float | None
    log: Log


class Environments:
    """The environments of this machine.

    Args:
        cache: Those that are built.
        uv: Builds them.
        groups: Limits what a build uses.
        settings: Limits.
        name: Of control groups, the beginning.
    """

    def __init__(
        self, cache: EnvironmentCache, uv: UV, groups: Groups, settings: ProcessSettings, name: str
    ) -> None:
        self._cache = cache
        self._uv = uv
        self._groups = groups
        self._settings = settings
        self._name = name

    async def get(self, recipe: Recipe, budget: Budget) -> tuple[Slot, bool]:
        """Build an environment, unless it was built before.

        Args:
            recipe: What it is built from.
            budget: What the build may use.

        Returns:
            Its place, and whether it was there.

        Raises:
            BuildFailedError: It cannot be built.
            EngineLostError: Its builder was killed.
        """
        once = [] if recipe.is_repeatable else [secrets.token_hex(8)]
        key = self._cache.key(recipe.parts() + once)
        async with self._cache.using(key) as slot:  # beside runs that use it
            if await asyncio.to_thread(slot.is_complete):
                budget.log.say(f"the environment was built before: {slot.environment}")
                return slot, True
        async with self._cache.building(key) as slot:
            if await asyncio.to_thread(slot.is_complete):  # by another, meanwhile
                return slot, True
            if await asyncio.to_thread(slot.is_spoilt):
                budget.log.say(
                    "the environment was changed since it was built; it and uv's cache are built anew"
                )
                await self._uv.ask("cache", "clean")
            slot.clear()
            await self._build(slot, recipe, budget)
            await asyncio.to_thread(slot.complete)
        await asyncio.to_thread(self._tidy_up, key, budget.log)
        return slot, False

    async def _build(self, slot: Slot, recipe: Recipe, budget: Budget) -> None:
        began = time.monotonic()
        for arguments in self._commands(slot, recipe):
            spent = time.monotonic() - began
            left = None if budget.seconds is None else max(0.0, budget.seconds - spent)
            await self._step(recipe, arguments, replace(budget, seconds=left))

    def _commands(self, slot: Slot, recipe: Recipe) -> list[list[str]]:
        interpreter, environment = recipe.interpreter, slot.environment
        target = [
            "--python",
            str(environment / "bin/python"),
            *(["--compile-bytecode"] if self._settings.compile else []),
        ]
        commands = [
            ["venv", "--quiet", "--no-project", "--python", str(interpreter.executable), str(environment)]
        ]
        if recipe.pins and recipe.pins.pins:
            file = slot.directory / "requirements.txt"
            file.write_text(recipe.pins.text())
            commands.append(["pip", "sync", *target, "--require-hashes", str(file)])
        if recipe.loose:
            # After `--` nothing is an option, whatever it looks like.
            commands.append(["pip", "install", *target, "--", *recipe.loose])
        if recipe.upgrade_pip:
            commands.append(["pip", "install", *target, "--upgrade", "pip"])
        return commands

    async def _step(self, recipe: Recipe, arguments: list[str], budget: Budget) -> None:
        log = budget.log
        log.say(f"uv {' '.join(arguments[:2])}")
        directory = Path(tempfile.mkdtemp(prefix="trimtab-build-"))
        pins = recipe.pins
        index = self._uv.index.with_sources(pins.sources, pins.insecure) if pins else self._uv.index
        program = Program(
            (self._uv.program, *arguments), str(directory),
            # What a source distribution's build writes goes with the directory.
            {**self._uv.environment(index), "TMPDIR": str(directory)},
            timeout=budget.seconds, groups=self._groups.make(f"{self._name}-build", budget.resources, self._settings.pids * 4),
        )  # fmt: skip
        try:
            ending = await supervise(program, log.write)
        except SupervisionError as error:
            raise EngineLostError(f"the build was lost: {error}") from error
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        if ending.code == 0:
            return
        excerpt = log.excerpt(40)
        if ending.timed_out:
            raise BuildFailedError(FailureKind.TIMEOUT, None, f"it took longer than allowed\n{excerpt}")
        if out_of_memory(ending.statistics):
            raise BuildFailedError(
                FailureKind.OOM, ending.code, f"it needed more memory than allowed\n{excerpt}"
            )
        raise build_failure(ending.code, excerpt)

    def _tidy_up(self, key: str, log: Log) -> None:
        removed = self._cache.evict(spare=key)
        if removed:
            log.say(f"{len(removed)} environments that were not used for long were removed")
        if size_of(self._uv.cache, self._settings.cache_limit) > self._settings.cache_limit:
            log.say("uv's cache was full and is emptied")
            shutil.rmtree(self._uv.cache, ignore_errors=True)

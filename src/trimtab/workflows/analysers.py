"""Processes that analyse, a few of them: kept while there is something to do, ended when an analysis is broken off."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from trimtab.builds.analyser import LENGTH
from trimtab.store.store import LIMIT

__all__ = ["Analysers"]

COMMAND = (sys.executable, "-P", "-m", "trimtab.builds.analyser")
FOREIGN = ("TRIMTAB_", "AWS_", "THOTH_")  # what a process that reads a stranger's image is not told
IDLE = 60.0  # seconds without anything to do
USES = 200


@dataclass
class _Process:
    process: asyncio.subprocess.Process
    uses: int = 0
    since: float = field(default_factory=time.monotonic)

    async def ask(self, request: bytes) -> bytes:
        """The answer to a request."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(LENGTH.pack(len(request)) + request)
        await stdin.drain()
        (length,) = LENGTH.unpack(await stdout.readexactly(LENGTH.size))
        if length > LIMIT:
            raise _TooLongError
        return await stdout.readexactly(length)

    async def end(self) -> None:
        """End it, whatever it does."""
        with suppress(ProcessLookupError):
            self.process.kill()
        if self.process.stdin is not None:
            self.process.stdin.close()
        await self.process.wait()


class _TooLongError(Exception):
    """A document that could not be read again."""


class Analysers:
    """Analyses, each in a process of its own for as long as it takes.

    Args:
        places: Processes at the same time.

    Attributes:
        room: Is held for an analysis, by whoever has it made.
    """

    def __init__(self, places: int) -> None:
        self.room = asyncio.Semaphore(places)
        self._idle: list[_Process] = []

    async def analyse(self, request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """Do what is asked for, with room for it; whoever is cancelled ends the process that does it.

        Args:
            request: For `trimtab.builds.analyse`.
            seconds: After which it is ended.

        Returns:
            What came of it; or `error`, `class`, and perhaps `transient` and `after`.
        """
        one = self._take() or await _started()
        try:
            async with asyncio.timeout(seconds):
                answer = await one.ask(json.dumps(request).encode("ascii"))
        except TimeoutError:
            await one.end()
            return {"error": f"it took more than {seconds:g} s", "class": "TimeoutError"}
        except _TooLongError:
            await one.end()
            return {"error": f"its document has more than {LIMIT} bytes", "class": "LimitError"}
        except (OSError, EOFError):  # it is no more
            await one.end()
            code = one.process.returncode
            return {
                "error": f"the process that analysed it ended ({code})",
                "class": "killed",
                "transient": True,
            }
        except BaseException:
            await asyncio.shield(one.end())
            raise
        await self._keep(one)
        found: dict[str, Any] = json.loads(answer)
        return found

    async def expire(self, idle: float = IDLE) -> None:
        """End those that had nothing to do for so many seconds."""
        now = time.monotonic()
        late = [each for each in self._idle if now - each.since >= idle]
        self._idle = [each for each in self._idle if now - each.since < idle]
        for each in late:
            await each.end()

    async def close(self) -> None:
        """End all that have nothing to do."""
        await self.expire(0.0)

    def _take(self) -> _Process | None:
        while self._idle:
            found = self._idle.pop()
            if found.process.returncode is None:
                return found
        return None

    async def _keep(self, one: _Process) -> None:
        one.uses, one.since = one.uses + 1, time.monotonic()
        if one.uses < USES:
            self._idle.append(one)
        else:
            await one.end()


async def _started() -> _Process:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    process = await asyncio.create_subprocess_exec(
        *COMMAND, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=environment
    )
    return _Process(process)

"""How a container ended, from the exit code of the engine's command and what the engine knows besides.

An exit code of the engine's own (125: it could not start it; 126, 127: the program could not be started) may as well be
the program's. Only for those, and for 137, the engine is asked.
"""

import re
from pathlib import Path
from typing import Any

from trimtab.engines.container.client import Client
from trimtab.engines.errors import BuildGoneError, EngineUnavailableError
from trimtab.engines.verdict import Verdict, exited

__all__ = ["judge"]

_KILLED = 137
_NOT_CREATED = 125
_NOT_STARTED = frozenset({_NOT_CREATED, 126, 127, 255})
_NEVER = "0001-01-01"
_NO_RIGHT, _NO_PROGRAM = 126, 127
_FAILED = frozenset({1, 255})
# All that there is in the log, if the program or what its first line names is not there: runc says so in the place of the
# program, and ends as a program would.
_NOT_EXECUTED = re.compile(
    r"exec [^\n]{1,4096}: (?:(no such file or directory)|exec format error|permission denied)", re.IGNORECASE
)


async def judge(client: Client, name: str, image: str, code: int, directory: Path, excerpt: str) -> Verdict:
    """Find out how a container ended.

    Args:
        client: The engine.
        name: Of the container.
        image: What it was started from.
        code: Exit code of the engine's command.
        directory: Where the command was started: there podman's monitor tells of a kill for memory.
        excerpt: The last lines the command printed.

    Raises:
        BuildGoneError: What was built is gone.
    """
    if code < 0:
        return Verdict(None, lost=f"the command of {client.flavour} was ended by signal {-code}")
    try:
        if code in _NOT_STARTED or client.is_gone(excerpt):
            return await _doubtful(client, name, image, code, excerpt)
        return await _ended(client, name, code, directory, excerpt)
    except BuildGoneError:
        raise
    except EngineUnavailableError as error:
        return Verdict(None, lost=str(error))


async def _doubtful(client: Client, name: str, image: str, code: int, excerpt: str) -> Verdict:
    found = await client.inspect("container", name)
    state: dict[str, Any] = found["State"] if found else {}
    last = excerpt.strip().splitlines()[-1:] or ["it said nothing"]
    if not found and await client.inspect("image", image) is None:
        raise BuildGoneError(f"the image {image} was removed; build it again")
    started = not str(state.get("StartedAt", _NEVER)).startswith(_NEVER)
    if started and (state.get("Running") or state.get("Status") != "exited"):
        return Verdict(None, lost=f"{client.flavour} let go of a container that had not ended: {last[0]}")
    if started and state.get("ExitCode") == code:
        return exited(code)
    if not started and code in {126, 127}:
        return Verdict(code, notes=(f"it could not be started: {last[0]}",))
    return Verdict(None, lost=f"{client.flavour} could not run it: {last[0]}")


async def _ended(client: Client, name: str, code: int, directory: Path, excerpt: str) -> Verdict:
    # podman's monitor of Debian 12 leaves this file where podman was started, and podman does not see it; later ones
    # tell podman. Docker says it itself.
    if code in _FAILED and (why := _NOT_EXECUTED.fullmatch(excerpt.strip())):
        return Verdict(_NO_PROGRAM if why[1] else _NO_RIGHT, notes=(f"it could not be started: {why[0]}",))
    out_of_memory = (directory / "oom").exists()
    if code == _KILLED and not out_of_memory:
        found = await client.inspect("container", name)
        out_of_memory = bool(found and found["State"].get("OOMKilled"))
    if code != _KILLED and out_of_memory:
        return Verdict(code, notes=("the memory limit killed a process of it",))
    return exited(code, oom_killed=out_of_memory)

"""Failures of builds, from the engine's error or from the end of a log.

What a log says is `trimtab.buildlogs`' to find; here is what that means to whoever asked for the inspection.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from trimtab.buildlogs import FailureClass as Log
from trimtab.buildlogs import parse
from trimtab.engines.errors import (
    BuildFailedError,
    EngineLostError,
    EngineUnavailableError,
    FailureKind,
    RefusedError,
    UnmetError,
)
from trimtab.inspection.failure.classes import LINES, SCANNED, Failure, FailureClass, lines_of

__all__ = ["of_build", "of_log"]

_STACK, _INFRASTRUCTURE = FailureClass.STACK, FailureClass.INFRASTRUCTURE


@dataclass(frozen=True)
class _Meaning:
    """What a class of a log's failures means to whoever asked for the inspection."""

    reason: str
    kind: FailureClass
    message: str
    retry: bool = False


_DISK_FULL: Final = _Meaning("disk", _INFRASTRUCTURE, "There is no space left.", retry=True)
_MEMORY: Final = _Meaning(
    "out-of-memory",
    _INFRASTRUCTURE,
    "The build needed more memory than it had; ask for more in build.requests.memory.",
)
_NETWORK: Final = _Meaning("network", _INFRASTRUCTURE, "An index or a mirror did not answer.", retry=True)
_NO_VERSION: Final = _Meaning(
    "no-such-version", _STACK, "A package has no such version for this Python and this machine."
)
_BUILD: Final = _Meaning(
    "package-build",
    _STACK,
    "A package has no wheel for this machine and could not be built; add what it needs to packages.",
)
_INSTRUCTION: Final = _Meaning("error", _STACK, "An instruction of the build failed.")
_INSTALLER_LACKS: Final = _Meaning("no-installer", _STACK, "The base image lacks what installs the stack.")
_MEANINGS: Final[Mapping[Log, _Meaning]] = {
    Log.DISK: _DISK_FULL, Log.MEMORY: _MEMORY, Log.KILLED: _MEMORY,
    Log.PUSH: _Meaning("push", _INFRASTRUCTURE, "The image was built, and could not be pushed to the registry.", retry=True),
    Log.UNSCHEDULABLE: _Meaning("no-node", _INFRASTRUCTURE, "No node of the cluster has what was asked for; ask for less, or for other hardware."),
    Log.EVICTED: _Meaning("evicted", _INFRASTRUCTURE, "The cluster removed it for others.", retry=True),
    Log.TERMINATED: _Meaning("interrupted", _INFRASTRUCTURE, "It was ended from outside.", retry=True),
    Log.PULL: _Meaning("pull", _INFRASTRUCTURE, "The base image could not be pulled.", retry=True),
    Log.BASE_IMAGE: _Meaning("base-image", _STACK, "The base image is not there, or not for us; look at its name and at who may pull it."),
    Log.FORBIDDEN: _Meaning("forbidden", _INFRASTRUCTURE, "An index or a registry did not let us in; look at the credentials."),
    Log.HASH_MISMATCH: _Meaning("hash-mismatch", _STACK, "A package is not the one that was locked; lock again, and find out why it changed."),
    Log.ARCHIVE: _Meaning("broken-archive", _INFRASTRUCTURE, "What an index gave out for a package is broken.", retry=True),
    Log.RESOLUTION: _NETWORK, Log.CONNECTION: _NETWORK, Log.TIMEOUT: _NETWORK, Log.CERTIFICATE: _NETWORK, Log.INDEX: _NETWORK, Log.METADATA: _NETWORK,
    Log.DEADLINE: _Meaning("timeout", _INFRASTRUCTURE, "It took longer than was allowed.", retry=True),
    Log.INTERPRETER: _Meaning("python-version", _STACK, "A package is for another Python than that of the image; choose another base, or lock for its Python."),
    Log.NO_VERSION: _NO_VERSION, Log.NO_PACKAGE: _NO_VERSION, Log.PLATFORM: _NO_VERSION,
    Log.CONFLICT: _Meaning("conflict", _STACK, "The packages ask for versions that exclude each other."),
    Log.PACKAGE_BUILD: _BUILD, Log.COMPILE: _BUILD, Log.NATIVE: _BUILD, Log.BUILD_DEPENDENCY: _BUILD,
    Log.UNINSTALL: _Meaning("cannot-uninstall", _STACK, "A package of the base image cannot be replaced; choose another base."),
    Log.MANAGED: _Meaning("externally-managed", _STACK, "The Python of the base image belongs to its system; choose another base."),
    Log.SYSTEM_PACKAGE: _Meaning("system-package", _STACK, "A package of the operating system is not to be had; look at its name on this base."),
    Log.LOCK: _Meaning("lock", _STACK, "The lock does not belong to the requirements; lock again."),
    Log.COMMAND: _INSTRUCTION, Log.INSTRUCTION: _INSTRUCTION, Log.INSTALLER: _INSTRUCTION, Log.STEP: _INSTRUCTION,
}  # fmt: skip
_NO_INSTALLER: Final = re.compile(
    r"\b(?:micropipenv|pipenv|pip3?|python3?|uv): (?:command )?not found|ensurepip is not available|No module named '?(?:venv|ensurepip|pip)\b"
)
_NO_PROVIDER: Final = re.compile(
    r"^\W*(?:no provider of|package) '[^']{1,200}'(?: not)? found", re.IGNORECASE | re.MULTILINE
)
"""What zypper says of a package that is not to be had; the reader of logs does not know it."""
_LOCAL: Final = re.compile(r"pinging container registry localhost: ")
"""podman asks this machine for what it would keep itself, if it had it: no registry is away."""
_ERROR: Final = re.compile(r"^\s*(?:error|e|fatal)\b[: ]", re.IGNORECASE)
_LACKS: Final = 78
"""How our installer ends if the image lacks something."""
_ENDED_SO: Final = re.compile(rf"exit (?:status|code):? {_LACKS}\b|non-zero code: {_LACKS}\b")
_OURS: Final = re.compile(r"(?:^|\s)trimtab: (\S.*)")
_OF_KIND: Final = {
    FailureKind.STACK: (_STACK, "instruction", "An instruction of the build failed.", False),
    FailureKind.TIMEOUT: (
        _INFRASTRUCTURE,
        "timeout",
        "The build took longer than was allowed; allow it more in build.timeout.",
        True,
    ),
    FailureKind.OOM: (
        _INFRASTRUCTURE,
        "out-of-memory",
        "The build needed more memory than it had; ask for more in build.requests.memory.",
        False,
    ),
    FailureKind.BASE: (_STACK, "base-image", "The base image could not be had; look at its name.", False),
    FailureKind.NETWORK: (_INFRASTRUCTURE, "network", "An index or a registry did not answer.", True),
    FailureKind.DISK: (_INFRASTRUCTURE, "disk", "There is no space left.", True),
}


def of_build(error: BaseException, log: str = "") -> Failure:
    """The failure of a build.

    What the engine knows by itself (a timeout, a kill for memory, its own end) counts more than what the log says.

    Args:
        error: What the engine's `build` raised.
        log: The build's log, or its end.
    """
    if isinstance(error, EngineLostError):
        return Failure(_INFRASTRUCTURE, "engine-lost", str(error), _end(log), retry=True)
    if isinstance(error, EngineUnavailableError):
        return Failure(_INFRASTRUCTURE, "engine-unavailable", str(error), _end(log), retry=True)
    if isinstance(error, UnmetError):
        return Failure(_INFRASTRUCTURE, "no-machine", str(error), tuple(error.reasons[:LINES]))
    if isinstance(error, RefusedError):
        return Failure(_STACK, "refused", str(error), tuple(error.reasons[:LINES]))
    if isinstance(error, BuildFailedError):
        return _of_failed(error, log or error.excerpt)
    # Anything else is a defect of ours or the machine's: never the stack's.
    return Failure(_INFRASTRUCTURE, "internal", f"{type(error).__name__}: {error}", _end(log))


def of_log(log: str) -> Failure:
    """The failure of a build of which only the log is left, as in the original's documents."""
    told = lines_of(log)
    if any(_ENDED_SO.search(line) for line in told) and (lacking := _lacking(told)):
        return lacking
    found, lines = _found(log)
    if found is None:
        return Failure(_STACK, "unknown", "The build failed, and its log does not say why.", _end(log))
    return Failure(found.kind, found.reason, found.message, lines, found.retry)


def _of_failed(error: BuildFailedError, log: str) -> Failure:
    kind, reason, message, retry = _OF_KIND[error.kind]
    if error.exit_code == _LACKS and (lacking := _lacking(lines_of(log))):
        return lacking
    found, lines = _found(log)
    if error.kind in {FailureKind.TIMEOUT, FailureKind.OOM, FailureKind.DISK} or found is None:
        return Failure(kind, reason, message, _end(log), retry)
    return Failure(found.kind, found.reason, found.message, lines, found.retry)


def _lacking(lines: list[str]) -> Failure | None:
    """What our installer said last, before it ended for what the image lacks."""
    said = [(number, match[1]) for number, line in enumerate(lines) if (match := _OURS.search(line))]
    if not said:
        return None
    number, text = said[-1]
    return Failure(
        _STACK, "image-lacks", text[:1].upper() + text[1:] + ".", tuple(lines[number : number + LINES])
    )


def _found(log: str) -> tuple[_Meaning | None, tuple[str, ...]]:
    """What broke the build, by its log, and the lines that say so."""
    breaker = parse(log[-SCANNED:]).breaker
    if breaker is None:
        return _unrecognised(lines_of(log))
    meaning = _MEANINGS[breaker.failure]
    told = "\n".join(breaker.excerpt)
    if meaning is _NETWORK and _LOCAL.search(told):
        meaning = _MEANINGS[Log.BASE_IMAGE]
    if meaning is _INSTRUCTION and _NO_PROVIDER.search(log):
        meaning = _MEANINGS[Log.SYSTEM_PACKAGE]
    if meaning is _INSTRUCTION or breaker.failure is Log.BUILD_DEPENDENCY:
        meaning = _INSTALLER_LACKS if _NO_INSTALLER.search(breaker.message) else meaning
    # Of what a tool says in several lines, the excerpt may end before the one that matters.
    return meaning, tuple(dict.fromkeys(lines_of(f"{told}\n{breaker.message}")))[:LINES]


def _unrecognised(lines: list[str]) -> tuple[_Meaning | None, tuple[str, ...]]:
    """A line that calls itself an error is better than nothing."""
    last = next((number for number in range(len(lines) - 1, -1, -1) if _ERROR.search(lines[number])), None)
    return (None, ()) if last is None else (_INSTRUCTION, tuple(lines[last : last + LINES]))


def _end(log: str) -> tuple[str, ...]:
    return tuple(lines_of(log)[-LINES:])

"""Failures of builds, from the engine's error or from the end of a log."""

import re
from dataclasses import dataclass
from typing import Final

from trimtab.engines.errors import (
    BuildFailedError,
    EngineLostError,
    EngineUnavailableError,
    FailureKind,
    RefusedError,
    UnmetError,
)
from trimtab.inspection.failure.classes import LINES, Failure, FailureClass, lines_of

__all__ = ["of_build", "of_log"]

_STACK, _INFRASTRUCTURE = FailureClass.STACK, FailureClass.INFRASTRUCTURE


@dataclass(frozen=True)
class _Sign:
    """What a log looks like that ends so: some lines, of which those from the last match on are told."""

    reason: str
    pattern: re.Pattern[str]
    kind: FailureClass
    message: str
    retry: bool = False


def _sign(reason: str, pattern: str, kind: FailureClass, message: str, *, retry: bool = False) -> _Sign:
    return _Sign(reason, re.compile(pattern, re.IGNORECASE), kind, message, retry)


# The first that is found counts: a failed push is told before the exit status that comes of it, and what a network
# did before what an installer made of it.
_SIGNS: Final = (
    _sign("disk", r"no space left on device|disk quota exceeded", _INFRASTRUCTURE, "There is no space left.", retry=True),
    _sign(
        "push", r"failed to push|error: build error: failed to push|pushing image .*failed|error pushing|push failed",
        _INFRASTRUCTURE, "The image was built, and could not be pushed to the registry.", retry=True,
    ),
    _sign(
        "no-node", r"\d+/\d+ nodes are available|failedscheduling|unschedulable", _INFRASTRUCTURE,
        "No node of the cluster has what was asked for; ask for less, or for other hardware.",
    ),
    _sign(
        "evicted", r"\bevicted\b|the node was low on resource|preempt(?:ed|ion)", _INFRASTRUCTURE,
        "The cluster removed it for others.", retry=True,
    ),
    _sign(
        "pull", r"error pulling image|failed to pull|imagepullbackoff|errimagepull|toomanyrequests|pull rate limit",
        _INFRASTRUCTURE, "The base image could not be pulled.", retry=True,
    ),
    _sign(
        "base-image", r"manifest unknown|pull access denied|no such image|invalid reference format|repository does not exist"
        r"|short-name .* did not resolve|requested access to the resource is denied|unable to copy from source|initializing source",
        _STACK, "The base image is not there, or not for us; look at its name and at who may pull it.",
    ),
    _sign(
        "hash-mismatch", r"do not match the hashes|hash mismatch|hashes do not match|hash of the package doesn't match",
        _STACK, "A package is not the one that was locked; lock again, and find out why it changed.",
    ),
    _sign(
        "out-of-memory", r"\bkilled\b.*(?:signal 9|exit (?:code|status):? 137)|exit (?:code|status):? 137|signal: killed|oomkilled|virtual memory exhausted"
        r"|cannot allocate memory|^killed$",
        _INFRASTRUCTURE, "The build needed more memory than it had; ask for more in build.requests.memory.",
    ),
    _sign(
        "network", r"temporary failure (?:resolving|in name resolution)|could not resolve (?:host|'?[\w.-]+'?)|name or service not known"
        r"|connection (?:refused|timed out|reset|broken)|max retries exceeded|network is unreachable|certificate verify failed"
        r"|tls handshake timeout|read timed out|failed to fetch .*(?:timed? ?out|connection)|http error 5\d\d|5\d\d (?:server error|bad gateway|service unavailable)",
        _INFRASTRUCTURE, "An index or a mirror did not answer.", retry=True,
    ),
    _sign(
        "timeout", r"context deadline exceeded|deadlineexceeded|activedeadlineseconds|\btimed out (?:after|waiting)|timeoutkilled",
        _INFRASTRUCTURE, "It took longer than was allowed.", retry=True,
    ),
    _sign(
        "python-version", r"interpreter resolved to python [\w.]+, which is incompatible", _STACK,
        "The lock is for another Python than that of the image; choose another base, or lock for its Python.",
    ),
    # Before the next, which is what uv calls it in the line above.
    _sign(
        "no-such-version", r"because (?:\S+ was not found in the package registry|there (?:is|are) no versions? of \S+) and you require",
        _STACK, "A package has no such version for this Python and this machine.",
    ),
    _sign(
        "conflict", r"resolutionimpossible|conflicting dependencies|has requirement .*, but you(?:'ll)? have|is incompatible with"
        r"|because .* depends on .* and|no solution found when resolving",
        _STACK, "The packages ask for versions that exclude each other.",
    ),
    # Before the next, for old installers say of a package that they could not build that there is no such version.
    _sign(
        "package-build", r"subprocess-exited-with-error|failed building wheel|command errored out|failed to build `?[\w.-]+|error: command .*(?:gcc|g\+\+|cc|clang).* failed"
        r"|metadata-generation-failed|build backend (?:returned|failed)|fatal error: .*\.h: no such file",
        _STACK, "A package has no wheel for this machine and could not be built; add what it needs to packages.",
    ),
    _sign(
        "no-such-version", r"no matching distribution found|could not find a version that satisfies|no versions of|not found in the package registry"
        r"|requires a different python|requires-python|has no wheels with a matching|no module named pip\b",
        _STACK, "A package has no such version for this Python and this machine.",
    ),
    _sign(
        "system-package", r"unable to locate package|has no installation candidate|no package .* available|unable to find a match|no match for argument"
        r"|unsatisfiable constraints|nothing provides|unmet dependencies",
        _STACK, "A package of the operating system is not to be had; look at its name on this base.",
    ),
    _sign(
        "no-installer", r"(?:micropipenv|pipenv|pip3?|python3?|uv): (?:command )?not found|ensurepip is not available|no module named (?:venv|ensurepip)",
        _STACK, "The base image lacks what installs the stack.",
    ),
    _sign("lock", r"pipfile\.lock .*out of date|hash of pipfile|lock ?file .*(?:invalid|needs to be updated)", _STACK,
          "The lock does not belong to the requirements; lock again."),
    _sign("error", r"^\s*(?:error|e|fatal)\b[: ]", _STACK, "An instruction of the build failed."),
)  # fmt: skip
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
    sign, lines = _found(told)
    if sign is None:
        return Failure(_STACK, "unknown", "The build failed, and its log does not say why.", _end(log))
    return Failure(sign.kind, sign.reason, sign.message, lines, sign.retry)


def _of_failed(error: BuildFailedError, log: str) -> Failure:
    kind, reason, message, retry = _OF_KIND[error.kind]
    if error.exit_code == _LACKS and (lacking := _lacking(lines_of(log))):
        return lacking
    sign, lines = _found(lines_of(log))
    if error.kind in {FailureKind.TIMEOUT, FailureKind.OOM, FailureKind.DISK} or sign is None:
        return Failure(kind, reason, message, _end(log), retry)
    return Failure(sign.kind, sign.reason, sign.message, lines, sign.retry)


def _lacking(lines: list[str]) -> Failure | None:
    """What our installer said last, before it ended for what the image lacks."""
    said = [(number, match[1]) for number, line in enumerate(lines) if (match := _OURS.search(line))]
    if not said:
        return None
    number, text = said[-1]
    return Failure(
        _STACK, "image-lacks", text[:1].upper() + text[1:] + ".", tuple(lines[number : number + LINES])
    )


def _found(lines: list[str]) -> tuple[_Sign | None, tuple[str, ...]]:
    for sign in _SIGNS:
        places = [number for number, line in enumerate(lines) if sign.pattern.search(line)]
        if places and len(lines) - places[-1] <= _near(sign):
            return sign, _around(lines, places)
    return None, ()


def _near(sign: _Sign) -> int:
    """How many lines from the end a sign still tells of it: a network that recovered was not the reason."""
    return 40 if sign.retry else 400


def _around(lines: list[str], places: list[int]) -> tuple[str, ...]:
    """The last place, what follows it, and what was said of the same before."""
    last = places[-1]
    start = next((place for place in places if last - place < LINES // 2), last)
    return tuple(lines[start : start + LINES])


def _end(log: str) -> tuple[str, ...]:
    return tuple(lines_of(log)[-LINES:])

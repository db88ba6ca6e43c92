"""Failures of runs, from what the engine tells of the run and what the wrapper left."""

import re
import signal as signals
from typing import Final

from trimtab.engines.request import Run
from trimtab.inspection.failure.classes import LINES, Failure, FailureClass, lines_of
from trimtab.inspection.result import RunResult
from trimtab.inspection.wrapper.main import CANNOT_WRITE

__all__ = ["of_run"]

_STACK, _SCRIPT, _INFRASTRUCTURE = FailureClass.STACK, FailureClass.SCRIPT, FailureClass.INFRASTRUCTURE
_TRACEBACK: Final = "Traceback (most recent call last):"
_IMPORT: Final = re.compile(r"^(?:\w+\.)*(?:ImportError|ModuleNotFoundError)\b")
_IMPORTING: Final = re.compile(r"^\s+(?:import|from) \w")
_LIBRARY: Final = re.compile(
    r"cannot open shared object file|undefined symbol|version `?(?:GLIBC|GLIBCXX|CXXABI)\S* not found"
    r"|error while loading shared libraries|compiled against (?:API|ABI) version|numpy\.dtype size changed",
    re.IGNORECASE,
)
_CRASHES: Final = {signals.SIGSEGV, signals.SIGBUS, signals.SIGABRT, signals.SIGFPE}
_CANNOT_START: Final = frozenset({126, 127})
_OUT_OF_MEMORY: Final = "It needed more memory than it had; ask for more in run.requests.memory."


def of_run(run: Run | None, result: RunResult | None, *, proved: bool | None = None) -> Failure | None:
    """The failure of a run; None if it went well.

    A time or memory limit that was asked for and kept is the infrastructure's doing, and says nothing of the stack; but
    to try again with the same limit is no use.

    Args:
        run: How it ended, by the engine; None if that is not known, as of documents read back.
        result: The wrapper's document; None if it left none.
        proved: Whether the document has the proof of the run's token; None if none was asked for.
    """
    if run is not None and run.lost is not None:
        return Failure(_INFRASTRUCTURE, "lost", f"The run was lost: {run.lost}", retry=True)
    if result is None:
        return _without_document(run)
    if proved is False:
        return Failure(
            _SCRIPT, "unproved", "The document is not the wrapper's: the script, or somebody else, wrote it."
        )
    if result.succeeded and (run is None or not run.timed_out):
        return None
    return _by_limits(run, result) or _by_script(result)


def _without_document(run: Run | None) -> Failure:
    if run is None:
        return Failure(_INFRASTRUCTURE, "no-document", "The run left no document.", retry=True)
    if run.oom_killed:
        return Failure(_INFRASTRUCTURE, "out-of-memory", _OUT_OF_MEMORY)
    if run.timed_out:
        return Failure(
            _INFRASTRUCTURE, "timeout", "It took longer than was allowed; allow it more in run.timeout."
        )
    if run.exit_code == CANNOT_WRITE:
        return Failure(_INFRASTRUCTURE, "disk", "The wrapper could not write the run's document.", retry=True)
    if run.exit_code in _CANNOT_START:
        message = "The image cannot run the wrapper: it needs /bin/sh, and a Python 3.6 or the usual tools of a shell."
        return Failure(_STACK, "no-shell", message)
    return Failure(
        _INFRASTRUCTURE, "no-document", "The run left no document; its wrapper was killed.", retry=True
    )


def _by_limits(run: Run | None, result: RunResult) -> Failure | None:
    lines = _said(result)
    if result.timed_out or (run is not None and run.timed_out):
        message = "It took longer than was allowed; allow it more in run.timeout."
        return Failure(_INFRASTRUCTURE, "timeout", message, lines)
    if result.out_of_memory or (run is not None and run.oom_killed):
        return Failure(_INFRASTRUCTURE, "out-of-memory", _OUT_OF_MEMORY, lines)
    if result.interrupted_by is not None:
        message = f"It was ended from outside, by signal {result.interrupted_by}."
        return Failure(_INFRASTRUCTURE, "interrupted", message, lines, retry=True)
    if result.signal == signals.SIGKILL:
        return Failure(_INFRASTRUCTURE, "killed", "Something outside of it killed it.", lines, retry=True)
    return None


def _by_script(result: RunResult) -> Failure:
    lines = _said(result)
    if result.error is not None:
        kind = _STACK if "no Python 3 was found" in result.error else _SCRIPT
        return Failure(kind, "not-started", result.error)
    if result.signal is not None:
        return _by_signal(result.signal, lines)
    if broken := _broken(lines):
        return broken
    return Failure(_SCRIPT, "exit-code", f"The script ended with exit code {result.exit_code}.", lines)


def _by_signal(number: int, lines: tuple[str, ...]) -> Failure:
    if number == signals.SIGILL:
        message = (
            "A package has instructions that this processor has not; take a build for it, or other hardware."
        )
        return Failure(_STACK, "illegal-instruction", message, lines)
    if number in _CRASHES:
        message = f"It crashed with {signals.Signals(number).name}, as native code does; look at the packages that have some."
        return Failure(_STACK, "crash", message, lines)
    return Failure(_SCRIPT, "signal", f"The script was ended by signal {number}.", lines)


def _broken(lines: tuple[str, ...]) -> Failure | None:
    """Packages that cannot be imported, or do not fit the system or each other."""
    if any(_LIBRARY.search(line) for line in lines):
        return Failure(
            _STACK, "library", "A package does not fit the system's libraries, or another package.", lines
        )
    last = lines[-1] if lines else ""
    if _IMPORT.match(last) or (lines[:1] == (_TRACEBACK,) and any(_IMPORTING.match(line) for line in lines)):
        return Failure(_STACK, "import", "A package cannot be imported.", lines)
    return None


def _said(result: RunResult) -> tuple[str, ...]:
    """The last traceback, its middle left out where it is long; or the last lines, of standard error if there are any."""
    lines = lines_of(result.stderr or "") or lines_of(result.output)
    starts = [number for number, line in enumerate(lines) if line == _TRACEBACK]
    if not starts:
        return tuple(lines[-LINES:])
    trace = lines[starts[-1] :]
    ends = [number for number, line in enumerate(trace) if number and not line.startswith(" ")]
    trace = trace[: ends[0] + 2] if ends else trace
    return tuple(trace if len(trace) <= LINES else [*trace[:5], "  …", *trace[-(LINES - 6) :]])

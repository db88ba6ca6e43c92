"""Why something failed: the stack, the script, or the infrastructure."""

from collections.abc import Mapping
from typing import Any

from trimtab.engines import (
    BuildFailedError,
    EngineError,
    EngineLostError,
    EngineUnavailableError,
    FailureKind,
    RefusedError,
    Run,
)
from trimtab.store import FailureReport

__all__ = ["is_passing", "of_build", "of_run"]

LINES, LENGTH = 20, 500
_PASSING = (FailureKind.BASE, FailureKind.NETWORK)


def of_build(error: EngineError) -> FailureReport:
    """Why a build failed."""
    if isinstance(error, RefusedError):
        return {"kind": "stack", "reason": str(error), "lines": list(error.reasons)}
    if isinstance(error, BuildFailedError):
        kind = "stack" if error.kind is FailureKind.STACK else "infrastructure"
        return {"kind": kind, "reason": _words(error), "lines": _lines(error.excerpt)}
    return {"kind": "infrastructure", "reason": str(error), "lines": []}


def is_passing(error: EngineError) -> bool:
    """Whether trying once more may help: it does not where a limit, or the stack, was the cause."""
    if isinstance(error, BuildFailedError):
        return error.kind in _PASSING
    return isinstance(error, EngineLostError | EngineUnavailableError)


def of_run(run: Run, result: Mapping[str, Any] | None, exit_code: int | None) -> FailureReport | None:
    """Why a run failed; None: it did not."""
    if run.lost is not None:
        return {"kind": "infrastructure", "reason": run.lost, "lines": []}
    if exit_code == 0 and not run.timed_out:
        return None
    return {"kind": "script", "reason": _ending(run, result, exit_code), "lines": _said(run, result)}


def _ending(run: Run, result: Mapping[str, Any] | None, exit_code: int | None) -> str:
    told = result or {}
    if run.timed_out or told.get("timed_out"):
        return "the script took longer than run.timeout allows"
    if run.oom_killed:
        return "the script needed more memory than run.requests.memory allows"
    if isinstance(error := told.get("error"), str):
        return error
    number = run.signal or told.get("signal")
    return f"the script was ended by signal {number}" if number else f"the script ended with {exit_code}"


def _said(run: Run, result: Mapping[str, Any] | None) -> list[str]:
    said = (result or {}).get("stderr")
    if isinstance(said, str) and said.strip():
        return _lines(said)
    try:
        with run.log.open("rb") as file:
            file.seek(max(0, run.log.stat().st_size - LINES * LENGTH))
            return _lines(file.read().decode(errors="replace"))
    except OSError:
        return []


def _words(error: BuildFailedError) -> str:
    code = "" if error.exit_code is None else f", exit code {error.exit_code}"
    lines = _lines(error.excerpt)
    return f"the build failed ({error.kind}{code}): {lines[-1] if lines else 'it printed nothing'}"


def _lines(text: str) -> list[str]:
    return [line[:LENGTH] for line in text.splitlines() if line.strip()][-LINES:]

"""Why something failed, as an inspection's report has it."""

from collections.abc import Mapping
from typing import Any

from trimtab.engines import EngineError, Run
from trimtab.inspection import failure
from trimtab.inspection.failure import Failure
from trimtab.inspection.result import ResultError, RunResult
from trimtab.store import FailureReport
from trimtab.workflows.outcome import FORGED

__all__ = ["is_transient", "of_build", "of_run"]


def of_build(error: EngineError) -> FailureReport:
    """Why a build failed."""
    return _report(failure.of_build(error))


def is_transient(error: EngineError) -> bool:
    """Whether trying once more may help."""
    return failure.of_build(error).retry


def of_run(run: Run, result: Mapping[str, Any] | None) -> FailureReport | None:
    """Why a run failed; None: it did not.

    Args:
        run: How it ended.
        result: Its document, or what stands for it; None if the infrastructure lost the run.
    """
    try:
        found = _found(run, result or {})
    except ResultError as error:
        return {"kind": "script", "reason": f"its result is no result: {error}", "lines": []}
    return None if found is None else _report(found)


def _found(run: Run, result: Mapping[str, Any]) -> Failure | None:
    if result.get("proof"):
        return failure.of_run(run, RunResult.load(result))
    if result.get("error") == FORGED:
        return failure.of_run(run, RunResult.load(result), proved=False)
    return failure.of_run(run, None)


def _report(found: Failure) -> FailureReport:
    return {"kind": str(found.kind), "reason": found.message, "lines": list(found.lines)}

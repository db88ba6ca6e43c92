"""How an inspection ended: the document that the original has not, beside those it has.

Rows of the catalog come from documents; state, owner, engine and what was lost are in none of the original's. Every key
may be absent: readers know older documents, and those of the original have no report at all.
"""

from collections.abc import Mapping
from typing import Any, TypedDict

__all__ = ["BuildReport", "FailureReport", "Report", "RunReport", "engine_of"]


class FailureReport(TypedDict, total=False):
    """Why something failed."""

    kind: str  # stack, script or infrastructure
    reason: str
    lines: list[str]  # those of the log that matter


class BuildReport(TypedDict, total=False):
    """What was built."""

    reference: str
    digest: str | None
    cached: bool
    seconds: float
    size: int | None  # bytes of the environment, or of the image with its base
    left_out: list[str]  # what the engine has no use for, and went on without


class RunReport(TypedDict, total=False):
    """One run, also one that left no result."""

    item: int
    attempt: int  # from 1; more than one, if the infrastructure lost the others
    state: str  # succeeded, failed or lost
    exit_code: int | None
    signal: int | None
    timed_out: bool
    oom_killed: bool
    lost: str | None  # why the infrastructure lost it
    started: str  # ISO 8601, UTC
    ended: str
    failure: FailureReport | None
    notes: list[str]  # what was not as asked: a limit that could not be enforced, output cut off


class Report(TypedDict, total=False):
    """How an inspection ended. Written once."""

    inspection_id: str
    state: str  # succeeded, build_failed, failed, expired or cancelled
    owner: str
    engine: dict[str, Any]  # name, version, what it enforces, warnings
    created: str  # ISO 8601, UTC
    started: str
    ended: str
    build: BuildReport | None
    runs: list[RunReport]
    failure: FailureReport | None
    objects: dict[
        str, int
    ]  # what was stored before it, with the size in bytes: what is missing later was lost


def engine_of(report: Mapping[str, Any]) -> str | None:
    """Name of the engine that made an inspection; None: its report does not tell."""
    engine = report.get("engine")
    name = engine.get("name") if isinstance(engine, Mapping) else None
    return name if isinstance(name, str) else None

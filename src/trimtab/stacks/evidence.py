"""What trying a stack showed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trimtab.stacks.proposal import Verdict
from trimtab.stacks.stack import Stack

__all__ = ["Evidence", "Failure"]


@dataclass(frozen=True)
class Failure:
    """Why a stack failed.

    Attributes:
        reason: Class of the failure, as `trimtab.inspection` names it.
        phase: `build` or `run`.
        message: The line of the log that says it.
        package: The package it names, if it names one.
    """

    reason: str
    phase: str
    message: str
    package: str | None = None


@dataclass(frozen=True)
class Evidence:
    """What trying a stack showed.

    Attributes:
        stack: What was tried.
        verdict: Whether it works; unknown: the infrastructure failed, which says nothing of the stack.
        inspection: Id of the inspection, if there was one.
        failure: Why it failed.
        figures: Values by metric, one for each run: `duration` (seconds), `memory` (peak, bytes), `size` (of the environment or
            image, bytes, the same for each run), and `result.*` for numbers that the script printed.
        hardware: The hardware group that the runs ran on.
    """

    stack: Stack
    verdict: Verdict
    inspection: str | None = None
    failure: Failure | None = None
    figures: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    hardware: str | None = None

"""In which states an inspection and a run can be."""

from enum import StrEnum

__all__ = ["TERMINAL", "InspectionState", "RunState"]


class InspectionState(StrEnum):
    """Where an inspection is."""

    QUEUED = "queued"
    """Accepted; nothing was started yet."""
    BUILDING = "building"
    """Its stack is being built."""
    RUNNING = "running"
    """Its runs are under way."""
    SUCCEEDED = "succeeded"
    """It was built, and all runs ended with 0."""
    BUILD_FAILED = "build_failed"
    """It could not be built; there are no runs."""
    FAILED = "failed"
    """It was built, and a run failed or was lost."""
    EXPIRED = "expired"
    """It waited longer than was allowed."""
    CANCELLED = "cancelled"
    """Somebody did not want it any more."""


TERMINAL = frozenset(
    {
        InspectionState.SUCCEEDED,
        InspectionState.BUILD_FAILED,
        InspectionState.FAILED,
        InspectionState.EXPIRED,
        InspectionState.CANCELLED,
    }
)


class RunState(StrEnum):
    """How a run ended, or that it has not yet."""

    RUNNING = "running"
    """It was begun. Whoever takes over from a process that died counts it as lost."""
    SUCCEEDED = "succeeded"
    """It ended with 0."""
    FAILED = "failed"
    """It ended with another code, or was ended."""
    LOST = "lost"
    """The infrastructure lost it: there is no result."""

"""Inspections: what is asked for, what an image is built from, how a run is recorded, and what is made of the batch.

Names are imported when they are first used: what an image's runs need imports nothing of this process.
"""

from typing import TYPE_CHECKING

from trimtab.exports import lazily

if TYPE_CHECKING:
    from trimtab.inspection.comparison import Comparison, compare
    from trimtab.inspection.context import Context, build_request, write_context
    from trimtab.inspection.context.containerfile import containerfile
    from trimtab.inspection.failure import Failure
    from trimtab.inspection.frames import frame
    from trimtab.inspection.identity import inspection_id
    from trimtab.inspection.result import RunResult
    from trimtab.inspection.specification import Defaults, Problem, Specification, SpecificationError
    from trimtab.inspection.statistics import BatchStatistics, describe

_HOMES = {
    "comparison": ("Comparison", "compare"),
    "context": ("Context", "build_request", "containerfile", "write_context"),
    "failure": ("Failure",),
    "frames": ("frame",),
    "identity": ("inspection_id",),
    "result": ("RunResult",),
    "specification": ("Defaults", "Problem", "Specification", "SpecificationError"),
    "statistics": ("BatchStatistics", "describe"),
}

__all__ = [
    "BatchStatistics",
    "Comparison",
    "Context",
    "Defaults",
    "Failure",
    "Problem",
    "RunResult",
    "Specification",
    "SpecificationError",
    "build_request",
    "compare",
    "containerfile",
    "describe",
    "frame",
    "inspection_id",
    "write_context",
]

__getattr__ = lazily(__name__, _HOMES)

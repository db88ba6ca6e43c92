"""Inspections: what is asked for, what an image is built from, how a run is recorded, and what is made of the batch.

Names are imported when they are first used: what an image's runs need imports nothing of this process.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trimtab.inspection.comparison import Comparison, compare
    from trimtab.inspection.context import Context, build_request, write_context
    from trimtab.inspection.context.containerfile import containerfile
    from trimtab.inspection.frames import frame
    from trimtab.inspection.identity import inspection_id
    from trimtab.inspection.specification import Defaults, Problem, Specification, SpecificationError
    from trimtab.inspection.statistics import BatchStatistics, describe

_HOMES = {
    "comparison": ("Comparison", "compare"),
    "context": ("Context", "build_request", "containerfile", "write_context"),
    "frames": ("frame",),
    "identity": ("inspection_id",),
    "specification": ("Defaults", "Problem", "Specification", "SpecificationError"),
    "statistics": ("BatchStatistics", "describe"),
}

__all__ = [
    "BatchStatistics",
    "Comparison",
    "Context",
    "Defaults",
    "Problem",
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


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""The result document of a run: ours, and those of the original, read back without loss."""

from trimtab.inspection.result.document import (
    Distribution,
    Interpreter,
    OperatingSystem,
    RunResult,
    RuntimeEnvironment,
    Usage,
)
from trimtab.inspection.result.reading import LARGEST, ResultError, largest, parse
from trimtab.inspection.wrapper.proof import proved

__all__ = [
    "LARGEST",
    "Distribution",
    "Interpreter",
    "OperatingSystem",
    "ResultError",
    "RunResult",
    "RuntimeEnvironment",
    "Usage",
    "largest",
    "parse",
    "proved",
]

"""What is asked for: the specification, its parts, its limits."""

from trimtab.inspection.specification.contents import HOME, SourceFile, Variable
from trimtab.inspection.specification.document import Defaults, Specification
from trimtab.inspection.specification.paths import is_at_home
from trimtab.inspection.specification.problems import Problem, SpecificationError
from trimtab.inspection.specification.quantity import cores, octets
from trimtab.inspection.specification.resources import (
    BuildPhase,
    BuildRequests,
    Hardware,
    Isolation,
    Requests,
    RunPhase,
    RunRequests,
    Toleration,
)
from trimtab.inspection.specification.stack import LockFiles, PythonStack

__all__ = [
    "HOME",
    "BuildPhase",
    "BuildRequests",
    "Defaults",
    "Hardware",
    "Isolation",
    "LockFiles",
    "Problem",
    "PythonStack",
    "Requests",
    "RunPhase",
    "RunRequests",
    "SourceFile",
    "Specification",
    "SpecificationError",
    "Toleration",
    "Variable",
    "cores",
    "is_at_home",
    "octets",
]

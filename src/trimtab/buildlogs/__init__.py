"""Build logs: what a log says of what was installed, in which steps, and why it failed.

Nothing of a log is executed; what it names is its own word.
"""

from trimtab.buildlogs.classes import FailureClass, Kind
from trimtab.buildlogs.findings import Error, Install, Requirement, Step, SystemPackage
from trimtab.buildlogs.legacy import HANDLERS, legacy
from trimtab.buildlogs.log import Parser, parse
from trimtab.buildlogs.result import Result

__all__ = [
    "HANDLERS",
    "Error",
    "FailureClass",
    "Install",
    "Kind",
    "Parser",
    "Requirement",
    "Result",
    "Step",
    "SystemPackage",
    "legacy",
    "parse",
]

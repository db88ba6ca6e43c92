"""Why an inspection's build or run failed: for the stack, the script, or the infrastructure."""

from trimtab.inspection.failure.build import of_build, of_log
from trimtab.inspection.failure.classes import Failure, FailureClass
from trimtab.inspection.failure.run import of_run

__all__ = ["Failure", "FailureClass", "of_build", "of_log", "of_run"]

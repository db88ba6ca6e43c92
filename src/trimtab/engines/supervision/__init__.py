"""Programs of which nothing is left behind, whatever they start and whoever is killed."""

from trimtab.engines.supervision.program import Ending, Program, SupervisionError, supervise

__all__ = ["Ending", "Program", "SupervisionError", "supervise"]

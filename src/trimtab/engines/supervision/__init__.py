"""Programs of which nothing is left behind, whatever they start and whoever is killed."""

from trimtab.engines.supervision.program import Ending, Program, SupervisionError, Supervisor, supervise

__all__ = ["Ending", "Program", "SupervisionError", "Supervisor", "supervise"]

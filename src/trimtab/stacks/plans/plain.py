"""What plans have in common that learn nothing from what came of their proposals."""

from trimtab.stacks.evidence import Evidence
from trimtab.stacks.proposal import Proposal
from trimtab.stacks.stack import Stack

__all__ = ["Plain"]


class Plain:
    """A plan that goes its way whatever comes of it."""

    window = 16
    over = False

    def resolved(self, proposal: Proposal, stack: Stack | None) -> None:
        """Nothing follows from it."""

    def tell(self, evidence: Evidence) -> None:
        """Nothing follows from it."""

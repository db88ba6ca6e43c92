"""What a plan asks the resolver for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from trimtab.stacks.stack import Stack

if TYPE_CHECKING:
    from trimtab.stacks.evidence import Evidence

__all__ = ["Plan", "Proposal", "Verdict"]


class Verdict(StrEnum):
    """What trying a stack showed."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    UNKNOWN = "unknown"
    """It could not be tried: the infrastructure failed. This says nothing of the stack."""


@dataclass(frozen=True)
class Proposal:
    """Constraints under which a stack is asked for.

    Attributes:
        reason: What it is for, in a few words.
        constraints: Specifier by name: `{"six": "==1.16.0"}`. They bind whatever brings the package in, and bring none in
            themselves.
        prefer: Version by name of what stays as it is, unless a constraint forbids it.
        resolution: Which versions are taken first; as uv has it.
        otherwise: What is asked for instead, where nothing satisfies this.
    """

    reason: str
    constraints: Mapping[str, str] = field(default_factory=dict)
    prefer: Mapping[str, str] = field(default_factory=dict)
    resolution: Literal["highest", "lowest", "lowest-direct"] = "highest"
    otherwise: "Proposal | None" = None


@runtime_checkable
class Plan(Protocol):
    """An order in which stacks are asked for. It is pure: no clock, no I/O, and deterministic from its seed.

    It is used so: `propose` until it returns None or `window` proposals are open; then `resolved` for each of them, in
    their order; and `tell`, whenever a stack was tried. A plan that needs a verdict proposes nothing until it has it; one
    that searches by what was measured does the same, and has a window of 1.
    """

    @property
    def window(self) -> int:
        """How many proposals may be open. It belongs to the plan, not to the machine: the same seed, the same stacks."""
        ...

    @property
    def over(self) -> bool:
        """Whether nothing more is wanted, not even what was resolved ahead."""
        ...

    def propose(self) -> Proposal | None:
        """What to ask for next; None: nothing more, or nothing before a verdict is told."""
        ...

    def resolved(self, proposal: Proposal, stack: Stack | None) -> None:
        """Take note of what came of a proposal; None: no stack satisfies it, or the sieves leave none."""
        ...

    def tell(self, evidence: "Evidence") -> None:
        """Take note of what trying a stack showed."""
        ...

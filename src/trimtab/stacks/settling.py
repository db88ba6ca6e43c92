"""From a proposal to a stack that the sieves leave."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from trimtab.stacks.exclusion import Exclusion
from trimtab.stacks.oracle import Oracle
from trimtab.stacks.proposal import Proposal
from trimtab.stacks.sieves.sieve import Sieve
from trimtab.stacks.stack import Refusal, Stack

__all__ = ["Settled", "settle"]

_ROUNDS = 12


@dataclass(frozen=True)
class Settled:
    """What came of a proposal.

    Attributes:
        stack: None: there is none.
        reason: What the stack is for; of what was proposed otherwise, if that gave it.
        refusal: The resolver's last answer that there is none.
        exclusions: What the sieves kept out on the way.
    """

    stack: Stack | None
    reason: str
    refusal: Refusal | None = None
    exclusions: tuple[Exclusion, ...] = ()


async def settle(oracle: Oracle, sieves: Sequence[Sieve], proposal: Proposal) -> Settled:
    """Ask for a stack; while a sieve keeps one of its packages out, ask for one without that; else for what is proposed otherwise.

    Raises:
        IndexUnavailableError: An index does not answer.
        ResolverError: uv did not come to an end.
    """
    exclusions: list[Exclusion] = []
    refusal: Refusal | None = None
    step: Proposal | None = proposal
    while step is not None:
        found = await _one(oracle, sieves, step, exclusions)
        if isinstance(found, Stack):
            return Settled(found, step.reason, None, tuple(exclusions))
        refusal = found or refusal
        step = step.otherwise
    return Settled(None, proposal.reason, refusal, tuple(exclusions))


async def _one(
    oracle: Oracle, sieves: Sequence[Sieve], proposal: Proposal, exclusions: list[Exclusion]
) -> Stack | Refusal | None:
    for _ in range(_ROUNDS):
        answer = await oracle.ask(proposal)
        if isinstance(answer, Refusal):
            return answer
        exclusion = await _kept_out(sieves, answer)
        if exclusion is None:
            return answer
        if exclusion not in exclusions:
            exclusions.append(exclusion)
        if len(exclusion.packages) > 1:
            return None  # no constraint says "not these two together"
        proposal = _without(proposal, exclusion)
    return None


async def _kept_out(sieves: Sequence[Sieve], stack: Stack) -> Exclusion | None:
    for sieve in sieves:
        if exclusion := await sieve.stack(stack):
            return exclusion
    return None


def _without(proposal: Proposal, exclusion: Exclusion) -> Proposal:
    constraints = dict(proposal.constraints)
    for name, version in exclusion.packages.items():
        bound = constraints.get(name)
        constraints[name] = f"{bound},!={version}" if bound else f"!={version}"
    return replace(proposal, constraints=constraints)

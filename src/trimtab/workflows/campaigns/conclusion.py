"""What a plan found, and why a campaign ends: in words, and as JSON."""

from collections.abc import Sequence
from typing import Any

from trimtab.stacks import Bisect, Breaker, Breakers, Evidence, Newest, Plan, Space, Verdict

__all__ = ["conclusion", "in_words", "is_hopeless"]

HOPELESS = 6
"""Stacks that fail alike before it is not the versions."""


def conclusion(plan: Plan) -> dict[str, Any] | None:
    """What a plan found out by itself; None: it finds nothing out, or nothing yet."""
    if isinstance(plan, Bisect) and plan.culprit:
        return {"culprits": [list(each) for each in plan.culprit.versions], "alone": plan.culprit.alone}
    if isinstance(plan, Newest) and plan.found:
        return {"newest": plan.found.digest, "packages": dict(plan.found.pins)}
    if isinstance(plan, Breakers):
        return {
            "breakers": list(map(_breaker, plan.found)),
            "unexplained": plan.unexplained,
            "pairs": plan.total,
            "pairs_left": plan.left,
        }
    return None


def in_words(plan: Plan) -> str:
    """Why there is nothing more to try."""
    if isinstance(plan, Bisect) and plan.culprit:
        return f"it breaks at {', '.join(' '.join(each) for each in plan.culprit.versions)}"
    if isinstance(plan, Newest) and plan.found:
        return f"the newest stack that passes is {plan.found.digest[:12]}"
    if isinstance(plan, Breakers):
        found = "; ".join(f"{each} {each.symptom}" for each in plan.found)
        seen = f"{plan.total - plan.left} of {plan.total} pairs of versions are accounted for"
        return f"{found or 'nothing breaks'}; {seen}"
    return "the plan has no more stacks"


def is_hopeless(space: Space, tried: Sequence[Evidence]) -> bool:
    """Whether it is not the versions: many stacks failed alike, none passed, and no version was in all of them."""
    known = [each for each in tried if each.verdict is not Verdict.UNKNOWN]
    if len(known) < HOPELESS or any(each.verdict is Verdict.PASS for each in known):
        return False
    signs = {
        (each.failure.reason, each.failure.phase, each.failure.message) for each in known if each.failure
    }
    stacks = [each.stack.pins for each in known]
    chosen = [each.name for each in space if len(each.versions) > 1]
    varied = all(len({pins.get(name) for pins in stacks}) > 1 for name in chosen)
    return len(signs) == 1 and bool(chosen) and varied


def _breaker(breaker: Breaker) -> dict[str, Any]:
    return {
        "symptom": breaker.symptom,
        "packages": dict(breaker.pins),
        "stacks": breaker.stacks,
        "beside": dict(breaker.beside),
    }

"""What was found, in plain words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trimtab.pages.numbers import number, percent, quantity, signed_percent
from trimtab.stacks.answers.breakage import Breaker, Cause
from trimtab.stacks.answers.document import Answers
from trimtab.stacks.answers.effects import Effect
from trimtab.stacks.answers.excess import Outliers
from trimtab.stacks.answers.ranking import Best, Ranked
from trimtab.stacks.evidence import Evidence

__all__ = [
    "UNITS",
    "Change",
    "best_of",
    "certainty",
    "change",
    "differences",
    "headline",
    "next_stack",
    "shown",
    "tried",
]

UNITS = {"duration": "s", "memory": "bytes", "size": "bytes"}
_LEAST_CERTAIN = 0.999
_DIGEST = 12


@dataclass(frozen=True)
class Change:
    """A package of the best stack that is not what the baseline has."""

    name: str
    before: str | None
    after: str | None


def shown(value: float | None, metric: str) -> str:
    """A figure with its unit."""
    return quantity(value, UNITS.get(metric, ""))


def headline(answers: Answers) -> str:
    """The result in half a line."""
    sure = [each for each in answers.breakers.found if each.sure]
    if sure:
        return f"{sure[0].causes[0]} breaks"
    if answers.breakers.found:
        return f"It may be {answers.breakers.found[0].causes[0]}"
    if answers.breakers.failed:
        return f"{answers.breakers.failed} stacks fail, and nothing explains it"
    first = next(iter(answers.best), None)
    if first is not None and first.verdict == "best":
        return "One stack is the best"
    return "Every stack passed" if answers.breakers.passed else "Nothing was tried"


def tried(answers: Answers) -> str:
    """How many stacks, and what became of them."""
    found = answers.breakers
    parts = [f"{found.passed} passed", f"{found.failed} failed"]
    if found.unknown:
        parts.append(f"{found.unknown} could not be tried, which says nothing of them")
    return f"{len({each.stack.digest for each in answers.evidence})} stacks: " + ", ".join(parts) + "."


def certainty(cause: Cause) -> str:
    """How sure a cause is."""
    share = cause.confidence
    sure = "above 99.9 %" if share > _LEAST_CERTAIN else percent(share)
    exceptions = f"; {len(cause.exceptions)} with it passed all the same" if cause.exceptions else ""
    return f"explains {len(cause.failed)} failures; probability {sure}{exceptions}"


def next_stack(breaker: Breaker) -> str:
    """The stack that would tell more."""
    if breaker.next is None:
        return ""
    return ", ".join(f"{name}{each}" for name, each in breaker.next.constraints.items())


def worse(found: Outliers, metric: str) -> str:
    """How far some stacks are from the others."""
    return f"{number(found.ratio, 3)} times the {metric} of the others, in {len(found.stacks)} stacks"


def best_of(found: Best, metric: str) -> str:
    """Which stack is the best, in a sentence."""
    first = found.ranking[0]
    name = first.evidence.stack.digest[:_DIGEST]
    middle = f"{shown(first.estimate, metric)} ({shown(first.low, metric)} to {shown(first.high, metric)})"
    match found.verdict:
        case "best":
            return f"{name} is the best of {len(found.ranking)}: {middle}, with probability {percent(first.probability)}."
        case "among the first":
            return f"The best is among the first {found.first} of {len(found.ranking)} with 95 % confidence; first is {name}: {middle}."
        case "no difference shown":
            return f"No difference between {len(found.ranking)} stacks is shown: they spread no more than their runs do."
        case _:
            return "There are not enough runs to compare: each stack needs two or more, and there need to be two stacks."


def change(effect: Effect, metric: str) -> str:
    """What a range of versions does."""
    if effect.ratio:
        size = (
            f"{signed_percent(effect.change)} ({signed_percent(effect.low)} to {signed_percent(effect.high)})"
        )
    else:
        size = f"{shown(effect.change, metric)} ({shown(effect.low, metric)} to {shown(effect.high, metric)})"
    alike = f"; or {', '.join(effect.alike)}, whose versions go with it" if effect.alike else ""
    return f"{size} in {effect.stacks} stacks{alike}"


def differences(each: Ranked | Evidence, baseline: Mapping[str, str]) -> Iterator[Change]:
    """What a stack has other than the baseline."""
    pins = (each.evidence if isinstance(each, Ranked) else each).stack.pins
    for name in sorted({*pins, *baseline}):
        if pins.get(name) != baseline.get(name):
            yield Change(name, baseline.get(name), pins.get(name))

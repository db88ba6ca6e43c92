"""The stack that would tell hypotheses apart."""

from collections.abc import Iterable, Mapping, Sequence

from trimtab.stacks.answers.hypotheses import Hypothesis
from trimtab.stacks.answers.matrix import Literal, Matrix
from trimtab.stacks.proposal import Proposal

__all__ = ["telling"]

_HALF = 0.5


def telling(matrix: Matrix, hypotheses: Sequence[Hypothesis], failed: int, passed: int) -> Proposal | None:
    """A stack in which hypotheses of about half the probability hold, and the others do not.

    Whether it fails or passes, half of them are gone. Where there is one hypothesis left, the stack has its versions, and of all
    else such as never was in a stack that failed: if it fails, nothing else is needed for it. Whether there is such a stack, only
    the resolver knows.

    Args:
        matrix: All stacks.
        hypotheses: Those that are left.
        failed: Set of the stacks that they explain.
        passed: Set of the stacks that passed.
    """
    failing = matrix.pins[_likest(matrix, failed, passed)]
    good = sorted(
        (matrix.pins[row] for row in matrix.rows(passed)),
        key=lambda pins: len(failing.items() - pins.items()),
    )
    literals = {each.name: each for hypothesis in hypotheses for each in hypothesis.literals}
    others = _others(matrix, literals.values(), good) if len(hypotheses) > 1 else {}
    outside = _split(hypotheses, sorted(others))
    if not outside and len(hypotheses) > 1:
        return None
    versions = {name: others[name] if name in outside else failing[name] for name in sorted(literals)}
    base = {**(good[0] if good else {}), **({} if outside else _strange(matrix, failed))}
    prefer = {name: version for name, version in base.items() if name not in versions}
    constraints = {name: f"=={version}" for name, version in versions.items()}
    return Proposal("tells what is the cause", constraints, prefer)


def _strange(matrix: Matrix, failed: int) -> dict[str, str]:
    """By package a version outside of the range that the stacks that failed have; the newest such."""
    found = {}
    for name, column in matrix.columns.items():
        tight = column.around(failed)
        if tight and tight.high + 1 < len(column.versions):
            found[name] = column.versions[-1]
        elif tight and tight.low:
            found[name] = column.versions[0]
    return found


def _split(hypotheses: Sequence[Hypothesis], free: Sequence[str]) -> set[str]:
    """The packages to change, so that about half of the probability is left to fail."""
    total = sum(each.probability for each in hypotheses)
    outside: set[str] = set()
    for _ in free:
        trials = [outside | {name} for name in free if name not in outside]
        best = min(trials, key=lambda trial: (abs(_mass(hypotheses, trial) - total * _HALF), sorted(trial)))
        now, then = (abs(_mass(hypotheses, each) - total * _HALF) for each in (outside, best))
        if outside and then >= now:
            break
        if _mass(hypotheses, best) == 0 and len(hypotheses) > 1 and outside:
            break
        outside = best
    return outside


def _mass(hypotheses: Sequence[Hypothesis], outside: set[str]) -> float:
    return sum(each.probability for each in hypotheses if not each.names & outside)


def _likest(matrix: Matrix, failed: int, passed: int) -> int:
    """The stack that failed with the fewest differences from one that passed."""
    good = [matrix.pins[row].items() for row in matrix.rows(passed)]
    rows = list(matrix.rows(failed))
    return min(rows, key=lambda row: min((len(matrix.pins[row].items() - each) for each in good), default=0))


def _others(matrix: Matrix, literals: Iterable[Literal], good: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """By package a version outside of its range, of the stack that passed and is most like the failing one."""
    found = {}
    for each in literals:
        inside = matrix.columns[each.name].versions[each.low : each.high + 1]
        versions = (pins[each.name] for pins in good if pins.get(each.name, inside[0]) not in inside)
        if version := next(versions, None):
            found[each.name] = version
    return found

"""All answers together, as JSON has them: what a report is made of, and what programs read."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from trimtab.stacks.answers.breakage import Breaker, Breakers, breakers
from trimtab.stacks.answers.effects import Effect, Importance, importance
from trimtab.stacks.answers.excess import Outliers, outliers
from trimtab.stacks.answers.front import Front, pareto
from trimtab.stacks.answers.objective import Objective
from trimtab.stacks.answers.ranking import Best, Ranked, best
from trimtab.stacks.evidence import Evidence
from trimtab.stacks.proposal import Proposal

__all__ = ["SCHEMA", "Answers", "answer"]

SCHEMA = "trimtab/answers/1"
_RANKED = 100
_POINTS = 500


@dataclass(frozen=True)
class Answers:
    """What a campaign showed.

    Attributes:
        objective: What is best.
        evidence: What was tried.
        breakers: Which versions break.
        outliers: Which are far worse.
        best: The best stack, by kind of hardware.
        fronts: Stacks that nothing beats in size, time and memory, by kind of hardware.
        importance: Which versions matter for the objective; None: there is not enough to say.
        baseline: Digest of the stack to compare with, if there is one.
    """

    objective: Objective
    evidence: tuple[Evidence, ...]
    breakers: Breakers
    outliers: tuple[Outliers, ...]
    best: tuple[Best, ...]
    fronts: tuple[Front, ...]
    importance: Importance | None
    baseline: str | None = None

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "schema": SCHEMA,
            "objective": str(self.objective),
            "baseline": self.baseline,
            "stacks": len({each.stack.digest for each in self.evidence}),
            "passed": self.breakers.passed,
            "failed": self.breakers.failed,
            "unknown": self.breakers.unknown,
            "breakers": [_breaker(each) for each in self.breakers.found],
            "unexplained": [_tried(each) for each in self.breakers.unexplained],
            "intermittent": [_tried(each) for each in self.breakers.intermittent],
            "outliers": [_outliers(each) for each in self.outliers],
            "best": [_best(each) for each in self.best],
            "pareto": [_front(each) for each in self.fronts],
            "importance": None if self.importance is None else _importance(self.importance),
            "packages": {each.stack.digest: dict(each.stack.pins) for each in self._named()},
        }

    def _named(self) -> list[Evidence]:
        """The stacks that are told of at length: the best, and those of a front."""
        found = [ranked.evidence for each in self.best for ranked in each.ranking[:1]]
        found += [point.evidence for each in self.fronts for point in each.optimal[:_RANKED]]
        return list({each.stack.digest: each for each in found}.values())


def answer(
    evidence: Sequence[Evidence], objective: Objective, *, baseline: str | None = None, seed: int = 0
) -> Answers:
    """Answer everything.

    Args:
        evidence: What was tried.
        objective: What is best.
        baseline: Digest of the stack to compare with.
        seed: Of what is drawn.
    """
    return Answers(
        objective,
        tuple(evidence),
        breakers(evidence),
        outliers(evidence, objective),
        best(evidence, objective, baseline=baseline, seed=seed),
        pareto(evidence, seed=seed),
        importance(evidence, objective.metric, seed=seed),
        baseline,
    )


def _tried(each: Evidence) -> dict[str, Any]:
    found: dict[str, Any] = {"stack": each.stack.digest, "inspection": each.inspection}
    return {**found, "failure": _failure(each)} if each.failure else found


def _failure(each: Evidence) -> dict[str, Any] | None:
    return asdict(each.failure) if each.failure else None


def _breaker(breaker: Breaker) -> dict[str, Any]:
    return {
        "failure": asdict(breaker.failure),
        "sure": breaker.sure,
        "left": breaker.left,
        "causes": [
            {
                "packages": {name: each.specifier for name, each in cause.versions.items()},
                "versions_seen": {name: list(each.versions) for name, each in cause.versions.items()},
                "confidence": round(cause.confidence, 4),
                "failed": [_tried(each) for each in cause.failed],
                "exceptions": [_tried(each) for each in cause.exceptions],
            }
            for cause in breaker.causes
        ],
        "next": _proposal(breaker.next),
    }


def _proposal(proposal: Proposal | None) -> dict[str, Any] | None:
    if proposal is None:
        return None
    return {"constraints": dict(proposal.constraints), "prefer": dict(proposal.prefer)}


def _outliers(found: Outliers) -> dict[str, Any]:
    return {
        "hardware": found.hardware,
        "ratio": found.ratio,
        "stacks": [each.stack.digest for each in found.stacks],
        "breakers": [_breaker(each) for each in found.breakers],
        "unexplained": [each.stack.digest for each in found.unexplained],
    }


def _best(found: Best) -> dict[str, Any]:
    return {
        "hardware": found.hardware,
        "verdict": found.verdict,
        "first": found.first,
        "against": found.against and asdict(found.against),
        "ranking": [_ranked(each) for each in found.ranking[:_RANKED]],
        "ranked": len(found.ranking),
    }


def _ranked(each: Ranked) -> dict[str, Any]:
    return {
        "stack": each.evidence.stack.digest,
        "inspection": each.evidence.inspection,
        "readings": each.readings,
        "estimate": each.estimate,
        "low": each.low,
        "high": each.high,
        "probability": round(each.probability, 4),
    }


def _front(front: Front) -> dict[str, Any]:
    return {
        "hardware": front.hardware,
        "metrics": list(front.metrics),
        "points": [
            {
                "stack": each.evidence.stack.digest,
                "figures": each.figures,
                "optimal": each.optimal,
                "probability": each.probability,
            }
            for each in front.points[:_POINTS]
        ],
    }


def _importance(found: Importance) -> dict[str, Any]:
    return {
        "stacks": found.stacks,
        "floor": found.floor,
        "shares": dict(found.shares),
        "effects": [_effect(each) for each in found.effects],
    }


def _effect(each: Effect) -> dict[str, Any]:
    return {
        "package": each.package,
        "versions": each.versions.specifier,
        "versions_seen": list(each.versions.versions),
        "stacks": each.stacks,
        "share": each.share,
        "change": each.change,
        "low": each.low,
        "high": each.high,
        "ratio": each.ratio,
        "p": each.p,
        "alike": list(each.alike),
    }

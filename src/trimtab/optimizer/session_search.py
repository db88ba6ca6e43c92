"""The search of a session: its study, over the application as the agent has described it."""

import math
from collections.abc import Sequence
from typing import Any

from trimtab.optimizer.errors import SpaceError
from trimtab.optimizer.objective import Goal
from trimtab.optimizer.session_description import Description, differences, tree
from trimtab.optimizer.session_spec import SessionSpec
from trimtab.optimizer.space import Point, Value
from trimtab.optimizer.trial import Outcome, Trial

__all__ = ["History", "Prior", "Search"]

History = Sequence[tuple[Trial, Outcome | None]]
Prior = Sequence[tuple[Point, Outcome]]


class Search:
    """A study, and what is sent to the agent on its behalf.

    Args:
        spec: Of the session.
        described: The application at the session's start.
        prior: History of the application's earlier sessions; what lies outside the space is left out.
        history: The trials of this session so far.

    Raises:
        OptimizerError: The goal speaks of what the application does not have, or nothing can be searched.
    """

    def __init__(
        self, spec: SessionSpec, described: Description, *, prior: Prior = (), history: History = ()
    ) -> None:
        from trimtab.optimizer.study import Study  # SciPy: listing sessions does without

        goal = Goal.from_dict(spec.goal.model_dump()).bound(described.units)
        _check_known(goal, described)
        space = described.space
        self.spec = spec
        self.described = described
        self.original = described.values(space)
        self.prior = [(point, outcome) for point, outcome in prior if space.contains(point)]
        self.study = Study(
            space,
            goal,
            spec.budget.to_budget(),
            baseline=self.original,
            seed=spec.seed,
            strategy=spec.strategy,
            prior=self.prior,
        )
        self.study.replay(history)

    @property
    def wanted(self) -> set[str]:
        """Metrics without which a trial has no outcome."""
        return self.study.goal.metrics

    def check(self, described: Description) -> None:
        """Refuse a later description that is not of the same settings; their values may differ.

        Raises:
            SpaceError: It names what has changed.
        """
        if changes := differences(self.study.space, described.space):
            raise SpaceError(f"the application is described otherwise than before: {'; '.join(changes)}")

    def measure_param(self) -> dict[str, Any]:
        """The param of MEASURE."""
        slo = self.study.goal.slo_conditions()
        control = self.spec.control
        return {
            "metrics": [
                *sorted(self.wanted),
                *(name for name in self.described.metrics if name not in self.wanted),
            ],
            "control": {
                "duration": control.duration,
                "warmup": control.warmup,
                "delay": 0,
                "userdata": {"slo": slo.model_dump(mode="json", exclude_none=True) if slo else None},
            },
        }

    def adjust_param(self, point: Point) -> dict[str, Any]:
        """The param of ADJUST: the settings that can move.

        The study's baseline lies on the grid of the settings; what the application came with need not, and it is
        that which is put back.
        """
        values = self.original if point == self.study.baseline else point
        settlement = self.spec.control.settlement
        return {
            "state": tree({each.name: values[each.name] for each in self.study.space.free}),
            "control": {"settlement": settlement} if settlement else {},
        }

    def is_to_be_reverted(self, number: int) -> bool:
        """Whether the settings of a trial that was told must not stay until the next one begins.

        They must not if the trial broke, or an SLO. What broke an SLO by a reading and is still the last known good (the
        baseline, or settings that kept the SLO in the mean of their readings) is in place, and is left there.
        """
        trial, outcome = self.study.trials[number]
        if outcome is None or outcome.status != "ok":
            return True
        evaluation = self.study.evaluation(number)
        kept_slos = evaluation is not None and evaluation.feasible
        return not kept_slos and trial.point != self.study.incumbent()

    def conclusion(self) -> dict[str, Any]:
        """What was found, as JSON."""
        recommendation = self.study.recommendation()
        found = {"recommendation": recommendation.to_dict(), "importance": self.study.importance()}
        return {name: to_json(value) for name, value in found.items()}

    def standing(self) -> dict[str, Any]:
        """The best so far, for people who watch: mean of the readings of the last known good."""
        point = self.study.incumbent()
        baseline = self.study.baseline
        return {"point": point, "value": self._mean(point), "baseline_value": self._mean(baseline)}

    def _mean(self, point: Point) -> float | None:
        accepted = [
            trial for trial, outcome in self.study.trials if outcome is not None and outcome.status == "ok"
        ]
        evaluations = [self.study.evaluation(trial.number) for trial in accepted if trial.point == point]
        values = [each.value for each in evaluations if each is not None]
        return math.fsum(values) / len(values) if values else None


def to_json(value: Any) -> Any:
    """The same with null for numbers that JSON does not have."""
    if isinstance(value, dict):
        return {key: to_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _check_known(goal: Goal, described: Description) -> None:
    """Refuse a goal of metrics or settings that are not there, rather than fail every trial."""
    known: dict[str, set[str]] = {"setting": set(described.settings), "metric": set(described.metrics)}
    wanted = {"setting": goal.settings, "metric": goal.metrics}
    for kind, names in wanted.items():
        # An agent may leave its metrics undescribed.
        if (missing := sorted(names - known[kind])) and known[kind]:
            offered: list[Value] = sorted(known[kind])
            raise SpaceError(
                f"the goal needs the {kind} {missing[0]!r}; the application has {', '.join(map(str, offered))}"
            )

"""What is wanted of an application: an objective, SLOs, and what settings cost."""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, cast

from trimtab.optimizer import grammar, units
from trimtab.optimizer.errors import EvaluationError, ObjectiveError
from trimtab.optimizer.expression import Expression, Name

if TYPE_CHECKING:
    from servo.types.slo import SloCondition, SloInput

__all__ = ["SLO", "Evaluation", "Goal", "Objective", "Violation", "parse_objective", "parse_slo"]

COST = "cost"
MAX_SLOS = 32
_GREATEST = 1e50
"""Beyond it a reading is a defect of whoever measured, and its square would be no number."""
Value = int | float | str
Point = Mapping[str, Value]
Relation = Literal["<=", ">=", "<", ">"]

_HOLDS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


@dataclass(frozen=True, slots=True)
class Objective:
    """An expression, and whether more of it is better."""

    text: str
    direction: Literal["maximize", "minimize"]
    expression: Expression

    @property
    def sign(self) -> float:
        """What a value is multiplied by to be minimised."""
        return -1.0 if self.direction == "maximize" else 1.0

    def __str__(self) -> str:
        return f"{self.direction} {self.expression}"


@dataclass(frozen=True, slots=True)
class SLO:
    """A bound on a metric; `threshold` is in the metric's unit once the goal is bound to one."""

    text: str
    metric: str
    relation: Relation
    threshold: float

    def holds(self, value: float) -> bool:
        """Whether a measured value is within the bound."""
        return math.isfinite(value) and _HOLDS[self.relation](value, self.threshold)

    def excess(self, value: float) -> float:
        """How far a value is beyond the threshold, relative to it: > 0 is a violation, ≤ 0 within."""
        scale = abs(self.threshold) or 1.0
        return (value - self.threshold if "<" in self.relation else self.threshold - value) / scale

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Violation:
    """An SLO that a measurement breaks: the value, and how far it is beyond, relative to the threshold."""

    slo: SLO
    value: float
    excess: float

    def __str__(self) -> str:
        return f"{self.slo.metric} is {self.value:.4g}, but {self.slo.text} is wanted"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A measurement seen through a goal.

    Args:
        value: The objective in its own unit.
        loss: The same, to be minimised.
        violations: The SLOs it breaks.
        excesses: For every SLO how far beyond it is; ≤ 0 is within.
    """

    value: float
    loss: float
    violations: tuple[Violation, ...]
    excesses: tuple[float, ...]

    @property
    def feasible(self) -> bool:
        """Whether every SLO holds."""
        return not self.violations


@dataclass(frozen=True, slots=True)
class Goal:
    """An objective under SLOs.

    Args:
        objective: See `parse_objective`.
        slos: See `parse_slo`.
        prices: Of settings, per unit of each: {"web.cpu": 30.0}; gives the variable `cost`.
        units: Of the metrics as they are measured and of the settings; see `bound`.
    """

    objective: Objective
    slos: tuple[SLO, ...] = ()
    prices: Mapping[str, float] = ()  # type: ignore[assignment] # replaced below: a mutable default is forbidden
    units: Mapping[str, str] = ()  # type: ignore[assignment] # the same

    def __post_init__(self) -> None:
        object.__setattr__(self, "prices", dict(self.prices))
        object.__setattr__(self, "units", dict(self.units))
        self._check_cost()
        if len(self.slos) > MAX_SLOS:
            raise ObjectiveError(self.slos[MAX_SLOS].text, 0, f"more than {MAX_SLOS} SLOs")
        if wrong := [name for name, price in self.prices.items() if not math.isfinite(price)]:
            raise EvaluationError(f"the price of {wrong[0]!r} is not a finite number")

    def _check_cost(self) -> None:
        for name in self.objective.expression.names():
            if name.name == COST and not self.prices:
                raise ObjectiveError(
                    self.objective.text,
                    name.column,
                    "`cost` needs prices; give the price of at least one setting",
                )

    @classmethod
    def parse(
        cls, objective: str, slos: Sequence[str] = (), prices: Mapping[str, float] | None = None
    ) -> "Goal":
        """The goal that texts describe.

        Raises:
            ObjectiveError: One of them is wrong; the error shows where.
        """
        return cls(parse_objective(objective), tuple(map(parse_slo, slos)), prices or {})

    def bound(self, known: Mapping[str, str]) -> "Goal":
        """The goal with its numbers in the units in which metrics are measured.

        Args:
            known: Units of metrics and settings by name, such as {"latency_p99": "ms"}.

        Raises:
            ObjectiveError: A number's unit measures something else than its metric's.
        """
        expression = self.objective.expression.resolve(known)
        slos = tuple(parse_slo(slo.text, known.get(slo.metric)) for slo in self.slos)
        return replace(
            self, objective=replace(self.objective, expression=expression), slos=slos, units=dict(known)
        )

    @property
    def metrics(self) -> set[str]:
        """Names of the metrics that must be measured: what is neither a setting (it has a dot) nor `cost`."""
        names = {name.name for name in self.objective.expression.names()} | {slo.metric for slo in self.slos}
        return {name for name in names if "." not in name} - {COST}

    @property
    def settings(self) -> set[str]:
        """Names of the settings that the objective or a price speaks of."""
        names = {name.name for name in self.objective.expression.names()}
        return {name for name in names if "." in name} | set(self.prices)

    def cost(self, point: Point) -> float:
        """What a point costs.

        Raises:
            EvaluationError: A setting with a price is not in the point, or is no number.
        """
        return sum(price * _number(name, point) for name, price in self.prices.items())

    def evaluate(self, metrics: Mapping[str, float], point: Point) -> Evaluation:
        """See a measurement through the goal.

        Raises:
            EvaluationError: A metric is missing, or the objective has no value that can be reckoned with.
        """
        value = self._value(metrics, point)
        measured = [(slo, Name(slo.metric).evaluate(metrics)) for slo in self.slos]
        excesses = tuple(slo.excess(reading) for slo, reading in measured)
        if beyond := [
            slo for slo, excess in zip(self.slos, excesses, strict=True) if not abs(excess) <= _GREATEST
        ]:
            raise EvaluationError(f"{beyond[0].metric} is {metrics[beyond[0].metric]}: no measurement")
        violations = tuple(
            Violation(slo, reading, slo.excess(reading))
            for slo, reading in measured
            if not slo.holds(reading)
        )
        return Evaluation(value, self.objective.sign * value, violations, excesses)

    def _value(self, metrics: Mapping[str, float], point: Point) -> float:
        numbers = {name: float(value) for name, value in point.items() if not isinstance(value, str)}
        environment = numbers | dict(metrics)
        if self.prices:
            environment[COST] = self.cost(point)
        value = self.objective.expression.evaluate(environment)
        if not abs(value) <= _GREATEST:  # NaN, too
            raise EvaluationError(f"{self.objective.expression} is {value} for these measurements")
        return value

    def noise(self, metrics: Mapping[str, float], spread: Mapping[str, float], point: Point) -> float | None:
        """Standard error of the objective, from those of its metrics, to first order.

        Args:
            metrics: The means measured.
            spread: Standard error of each mean; may be empty.
            point: The settings.

        Returns:
            None if the spread of no metric of the objective is known.
        """
        names = {name.name for name in self.objective.expression.names()} & set(spread) & set(metrics)
        if not names:
            return None
        slopes = [self._difference(name, metrics, spread[name], point) for name in sorted(names)]
        return math.sqrt(sum(slope * slope for slope in slopes))

    def _difference(self, name: str, metrics: Mapping[str, float], error: float, point: Point) -> float:
        moved = [dict(metrics) | {name: metrics[name] + step} for step in (-error, error)]
        try:
            low, high = (self._value(each, point) for each in moved)
        except EvaluationError:
            return 0.0
        return (high - low) / 2

    def slo_conditions(self) -> "SloInput | None":
        """The SLOs as conditions for fast fail on the agent; None if there is none."""
        from servo.types.slo import SloInput

        if not self.slos:
            return None
        return SloInput(conditions=[_condition(slo) for slo in self.slos])

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; `from_dict` reads them."""
        return {
            "objective": self.objective.text,
            "slos": [slo.text for slo in self.slos],
            "prices": dict(self.prices),
            "units": dict(self.units),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Goal":
        """What `to_dict` has written."""
        goal = cls.parse(values["objective"], values.get("slos", ()), values.get("prices") or {})
        return goal.bound(values["units"]) if values.get("units") else goal


def parse_objective(text: str) -> Objective:
    """Read `maximize throughput / cost`.

    Raises:
        ObjectiveError: It is no objective; the error shows where.
    """
    direction, expression = grammar.parse(text, "objective")
    if not any(expression.names()):
        raise ObjectiveError(text, 0, "no metric or setting in it; name what is to be optimised")
    return Objective(text.strip(), direction, expression)


def parse_slo(text: str, unit: str | None = None) -> SLO:
    """Read `latency_p99 <= 200ms`.

    Args:
        text: A metric, a relation and a number.
        unit: In which the metric is measured, if known.

    Raises:
        ObjectiveError: It is no SLO, or its unit measures something else; the error shows where.
    """
    name, relation, number = grammar.parse(text, "slo")
    if "." in name.name or name.name == COST:
        raise ObjectiveError(text, name.column, f"{name.name!r} is no metric; an SLO bounds one metric")
    if unit and number.unit and units.dimension(unit) != units.dimension(number.unit):
        measured = f"{name.name} is measured in {unit!r}"
        raise ObjectiveError(text, number.column, f"{number} is of another kind: {measured}")
    threshold = number.resolve({}, unit).evaluate({}) if unit is not None else number.evaluate({})
    return SLO(text.strip(), name.name, cast("Relation", relation), threshold)


def _number(name: str, point: Point) -> float:
    value = point.get(name)
    if value is None or isinstance(value, str):
        problem = "is not among the settings" if value is None else "is not a number"
        raise EvaluationError(f"{name!r} has a price, but {problem}")
    return float(value)


def _condition(slo: SLO) -> "SloCondition":
    from servo.types.slo import SloCondition

    keep = "below" if "<" in slo.relation else "above"
    threshold = Decimal(repr(slo.threshold))
    return SloCondition(metric=slo.metric, threshold=threshold, keep=keep, description=slo.text)

"""What a report shows, read from a session's document."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Any, Literal

__all__ = ["Change", "Finding", "Goal", "Report", "ReportError", "Trial", "named", "read", "same"]

Value = int | float | str
Verdict = Literal["improved", "no improvement shown", "not measured"]
MAX_TRIALS = 10_000
_NAME = re.compile(r"[A-Za-z_][\w.]*")


class ReportError(ValueError):
    """The document is not one of a session."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What was wanted, as written."""

    objective: str = ""
    slos: tuple[str, ...] = ()
    prices: Mapping[str, float] = field(default_factory=dict)

    @property
    def minimize(self) -> bool:
        """Whether less is better."""
        return self.objective.lstrip().lower().startswith("min")

    @property
    def expression(self) -> str:
        """The objective without its direction."""
        return self.objective.strip().partition(" ")[2].strip() or self.objective

    def better(self, one: float, other: float) -> bool:
        """Whether the one value of the objective is better than the other."""
        return one < other if self.minimize else one > other


@dataclass(frozen=True, slots=True)
class Trial:
    """One measured configuration; `value` is the objective in its own unit."""

    number: int
    purpose: str
    point: Mapping[str, Value]
    status: str
    value: float | None = None
    feasible: bool | None = None
    violations: tuple[str, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    spread: Mapping[str, float] = field(default_factory=dict)
    strategy: str = ""
    why: str = ""
    reason: str = ""
    message: str = ""
    seconds: float | None = None

    @property
    def accepted(self) -> bool:
        """Whether it was measured and kept every SLO."""
        return self.status == "ok" and self.value is not None and self.feasible is not False


@dataclass(frozen=True, slots=True)
class Change:
    """A setting and its value before and after."""

    name: str
    before: Value | None
    after: Value | None
    unit: str = ""
    least: float | None = None
    most: float | None = None
    values: tuple[Value, ...] = ()
    pinned: bool = False

    @property
    def changed(self) -> bool:
        """Whether the two values differ."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Finding:
    """What the session found; see `trimtab.optimizer.Recommendation`."""

    verdict: Verdict = "not measured"
    value: float | None = None
    baseline_value: float | None = None
    improvement: float | None = None
    interval: tuple[float, float] | None = None
    confidence: float = 0.95
    probability: float | None = None
    n_baseline: int = 0
    n_candidate: int = 0
    point: Mapping[str, Value] = field(default_factory=dict)
    candidate: Mapping[str, Value] = field(default_factory=dict)
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All that is shown of a session."""

    id: str
    application: str
    state: str
    message: str
    goal: Goal
    finding: Finding
    settings: tuple[Change, ...]
    importance: Mapping[str, float]
    trials: tuple[Trial, ...]
    units: Mapping[str, str]
    baseline: Mapping[str, Value]
    strategy: str
    seed: int | None
    budget: int | None
    control: Mapping[str, float]
    started: datetime | None
    finished: datetime | None
    left_in_place: str
    applied: bool
    machine: Mapping[str, str]

    @property
    def measured(self) -> list[Trial]:
        """Trials that have a value."""
        return [trial for trial in self.trials if trial.value is not None]

    @property
    def seconds(self) -> float | None:
        """How long the session took."""
        if self.started is None or self.finished is None:
            return None
        return (self.finished - self.started).total_seconds()

    def read_at(self, point: Mapping[str, Value]) -> list[Trial]:
        """The trials that measured a point."""
        return [
            trial
            for trial in self.trials
            if trial.status == "ok" and trial.value is not None and same(trial.point, point)
        ]

    def readings(self, point: Mapping[str, Value]) -> list[float]:
        """The objective each time a point was measured."""
        return [trial.value for trial in self.read_at(point) if trial.value is not None]


def same(one: Mapping[str, Value], other: Mapping[str, Value]) -> bool:
    """Whether two points are one, as far as both speak of a setting."""
    shared = one.keys() & other.keys()
    return bool(shared) and all(one[name] == other[name] for name in shared)


def named(texts: Sequence[str], known: Collection[str]) -> list[str]:
    """Which of the known names the texts of a goal speak of, in the order in which they do."""
    words = _NAME.findall(" ".join(texts))
    return [name for name in dict.fromkeys(words) if name in known]


def read(document: Mapping[str, Any]) -> Report:
    """Read the document that `trimtab sessions export` writes.

    Raises:
        ReportError: It is none.
    """
    session = document.get("session")
    if not isinstance(session, Mapping) or not isinstance(document.get("trials"), Sequence):
        raise ReportError("this is no document of a session; write one with `trimtab sessions export ID`")
    spec = _mapping(session.get("spec"))
    result = _mapping(session.get("result"))
    finding = _finding(_mapping(result.get("recommendation")))
    baseline = _mapping(document.get("baseline"))
    return Report(
        id=_text(session.get("id")),
        application=_text(session.get("application")),
        state=_text(session.get("state")),
        message=_text(session.get("message")),
        goal=_goal(_mapping(spec.get("goal"))),
        finding=finding,
        settings=_settings(_mapping(document.get("description")), baseline, finding),
        importance=_importance(_mapping(result.get("importance"))),
        trials=tuple(_trial(each) for each in document["trials"][:MAX_TRIALS] if isinstance(each, Mapping)),
        units=_units(_mapping(document.get("description"))),
        baseline=baseline,
        strategy=_text(spec.get("strategy")),
        seed=spec.get("seed") if isinstance(spec.get("seed"), int) else None,
        budget=_mapping(spec.get("budget")).get("trials"),
        control=_numbers(_mapping(spec.get("control"))),
        started=_time(session.get("created_at")),
        finished=_time(session.get("finished_at")) or _time(session.get("updated_at")),
        left_in_place=_left_in_place(document.get("commands")),
        applied=spec.get("apply") is not False,
        machine={_text(name): _text(text) for name, text in _mapping(document.get("machine")).items()},
    )


def _goal(goal: Mapping[str, Any]) -> Goal:
    slos = tuple(_text(each) for each in goal.get("slos") or ())
    return Goal(_text(goal.get("objective")), slos, _numbers(_mapping(goal.get("prices"))))


def _finding(found: Mapping[str, Any]) -> Finding:
    verdict = found.get("verdict")
    return Finding(
        verdict=verdict if verdict in {"improved", "no improvement shown"} else "not measured",
        value=_number(found.get("value")),
        baseline_value=_number(found.get("baseline_value")),
        improvement=_number(found.get("improvement")),
        interval=_interval(found.get("interval")),
        confidence=_number(found.get("confidence")) or 0.95,
        probability=_number(found.get("probability")),
        n_baseline=int(_number(found.get("n_baseline")) or 0),
        n_candidate=int(_number(found.get("n_candidate")) or 0),
        point=_mapping(found.get("point")),
        candidate=_mapping(found.get("candidate")),
        explanation=_text(found.get("explanation")),
    )


def _interval(value: object) -> tuple[float, float] | None:
    match [_number(each) for each in value] if isinstance(value, list | tuple) else []:
        case [float() | int() as low, float() | int() as high]:
            return low, high
    return None


def _settings(
    description: Mapping[str, Any], baseline: Mapping[str, Value], finding: Finding
) -> tuple[Change, ...]:
    described = dict(_described(description))
    names = [*described, *(name for name in baseline if name not in described)]
    return tuple(_change(name, described.get(name, {}), baseline, finding) for name in names)


def _change(name: str, setting: Mapping[str, Any], baseline: Mapping[str, Value], finding: Finding) -> Change:
    before = baseline.get(name, setting.get("value"))
    return Change(
        name=name,
        before=before,
        after=finding.point.get(name, before),
        unit=_text(setting.get("unit")),
        least=_number(setting.get("min")),
        most=_number(setting.get("max")),
        values=tuple(setting.get("values") or ()),
        pinned=setting.get("pinned") is True,
    )


def _described(description: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    components = _mapping(_mapping(description.get("application")).get("components"))
    return [
        (f"{component}.{name}", _mapping(setting))
        for component, part in components.items()
        for name, setting in _mapping(_mapping(part).get("settings")).items()
    ]


def _units(description: Mapping[str, Any]) -> dict[str, str]:
    metrics = _mapping(_mapping(description.get("measurement")).get("metrics"))
    known = [*_described(description), *((name, _mapping(metric)) for name, metric in metrics.items())]
    return {name: _text(each.get("unit")) for name, each in known if each.get("unit")}


def _importance(shares: Mapping[str, Any]) -> dict[str, float]:
    known = _numbers(shares)
    return dict(sorted(known.items(), key=lambda item: item[1], reverse=True))


def _trial(trial: Mapping[str, Any]) -> Trial:
    return Trial(
        number=int(_number(trial.get("number")) or 0),
        purpose=_text(trial.get("purpose")),
        point=_mapping(trial.get("point")),
        status=_text(trial.get("status")) or "unfinished",
        value=_number(trial.get("value")),
        feasible=trial.get("feasible") if isinstance(trial.get("feasible"), bool) else None,
        violations=tuple(_text(each) for each in trial.get("violations") or ()),
        metrics=_numbers(_mapping(trial.get("metrics"))),
        spread=_numbers(_mapping(trial.get("spread"))),
        strategy=_text(trial.get("strategy")),
        why=_text(trial.get("why")),
        reason=_text(trial.get("reason")),
        message=_text(trial.get("message")),
        seconds=_number(trial.get("seconds")),
    )


def _left_in_place(commands: object) -> str:
    """What the last command that set the final settings came to: "", "ok", or why it is not known."""
    steps = [
        each
        for each in (commands if isinstance(commands, Sequence) else ())
        if isinstance(each, Mapping) and each.get("step") == "finish"
    ]
    return _text(steps[-1].get("status")) or "unanswered" if steps else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _number(value: object) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    return value if known else None  # type: ignore[return-value]  # mypy does not follow the condition


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    numbers = {str(name): _number(value) for name, value in values.items()}
    return {name: value for name, value in numbers.items() if value is not None}


def _time(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None

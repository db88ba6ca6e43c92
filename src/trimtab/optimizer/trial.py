"""Trials and their outcomes: what a study asks, and what it is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from trimtab.optimizer.errors import StudyError
from trimtab.optimizer.space import Point

__all__ = ["Budget", "Outcome", "Prediction", "Purpose", "Status", "Trial"]

Status = Literal["ok", "rejected", "failed", "aborted", "lost"]
MAX_TRIALS = 10_000


class Purpose(StrEnum):
    """Why a point is measured."""

    baseline = "baseline"
    search = "search"
    confirm = "confirm"
    verify = "verify"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model expects of a point, before it is measured.

    Args:
        mean: Of the objective, in its own unit.
        sd: Its standard deviation: how unsure the model is of the mean.
        feasibility: Probability that every SLO holds and the point comes up at all.
    """

    mean: float
    sd: float
    feasibility: float = 1.0


@dataclass(frozen=True, slots=True)
class Trial:
    """One point to be measured.

    Args:
        number: From 0, in the order asked.
        purpose: Why it is measured.
        point: The settings.
        strategy: Which one proposed it; "" if none did, as for the baseline.
        reason: Why these values, in a sentence.
        predicted: What was expected.
    """

    number: int
    purpose: Purpose
    point: Point
    strategy: str = ""
    reason: str = ""
    predicted: Prediction | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        predicted = self.predicted
        return {
            "number": self.number,
            "purpose": str(self.purpose),
            "point": dict(self.point),
            "strategy": self.strategy,
            "reason": self.reason,
            "predicted": {"mean": predicted.mean, "sd": predicted.sd, "feasibility": predicted.feasibility}
            if predicted
            else None,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Trial":
        """What `to_dict` has written."""
        predicted = values.get("predicted")
        return cls(
            values["number"],
            Purpose(values["purpose"]),
            dict(values["point"]),
            values.get("strategy", ""),
            values.get("reason", ""),
            Prediction(**predicted) if predicted else None,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a trial.

    Args:
        status: "ok": measured; "rejected": the settings did not come up; "failed": they, or the measurement, broke;
            "aborted": cut short for an SLO; "lost": the infrastructure failed, which says nothing of the settings.
        metrics: Mean of each metric, in its own unit.
        spread: Standard error of each mean; may be empty.
        reason: A word, such as "slo-violation".
        message: For people.
        seconds: How long the trial took, settling included; 0 if not known.
    """

    status: Status
    metrics: Mapping[str, float] = field(default_factory=dict)
    spread: Mapping[str, float] = field(default_factory=dict)
    reason: str | None = None
    message: str = ""
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "status": self.status,
            "metrics": dict(self.metrics),
            "spread": dict(self.spread),
            "reason": self.reason,
            "message": self.message,
            "seconds": self.seconds,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Outcome":
        """What `to_dict` has written."""
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a study may spend: trials of any purpose, and their time.

    Args:
        trials: At most this many.
        seconds: At most this long, by the trials' own account; None for no bound.
    """

    trials: int
    seconds: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.trials <= MAX_TRIALS:
            raise StudyError(f"a budget of {self.trials} trials; 1 to {MAX_TRIALS} are possible")
        if self.seconds is not None and not self.seconds > 0:
            raise StudyError(f"a budget of {self.seconds} seconds; more than 0 are wanted")

    def left(self, spent_trials: int, spent_seconds: float) -> int:
        """How many trials are left, time considered, if they go on as long as they did."""
        trials = max(0, self.trials - spent_trials)
        if self.seconds is None or not spent_trials or not spent_seconds:
            return trials
        remaining = max(0.0, self.seconds - spent_seconds)
        # Compared before it is divided: trials that took next to no time would last for ever.
        if remaining * spent_trials >= trials * spent_seconds:
            return trials
        return int(remaining * spent_trials / spent_seconds)

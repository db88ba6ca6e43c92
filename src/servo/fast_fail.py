"""Fast fail: a measurement is broken off when the SLO conditions sent with it are violated."""

import math
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from loguru import logger

from servo.configuration import FastFailConfiguration
from servo.errors import EventAbortedError
from servo.types.duration import Duration
from servo.types.metrics import DataPoint, Reading, TimeSeries
from servo.types.slo import SloCondition, SloInput, SloKeep

__all__ = [
    "FastFailConfiguration",
    "FastFailObserver",
    "MetricsGetter",
    "SloOutcome",
    "SloOutcomeStatus",
]

MetricsGetter: TypeAlias = Callable[[datetime, datetime], Awaitable[Mapping[str, Sequence[Reading]]]]
"""Given the start and end of a time span, returns the readings of each metric in it, by name."""


class SloOutcomeStatus(StrEnum):
    """What came of checking a condition once; only ``failed`` counts against it."""

    passed = "passed"
    failed = "failed"
    zero_metric = "zero metric"
    zero_threshold = "zero threshold"
    missing_metric = "missing metric"
    missing_threshold = "missing threshold"


@dataclass(frozen=True)
class SloOutcome:
    """What came of checking a condition once.

    Args:
        status: What.
        checked_at: When.
        keep: On which side of the threshold the metric should have been.
        metric_value: The metric's value, None if missing.
        threshold_value: The threshold's value, None if missing or not looked at.
    """

    status: SloOutcomeStatus
    checked_at: datetime
    keep: SloKeep
    metric_value: float | None = None
    threshold_value: float | None = None

    def __str__(self) -> str:
        text = f"{self.checked_at} SLO {self.status}"
        if self.status is not SloOutcomeStatus.failed:
            return text
        return (
            f"{text} metric value {_number(self.metric_value)}"
            f" was not {self.keep} threshold value {_number(self.threshold_value)}"
        )


class _Progress(Protocol):
    @property
    def elapsed(self) -> Duration | None: ...


class FastFailObserver:
    """Checks conditions on fresh metrics, and remembers how often each was violated.

    Args:
        config: When to check.
        input: The conditions.
        metrics_getter: Where the metrics are from.
    """

    def __init__(
        self,
        config: FastFailConfiguration,
        input: SloInput,  # noqa: A002  a name of the interface
        metrics_getter: MetricsGetter,
    ) -> None:
        self.config = config
        self.input = input
        self._metrics_getter = metrics_getter
        self._outcomes: dict[SloCondition, deque[SloOutcome]] = {
            condition: deque(maxlen=condition.trigger_window) for condition in input.conditions
        }

    async def observe(self, progress: _Progress) -> None:
        """Check all conditions on the metrics of the last ``span``, unless the measurement has only begun.

        Args:
            progress: That of the measurement.

        Raises:
            EventAbortedError: If a condition was violated too often; its reason is ``slo-violation``.
        """
        if self.config.disabled or (progress.elapsed or Duration(0)) < self.config.skip:
            return
        checked_at = datetime.now().astimezone()
        metrics = await self._metrics_getter(checked_at - self.config.span, checked_at)
        self.check_readings(metrics, checked_at)

    def check_readings(self, metrics: Mapping[str, Sequence[Reading]], checked_at: datetime) -> None:
        """Check all conditions.

        Args:
            metrics: The readings of each metric, by name.
            checked_at: When they were taken.

        Raises:
            EventAbortedError: If a condition was violated too often; its reason is ``slo-violation``.
        """
        violations = []
        for condition, outcomes in self._outcomes.items():
            outcomes.append(self._check(condition, metrics, checked_at))
            logger.debug(f"SLO condition {condition}: {outcomes[-1]}")
            failed = [outcome for outcome in outcomes if outcome.status is SloOutcomeStatus.failed]
            if outcomes[-1].status in _DECIDED and len(failed) >= condition.trigger_count:
                violations.append(f"{condition}[{', '.join(map(str, failed))}]")
        if violations:
            raise EventAbortedError(
                f"SLO violation(s) observed: {', '.join(violations)}", reason="slo-violation"
            )

    def _check(
        self, condition: SloCondition, metrics: Mapping[str, Sequence[Reading]], checked_at: datetime
    ) -> SloOutcome:
        metric = self._scalar(metrics.get(condition.metric))
        threshold = self._threshold(condition, metrics)
        return SloOutcome(
            _status(condition, metric, threshold), checked_at, condition.keep, metric, threshold
        )

    def _threshold(self, condition: SloCondition, metrics: Mapping[str, Sequence[Reading]]) -> float | None:
        multiplier = float(condition.threshold_multiplier)
        if condition.threshold is not None:
            return float(condition.threshold) * multiplier
        scalar = self._scalar(metrics.get(condition.threshold_metric or ""))
        return None if scalar is None else scalar * multiplier

    def _scalar(self, readings: Sequence[Reading] | None) -> float | None:
        """Return the mean of the readings, None if that says nothing."""
        scalars = [scalar for reading in readings or () if (scalar := _mean_of(reading)) is not None]
        if not scalars:
            return None
        mean = sum(scalars) / len(scalars)
        if math.isnan(mean) or (mean == 0 and self.config.treat_zero_as_missing):
            return None
        return mean


_DECIDED = {SloOutcomeStatus.passed, SloOutcomeStatus.failed}


def _status(condition: SloCondition, metric: float | None, threshold: float | None) -> SloOutcomeStatus:
    if metric is None:
        return SloOutcomeStatus.missing_metric
    if threshold is None:
        return SloOutcomeStatus.missing_threshold
    if condition.threshold_metric is not None:
        if _is_negligible(metric, condition.slo_metric_minimum):
            return SloOutcomeStatus.zero_metric
        if _is_negligible(threshold, condition.slo_threshold_minimum):
            return SloOutcomeStatus.zero_threshold
    kept = metric <= threshold if condition.keep is SloKeep.below else metric >= threshold
    return SloOutcomeStatus.passed if kept else SloOutcomeStatus.failed


def _is_negligible(value: float, minimum: float | None) -> bool:
    return minimum is not None and 0 <= value <= minimum


def _mean_of(reading: Any) -> float | None:
    match reading:
        case DataPoint():
            return reading.value
        case TimeSeries() if len(reading):
            return sum(point.value for point in reading) / len(reading)
        case _:
            return None


def _number(value: float | None) -> str:
    return f"{value:.10g}"

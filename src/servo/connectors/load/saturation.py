"""Whether what was measured is the application, or the generator itself."""

from __future__ import annotations

from dataclasses import dataclass

from servo.connectors.load.crew import Outcome
from servo.connectors.load.tally import Tally

_MICROSECONDS = 1_000_000
_NOTICEABLE = 0.1
_BUSY = 0.95
_EXHAUSTED = 0.01


@dataclass(frozen=True, slots=True)
class Saturation:
    """How much the generator itself was at its limits.

    Attributes:
        lag_p99: Seconds by which it sent late, 99th percentile.
        lag_max: The same, worst.
        cpu_share: Share of a core its busiest process used.
        waited_share: Share of the requests that found every connection busy.
        warnings: What to know about the measurement, in sentences with a remedy.
        fatal: Why the measurement says nothing about the application, if so.
    """

    lag_p99: float
    lag_max: float
    cpu_share: float
    waited_share: float
    warnings: tuple[str, ...]
    fatal: str | None


def judge(outcome: Outcome, tally: Tally, max_lag: float) -> Saturation:
    """Judge a load that came to its end.

    A late generator spoils a measurement when its lateness is beyond `max_lag` and is a noticeable part (a tenth) of
    the latency it would be taken for, or when it could not keep up at all. All connections being busy is
    mostly the application's doing: that is reported, and is no reason to throw the measurement away.

    Args:
        outcome: The load.
        tally: All that counts of it.
        max_lag: Seconds.
    """
    late = outcome.lag.get_value_at_percentile(99) / _MICROSECONDS if outcome.lag.get_total_count() else 0.0
    worst = outcome.lag.get_max_value() / _MICROSECONDS if outcome.lag.get_total_count() else 0.0
    waited = min(outcome.waited / tally.requests, 1.0) if tally.requests else 0.0
    noticeable = late > _NOTICEABLE * tally.percentile(99) if tally.recorded else late > 0
    busy = outcome.cpu_share > _BUSY
    fatal = None
    if late > max_lag and noticeable:
        fatal = f"requests left up to {late * 1000:.1f} ms late (99th percentile), more than {max_lag * 1000:.0f} ms"
    elif busy and outcome.plan.concurrency is not None:
        fatal = f"it used {outcome.cpu_share:.0%} of a core, so that it, not the application, set the pace"
    return Saturation(
        late, worst, outcome.cpu_share, waited, tuple(_warnings(late, busy, waited, noticeable)), fatal
    )


def _warnings(late: float, busy: bool, waited: float, noticeable: bool) -> list[str]:  # noqa: FBT001 - private
    found = []
    if noticeable and late > 1 / 1000:
        found.append(f"the load generator itself was late by {late * 1000:.1f} ms (99th percentile)")
    if busy:
        found.append("the load generator used all of a core: raise `processes` or lower the rate")
    if waited > _EXHAUSTED:
        found.append(
            f"{waited:.0%} of the requests found every connection busy: "
            "the application does not keep up, or `connections` is too low"
        )
    return found

"""From configuration to a plan."""

from __future__ import annotations

import os

from servo.connectors.load.arrivals import Phase
from servo.connectors.load.configuration import LoadConfiguration, parse_statuses
from servo.connectors.load.plan import Plan
from servo.connectors.load.requests import prepare

_BATCHES = 10
_STEP_BATCHES = 4
_SHORTEST_BATCH = 0.2


def make_plan(config: LoadConfiguration, *, warmup: float, duration: float) -> Plan:
    """The load of one measurement.

    Args:
        config: What to do.
        warmup: Seconds of the same load (of the first step) before anything is measured.
        duration: Seconds that are measured.

    Raises:
        TargetError: The targets cannot be read.
    """
    origins, requests = prepare(config.parse_targets(), keepalive=config.keepalive)
    return Plan(
        phases=phases(config, warmup, duration),
        origins=tuple(origins),
        requests=tuple(requests),
        concurrency=config.concurrency,
        poisson=config.arrivals == "poisson",
        shuffled=config.order == "random",
        seed=config.seed,
        connections=max(config.connections, config.concurrency or 1),
        keepalive=config.keepalive,
        timeout=config.timeout.total_seconds(),
        max_body=config.max_body,
        expect=parse_statuses(config.expect),
        interval=config.interval.total_seconds(),
        batches=_batches(config, duration),
        prompt=config.prompt,
        ca_file=None if config.ca_file is None else os.fspath(config.ca_file),
    )


def phases(config: LoadConfiguration, warmup: float, duration: float) -> tuple[Phase, ...]:
    """Rates over time; those of a closed loop are 0 and mean nothing."""
    rates = config.steps or [config.rate or 0.0]
    heating = (Phase(rates[0], warmup, measured=False),) if warmup > 0 else ()
    return heating + tuple(Phase(rate, duration / len(rates)) for rate in rates)


def _batches(config: LoadConfiguration, duration: float) -> int:
    steps = len(config.steps or [0])
    most = _STEP_BATCHES if config.steps else _BATCHES
    return max(min(most, int(duration / steps / _SHORTEST_BATCH)), 1)


def describe(config: LoadConfiguration, warmup: float, duration: float) -> str:
    """The load in a sentence."""
    if config.concurrency is not None:
        what = f"closed loop of {config.concurrency} users"
    elif config.steps is not None:
        what = f"open loop in steps of {', '.join(f'{rate:g}' for rate in config.steps)} requests/s"
    else:
        what = f"open loop of {config.rate:g} requests/s"
    return f"{what} for {duration:g}s after {warmup:g}s of warm-up"

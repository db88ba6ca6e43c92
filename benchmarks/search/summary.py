"""From runs to the rows of the tables."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.search.runs import OURS, Run

__all__ = ["AIMS", "aims", "rows"]

AIMS = {0.0: 0.012, 0.05: 0.12, 0.15: 0.25}
_FLOOR = 1e-6
_AIM_TRIALS = 50


def rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """One row for each part, number of trials, sampler and noise."""
    groups: dict[tuple[str, int, str, float], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.part, run.trials, run.sampler, run.noise), []).append(run)
    return [_row(key, group, runs) for key, group in sorted(groups.items(), key=_order)]


def _order(item: tuple[tuple[str, int, str, float], list[Run]]) -> tuple[Any, ...]:
    part, trials, sampler, noise = item[0]
    return part, trials, noise, sampler == OURS, sampler


def _row(key: tuple[str, int, str, float], group: list[Run], everything: Sequence[Run]) -> dict[str, Any]:
    part, trials, sampler, noise = key
    row: dict[str, Any] = {"part": part, "trials": trials, "noise": noise, "sampler": sampler}
    row |= _relative(group, everything) if part == "bbob" else _absolute(group)
    row["seconds_per_run"] = round(_mean(run.seconds for run in group), 2)
    row["seeds"] = len({run.seed for run in group})
    return row


def _relative(group: list[Run], everything: Sequence[Run]) -> dict[str, Any]:
    """Regret relative to noiseless random search: a mean over seeds for each function, then over functions."""
    reference = [
        run for run in everything if run.part == "bbob" and run.sampler == "random" and run.noise == 0
    ]
    random, ours = _by_problem(reference), _by_problem(group)
    ratios = [max(_mean(ours[name]) / _mean(random[name]), _FLOOR) for name in ours if name in random]
    if not ratios:
        return {"regret": None}
    geometric = math.exp(_mean(map(math.log, ratios)))
    return {
        "regret": _digits(geometric),
        "arithmetic": _digits(_mean(ratios)),
        "median": _digits(sorted(ratios)[len(ratios) // 2]),
        "functions": len(ratios),
    }


def _absolute(group: list[Run]) -> dict[str, Any]:
    """Regret between the optimum (0) and the baseline (1), and trials that broke an SLO."""
    improved = [run for run in group if run.verdict == "improved"]
    return {
        "regret": _digits(_mean(run.regret for run in group)),
        "breaches": round(_mean(run.breaches for run in group), 1),
        "services": {name: _digits(_mean(values)) for name, values in _by_problem(group).items()},
        **({"improved": round(len(improved) / len(group), 2)} if group[0].verdict else {}),
    }


def _by_problem(group: Iterable[Run]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for run in group:
        found.setdefault(run.problem, []).append(run.regret)
    return found


def aims(table: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Whether each aim of the design is reached, and what was measured; only those that were."""
    found: dict[str, dict[str, Any]] = {}
    for row in table:
        if row["part"] == "bbob" and row["sampler"] == OURS and row["regret"] is not None:
            aim = AIMS[row["noise"]]
            found[f"bbob regret at {row['noise']:.0%} noise ≤ {aim}"] = _judged(row["regret"], aim)
    for noise in AIMS:
        ours, tpe = (_service_row(table, sampler, noise) for sampler in (OURS, "tpe"))
        if ours and tpe:
            found[f"services regret at {noise:.0%} noise ≤ half of TPE's"] = _judged(
                ours["regret"], tpe["regret"] / 2
            )
            found[f"services breaches at {noise:.0%} noise < TPE's"] = _judged(
                ours["breaches"], tpe["breaches"]
            )
    return found


def _judged(measured: float, bound: float) -> dict[str, Any]:
    return {"reached": measured <= bound, "measured": f"{measured:.3g} against {bound:.3g}"}


def _service_row(table: Sequence[dict[str, Any]], sampler: str, noise: float) -> dict[str, Any] | None:
    wanted = {"part": "services", "trials": _AIM_TRIALS, "sampler": sampler, "noise": noise}
    return next((row for row in table if wanted.items() <= row.items()), None)


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return math.fsum(listed) / len(listed)


def _digits(value: float) -> float:
    return float(f"{value:.3g}")

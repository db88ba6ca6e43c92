"""How long a suggestion of the default strategy takes at 200 trials: 5 settings, one SLO, readings with 5 % noise."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is imported

import time
from typing import Any

AIM_MS = 100.0
TRIALS = 200
DIMENSION = 5


def run() -> dict[str, Any]:
    """Measure, and return rows of `trials`, `median_ms`, `mean_ms`, `p95_ms`: CPU time of single suggestions."""
    quick = bool(os.environ.get("TRIMTAB_BENCH_QUICK"))
    measured = [
        _measured(count, 5 if quick else 25) for count in ((TRIALS,) if quick else (20, 50, 100, TRIALS))
    ]
    at_200 = measured[-1]
    return {
        "name": "overhead",
        "rows": measured,
        "aims": {f"suggestion at {TRIALS} trials ≤ {AIM_MS:.0f} ms": at_200["mean_ms"] <= AIM_MS},
    }


def _measured(count: int, suggestions: int) -> dict[str, Any]:
    """The last suggestions before `count` trials, whatever is fitted anew among them included."""
    import numpy as np

    from trimtab.optimizer import Context, Observation, Parameter, Space
    from trimtab.optimizer.strategy import load

    space = Space(tuple(Parameter(f"app.x{i}", "range", 0, 10) for i in range(DIMENSION)))
    strategy = load("gaussian-process")(space, seed=0, n_constraints=1)
    random = np.random.default_rng(0)
    baseline = space.from_unit(np.full(DIMENSION, 0.5))
    times = []
    for number in range(count):
        point = space.from_unit(np.clip(0.4 + 0.25 * random.standard_normal(DIMENSION), 0, 1))
        if number >= count - suggestions:
            began = time.process_time()
            point = strategy.suggest(Context(number, count - number, baseline, baseline)).point
            times.append(1000 * (time.process_time() - began))
        at = space.to_unit(point)
        loss = float(
            ((at - 0.3) ** 2).sum() * (1 + 0.05 * random.standard_normal()) + 0.1 * np.sin(9 * at[0])
        )
        strategy.observe(Observation(point, loss, (float(at.sum() - 2.5 + 0.05 * random.standard_normal()),)))
    return {
        "trials": count,
        "median_ms": round(float(np.median(times)), 1),
        "mean_ms": round(float(np.mean(times)), 1),
        "p95_ms": round(float(np.percentile(times, 95)), 1),
        "suggestions": len(times),
    }


if __name__ == "__main__":
    print(run())

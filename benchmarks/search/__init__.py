"""How good is what the search returns: simulated services, and the 24 functions of BBOB in 5-D.

`python -m benchmarks.search --help` says how a part of it is run. Regret is that of what the user is handed in the end:
of ours the recommendation of the full course (baseline, confirmation and verification count against the budget; it is
the baseline if no improvement could be shown), of other samplers their best feasible reading. All start with the baseline.

- services: 0 is the optimum, 1 the baseline or anything that breaks an SLO; the mean over services and seeds.
- bbob: relative to noiseless random search with as many trials; the geometric mean over functions of ratios of means over
  seeds, each ratio at least 1e-6, so that a corner that is hit exactly does not decide the mean.

100 % of noise is a robust standard deviation of a function's values over its domain (interquartile range over 1.349): with
this definition random search scores 1.66 at 5 % and 2.51 at 15 %, as published beforehand in the project's plan.
"""

import os
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is imported: a run is one thread

__all__ = ["run"]

SEEDS = 10
_NOTES = """\
Regret of what is returned; ours includes baseline, confirmation and verification in its trials, and is that of the baseline \
where no improvement was shown; other samplers spend every trial on search and return their best feasible reading. bbob: \
geometric mean over 24 functions of the ratio to noiseless random search, each ratio at least 1e-6; instances are our own \
seeds. The corner of function 5 is hit exactly, so that this floor matters: without it that one ratio would make the mean \
as small as one likes. 100 % noise is a robust standard deviation of a function's values (interquartile range / 1.349), which \
reproduces the figures known for random search, TPE and CMA-ES. Settings of the model were chosen on seeds 0 to 2 and 20 to 31.

What bounds the figure without noise: on functions of many hills (4, 15, 17, 19, 23, 24) 100 trials find no more than TPE \
does; on the others it is a tenth of TPE's and less.

What bounds the noisy figures: on eight functions (2, 6, 8 to 12, 20) one reading at 15 % has a noise of 5 to 2000 times \
what random search leaves to be gained, on others (16, 19, 23) of its size; on all of these, readings near the optimum tell \
nothing apart, and what the model says of it rests on the shape of the whole. Up to a quarter of the trials goes into \
baseline, confirmation and verification, and a gain that cannot be told from noise is not claimed: the baseline is returned \
(services at 50 trials and 15 %: in one study of ten; caching, where there is only 13 to 30 % to be gained, is a third of the \
regret). \
Tried and left out, for they did no better: averaging over hyperparameters, an additive kernel, a part of the noise that \
grows with the height, turned axes under noise."""


def run(
    *, parts: tuple[str, ...] = ("services", "bbob"), seeds: int = SEEDS, jobs: int = 1, cached: bool = True
) -> dict[str, Any]:
    """Measure, and return `name`, `rows` and `aims`. With TRIMTAB_BENCH_QUICK, a sample of it in less than a minute."""
    from benchmarks.search import campaign, runs, summary

    samplers = [sampler for sampler in runs.SAMPLERS if campaign.available(sampler) is None]
    missing = {sampler: why for sampler in runs.SAMPLERS if (why := campaign.available(sampler))}
    if os.environ.get("TRIMTAB_BENCH_QUICK"):
        chosen = _sample(campaign.tasks(parts, ("random", "tpe", runs.OURS), 1, (20,)))
        cached = False
    else:
        chosen = campaign.tasks(parts, samplers, seeds)
    found = campaign.carry_out(chosen, jobs, campaign.CACHE if cached else None)
    table = summary.rows(found)
    # A sample is too small to judge an aim by.
    aims = {} if os.environ.get("TRIMTAB_BENCH_QUICK") else summary.aims(table)
    table += [{"sampler": sampler, "missing": why} for sampler, why in missing.items()]
    return {"name": "search", "rows": table, "aims": aims, "notes": _NOTES}


def _sample(tasks: list[Any]) -> list[Any]:
    names = {"1", "8", "15", "queueing", "caching", "compression"}
    return [task for task in tasks if task.problem in names and task.noise in {0.0, 0.15}]

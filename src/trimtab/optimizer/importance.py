"""How much each setting matters: total Sobol indices of the model over the space."""

import numpy as np

from trimtab.optimizer.gaussian.columns import Columns
from trimtab.optimizer.gaussian.landscape import Surface

__all__ = ["shares"]

_SAMPLES = 512


def shares(surface: Surface | None, columns: Columns) -> dict[str, float]:
    """The share of each searched setting in what varies; they sum to 1, all alike if nothing is known.

    A setting's total index is the share of variance that is left if all others are known (Jansen 1999), on the scale of
    the model, where a tail does not outweigh the rest.
    """
    names = [each.name for each in columns.space.free]
    even = dict.fromkeys(names, 1 / len(names))
    if surface is None:
        return even
    from scipy.stats import qmc  # a second to import, for what is asked once at the end

    sobol = qmc.Sobol(2 * columns.count, rng=np.random.default_rng(0)).random(_SAMPLES)
    first, second = columns.snap(sobol[:, : columns.count]), columns.snap(sobol[:, columns.count :])
    predict = surface.objective.posterior.predict
    base = predict(first)[0]
    totals = []
    for column in range(columns.count):
        mixed = first.copy()
        mixed[:, column] = second[:, column]
        totals.append(float(((base - predict(mixed)[0]) ** 2).mean()))
    total = sum(totals)
    # What a flat model varies by is rounding.
    if total <= 1e-9:  # noqa: PLR2004 - of a variance of 1
        return even
    return {name: each / total for name, each in zip(names, totals, strict=True)}

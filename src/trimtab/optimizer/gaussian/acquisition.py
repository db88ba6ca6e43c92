"""What a point is worth measuring for. Everything is minimised, on the scale of the model."""

import math

import numpy as np
from scipy.special import erfcx, log_ndtr, ndtri

from trimtab.optimizer.gaussian.columns import Array, Indices
from trimtab.optimizer.gaussian.posterior import Posterior

__all__ = ["knowledge_gradient", "log_expected_improvement", "log_improvement_slope"]

_NEAR, _FAR = -1.0, -1e4
_NODES = ndtri((np.arange(24) + 0.5) / 24)


def log_expected_improvement(means: Array, sds: Array, best: float) -> Array:
    """Logarithm of the expected improvement on `best`; exact enough where the improvement itself underflows."""
    return _log_unit_improvement((best - means) / sds) + np.log(sds)


def _log_unit_improvement(z: Array) -> Array:
    """log(φ(z) + z Φ(z)); below -1 by the scaled complementary error function, where the difference cancels.

    It is continuous, for its slope is followed uphill (Ament et al. 2023, "Unexpected improvements").
    """
    near = np.maximum(z, _NEAR)
    value = np.exp(-0.5 * near * near) / math.sqrt(2 * math.pi) + near * np.exp(log_ndtr(near))
    far = np.minimum(z, _NEAR)
    inside = np.maximum(far, _FAR)
    share = np.where(
        far > _FAR,
        np.log1p(inside * math.sqrt(math.pi / 2) * erfcx(-inside / math.sqrt(2))),
        -2 * np.log(-far),
    )
    tail = -0.5 * far * far - 0.5 * math.log(2 * math.pi) + share
    return np.asarray(np.where(z > _NEAR, np.log(value), tail))


def log_improvement_slope(
    mean: float, variance: float, slopes: tuple[Array, Array], best: float
) -> tuple[float, Array]:
    """`log_expected_improvement` at one point, and its derivative, given those of mean and variance."""
    sd = math.sqrt(variance)
    z = (best - mean) / sd
    value = float(_log_unit_improvement(np.array([z]))[0])
    rate = math.exp(float(log_ndtr(z)) - value)
    mean_slope, sd_slope = slopes[0], slopes[1] / (2 * sd)
    return value + math.log(sd), rate * (-mean_slope - z * sd_slope) / sd + sd_slope / sd


def knowledge_gradient(
    posterior: Posterior, points: Array, noise: float, measured: Indices
) -> tuple[Array, Array]:
    """How much lower the least posterior mean is expected to be after one more noisy reading.

    It values what is learned of every point, so it spreads where noise hides differences and repeats what is promising
    (Frazier, Powell and Dayanik 2009, over a finite set of points and nodes).

    Args:
        posterior: Of the objective.
        points: New points that may be measured, shape (m, count).
        noise: Standard deviation of a reading.
        measured: Indices of measured points that may be measured again, shape (k,).

    Returns:
        The gain for each of `points`, and for each of `measured`.
    """
    means, variances = posterior.predict(points)
    likely = np.argsort(means)[:60]
    known = posterior.readings.points
    cross = posterior.kernel.between(points, known)
    solved = cross @ posterior.inverse
    rugged = posterior.kernel.ruggedness
    believed = np.concatenate([posterior.measured_mean[measured], means[likely]])
    # Covariance of a new reading with what is believed of measured points, and of the likely new ones.
    with_measured = solved[:, measured] * posterior.noise[measured]
    with_likely = posterior.kernel.between(points, points[likely]) - solved @ cross[likely].T
    sd = np.sqrt(variances + rugged + noise**2)
    shifts = np.hstack([with_measured, with_likely]) / sd[:, None]
    itself = means[:, None] + ((variances + rugged) / sd)[:, None] * _NODES
    least = np.minimum(_least(believed, shifts), itself)
    again = _again(posterior, measured, with_measured[likely])
    now = float(believed.min())
    return now - least.mean(1), now - _least(believed, again).mean(1)


def _again(posterior: Posterior, measured: Indices, with_likely: Array) -> Array:
    """How beliefs shift, per standard deviation of a repeated reading: shape (k, k + likely)."""
    noise = posterior.noise[measured]
    inverse = posterior.inverse[np.ix_(measured, measured)]
    joint = np.diag(noise) - noise[:, None] * inverse * noise[None]
    reading = posterior.hyperparameters.noise * posterior.readings.noise[measured]
    sd = np.sqrt(np.maximum(np.diag(joint), 1e-12) + reading)
    return np.asarray(np.hstack([joint, with_likely.T]) / sd[:, None])


def _least(believed: Array, shifts: Array) -> Array:
    """The least belief at every node: shape (len(shifts), nodes)."""
    return np.asarray((believed[None, :, None] + shifts[:, :, None] * _NODES).min(1))

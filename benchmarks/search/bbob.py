"""The 24 noiseless functions of BBOB (Hansen, Finck, Ros, Auger: RR-6829, 2009), written from their definitions.

Shifts and rotations are drawn from our own seeds, so instances are not those of the COCO platform; the optimal value
is 0 in each, so that a value is a regret.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Raw = Callable[[Array], Array]

NUMBERS = tuple(range(1, 25))
LIMIT = 5.0
TYPICAL_SAMPLE = 4096


@dataclass(frozen=True)
class Function:
    """One instance. `values` maps points of shape (n, dimension) in [-5, 5] to regrets of shape (n,)."""

    number: int
    dimension: int
    optimum: Array
    values: Raw

    def __call__(self, point: Array) -> float:
        """The regret of one point."""
        return float(self.values(np.asarray(point, dtype=float)[None, :])[0])

    def spread(self) -> float:
        """A robust standard deviation of values over the domain (the interquartile range over 1.349): 100 % of noise."""
        draw = np.random.default_rng(self.number)
        sample = self.values(draw.uniform(-LIMIT, LIMIT, (TYPICAL_SAMPLE, self.dimension)))
        low, high = np.percentile(sample, [25, 75])
        return float(high - low) / 1.349


def make(number: int, dimension: int = 5, instance: int = 0) -> Function:
    """The function of this number (1 to 24), moved and turned by the instance's seed."""
    draw = np.random.default_rng([1_000_003, number, dimension, instance])
    optimum, values = _MAKERS[number](_Parts(draw, dimension))
    return Function(number, dimension, optimum, values)


class _Parts:
    """What the definitions are composed of, for one instance."""

    def __init__(self, draw: np.random.Generator, dimension: int) -> None:
        self.draw = draw
        self.d = dimension
        self.ramp = np.arange(dimension) / max(1, dimension - 1)
        self.optimum = draw.uniform(-4, 4, dimension)
        self.q = self.rotation()
        self.r = self.rotation()

    def rotation(self) -> Array:
        matrix, triangle = np.linalg.qr(self.draw.standard_normal((self.d, self.d)))
        return np.asarray(matrix * np.sign(np.diag(triangle)))

    def scaling(self, alpha: float) -> Array:
        return np.asarray(alpha ** (0.5 * self.ramp))

    def signs(self) -> Array:
        return np.where(self.draw.random(self.d) < 0.5, -1.0, 1.0)

    def asymmetric(self, x: Array, beta: float) -> Array:
        positive = np.maximum(x, 0)
        return np.where(x > 0, positive ** (1 + beta * self.ramp * np.sqrt(positive)), x)


def _oscillate(x: Array) -> Array:
    magnitude = np.log(np.where(x == 0, 1.0, np.abs(x)))
    first, second = np.where(x > 0, 10.0, 5.5), np.where(x > 0, 7.9, 3.1)
    waves = np.sin(first * magnitude) + np.sin(second * magnitude)
    return np.asarray(np.sign(x) * np.exp(magnitude + 0.049 * waves))


def _outside(x: Array) -> Array:
    return np.asarray((np.maximum(0, np.abs(x) - LIMIT) ** 2).sum(-1))


def _squares(z: Array) -> Array:
    return np.asarray((z * z).sum(-1))


def _ripples(z: Array) -> Array:
    return np.asarray(10 * (z.shape[-1] - np.cos(2 * np.pi * z).sum(-1)))


Made = tuple[Array, Raw]


def _sphere(p: _Parts) -> Made:
    return p.optimum, lambda x: _squares(x - p.optimum)


def _ellipsoid(p: _Parts) -> Made:
    weights = 10.0 ** (6 * p.ramp)
    return p.optimum, lambda x: (weights * _oscillate(x - p.optimum) ** 2).sum(-1)


def _rastrigin(p: _Parts) -> Made:
    def values(x: Array) -> Array:
        z = p.scaling(10) * p.asymmetric(_oscillate(x - p.optimum), 0.2)
        return _ripples(z) + _squares(z)

    return p.optimum, values


def _bueche_rastrigin(p: _Parts) -> Made:
    odd = np.arange(p.d) % 2 == 0
    optimum = np.where(odd, np.abs(p.optimum), p.optimum)

    def values(x: Array) -> Array:
        z = _oscillate(x - optimum)
        z = z * p.scaling(10) * np.where(odd & (z > 0), 10.0, 1.0)
        return _ripples(z) + _squares(z) + 100 * _outside(x)

    return optimum, values


def _linear_slope(p: _Parts) -> Made:
    optimum = LIMIT * np.sign(p.optimum)
    slopes = np.sign(optimum) * 10.0**p.ramp

    def values(x: Array) -> Array:
        z = np.where(optimum * x < LIMIT**2, x, optimum)
        return np.asarray((LIMIT * np.abs(slopes) - slopes * z).sum(-1))

    return optimum, values


def _attractive_sector(p: _Parts) -> Made:
    def values(x: Array) -> Array:
        z = (p.scaling(10) * ((x - p.optimum) @ p.r.T)) @ p.q.T
        z = z * np.where(z * p.optimum > 0, 100.0, 1.0)
        return np.asarray(_oscillate(_squares(z)) ** 0.9)

    return p.optimum, values


def _step_ellipsoid(p: _Parts) -> Made:
    weights = 10.0 ** (2 * p.ramp)

    def values(x: Array) -> Array:
        z = p.scaling(10) * ((x - p.optimum) @ p.r.T)
        steps = np.where(np.abs(z) > 0.5, np.floor(0.5 + z), np.floor(0.5 + 10 * z) / 10) @ p.q.T
        return 0.1 * np.maximum(np.abs(z[..., 0]) / 1e4, (weights * steps**2).sum(-1)) + _outside(x)

    return p.optimum, values


def _valley(z: Array) -> Array:
    return np.asarray((100 * (z[..., :-1] ** 2 - z[..., 1:]) ** 2 + (z[..., :-1] - 1) ** 2).sum(-1))


def _rosenbrock(p: _Parts) -> Made:
    optimum = 0.75 * p.optimum
    scale = max(1.0, p.d**0.5 / 8)
    return optimum, lambda x: _valley(scale * (x - optimum) + 1)


def _rotated_rosenbrock(p: _Parts) -> Made:
    scale = max(1.0, p.d**0.5 / 8)
    optimum = np.full(p.d, 0.5) @ p.r / scale
    return optimum, lambda x: _valley(scale * (x @ p.r.T) + 0.5)


def _rotated_ellipsoid(p: _Parts) -> Made:
    weights = 10.0 ** (6 * p.ramp)
    return p.optimum, lambda x: (weights * _oscillate((x - p.optimum) @ p.r.T) ** 2).sum(-1)


def _discus(p: _Parts) -> Made:
    weights = np.where(np.arange(p.d) == 0, 1e6, 1.0)
    return p.optimum, lambda x: (weights * _oscillate((x - p.optimum) @ p.r.T) ** 2).sum(-1)


def _bent_cigar(p: _Parts) -> Made:
    weights = np.where(np.arange(p.d) == 0, 1.0, 1e6)

    def values(x: Array) -> Array:
        z = p.asymmetric((x - p.optimum) @ p.r.T, 0.5) @ p.r.T
        return np.asarray((weights * z**2).sum(-1))

    return p.optimum, values


def _sharp_ridge(p: _Parts) -> Made:
    def values(x: Array) -> Array:
        z = (p.scaling(10) * ((x - p.optimum) @ p.r.T)) @ p.q.T
        return z[..., 0] ** 2 + 100 * np.sqrt(_squares(z[..., 1:]))

    return p.optimum, values


def _different_powers(p: _Parts) -> Made:
    powers = 2 + 4 * p.ramp
    return p.optimum, lambda x: np.sqrt((np.abs((x - p.optimum) @ p.r.T) ** powers).sum(-1))


def _rotated_rastrigin(p: _Parts) -> Made:
    def values(x: Array) -> Array:
        z = p.asymmetric(_oscillate((x - p.optimum) @ p.r.T), 0.2)
        z = (p.scaling(10) * (z @ p.q.T)) @ p.r.T
        return _ripples(z) + _squares(z)

    return p.optimum, values


def _weierstrass(p: _Parts) -> Made:
    octaves = np.arange(12)
    weights, waves = 0.5**octaves, 2 * np.pi * 3.0**octaves
    least = (weights * np.cos(waves * 0.5)).sum()

    def values(x: Array) -> Array:
        z = (p.scaling(0.01) * (_oscillate((x - p.optimum) @ p.r.T) @ p.q.T)) @ p.r.T
        total = (weights * np.cos(waves * (z[..., None] + 0.5))).sum((-1, -2))
        # The sum of cosines may undercut its least value by rounding.
        return 10 * np.maximum(0, total / p.d - least) ** 3 + 10 / p.d * _outside(x)

    return p.optimum, values


def _schaffers(p: _Parts, condition: float) -> Made:
    def values(x: Array) -> Array:
        z = p.scaling(condition) * (p.asymmetric((x - p.optimum) @ p.r.T, 0.5) @ p.q.T)
        s = np.sqrt(z[..., :-1] ** 2 + z[..., 1:] ** 2)
        return (np.sqrt(s) * (1 + np.sin(50 * s**0.2) ** 2)).mean(-1) ** 2 + 10 * _outside(x)

    return p.optimum, values


def _griewank_rosenbrock(p: _Parts) -> Made:
    scale = max(1.0, p.d**0.5 / 8)
    optimum = np.full(p.d, 0.5) @ p.r / scale

    def values(x: Array) -> Array:
        z = scale * (x @ p.r.T) + 0.5
        s = 100 * (z[..., :-1] ** 2 - z[..., 1:]) ** 2 + (z[..., :-1] - 1) ** 2
        return np.asarray(10 * (s / 4000 - np.cos(s)).mean(-1) + 10)

    return optimum, values


def _schwefel(p: _Parts) -> Made:
    signs = p.signs()
    optimum = 4.2096874633 / 2 * signs
    twice = 2 * np.abs(optimum)

    def values(x: Array) -> Array:
        turned = 2 * signs * x
        chained = turned.copy()
        chained[..., 1:] += 0.25 * (turned[..., :-1] - twice[:-1])
        z = 100 * (p.scaling(10) * (chained - twice) + twice)
        wells = (z * np.sin(np.sqrt(np.abs(z)))).mean(-1) / 100
        return np.asarray(4.189828872724339 - wells + 100 * _outside(z / 100))

    return optimum, values


def _gallagher(p: _Parts, peaks: int, reach: float, first: float) -> Made:
    optimum = p.optimum * (1.0 if peaks > 50 else 0.98)
    centres = np.vstack([optimum, p.draw.uniform(-reach, reach, (peaks - 1, p.d))])
    heights = np.concatenate([[10.0], 1.1 + 8 * np.arange(peaks - 1) / (peaks - 2)])
    alphas = np.concatenate([[first], p.draw.permutation(1000.0 ** (2 * np.arange(peaks - 1) / (peaks - 2)))])
    scales = np.array([p.draw.permutation(p.scaling(alpha)) / alpha**0.25 for alpha in alphas])

    def values(x: Array) -> Array:
        turned = (x[..., None, :] - centres) @ p.r.T
        hills = heights * np.exp(-(scales * turned**2).sum(-1) / (2 * p.d))
        return np.asarray(_oscillate(10 - hills.max(-1)) ** 2 + _outside(x))

    return optimum, values


def _katsuura(p: _Parts) -> Made:
    powers = 2.0 ** np.arange(1, 33)

    def values(x: Array) -> Array:
        z = (p.scaling(100) * ((x - p.optimum) @ p.r.T)) @ p.q.T
        scaled = z[..., None] * powers
        rough = (np.abs(scaled - np.round(scaled)) / powers).sum(-1)
        product = ((1 + np.arange(1, p.d + 1) * rough) ** (10 / p.d**1.2)).prod(-1)
        return 10 / p.d**2 * (product - 1) + _outside(x)

    return p.optimum, values


def _lunacek(p: _Parts) -> Made:
    signs, near = p.signs(), 2.5
    optimum = near / 2 * signs
    shrink = 1 - 1 / (2 * np.sqrt(p.d + 20) - 8.2)
    far = -np.sqrt((near**2 - 1) / shrink)

    def values(x: Array) -> Array:
        turned = 2 * signs * x
        z = (p.scaling(100) * ((turned - near) @ p.r.T)) @ p.q.T
        funnels = np.minimum(_squares(turned - near), p.d + shrink * _squares(turned - far))
        return funnels + _ripples(z) + 1e4 * _outside(x)

    return optimum, values


_MAKERS: dict[int, Callable[[_Parts], Made]] = {
    1: _sphere,
    2: _ellipsoid,
    3: _rastrigin,
    4: _bueche_rastrigin,
    5: _linear_slope,
    6: _attractive_sector,
    7: _step_ellipsoid,
    8: _rosenbrock,
    9: _rotated_rosenbrock,
    10: _rotated_ellipsoid,
    11: _discus,
    12: _bent_cigar,
    13: _sharp_ridge,
    14: _different_powers,
    15: _rotated_rastrigin,
    16: _weierstrass,
    17: lambda p: _schaffers(p, 10),
    18: lambda p: _schaffers(p, 1000),
    19: _griewank_rosenbrock,
    20: _schwefel,
    21: lambda p: _gallagher(p, 101, 5.0, 1000.0),
    22: lambda p: _gallagher(p, 21, 4.9, 1000.0**2),
    23: _katsuura,
    24: _lunacek,
}

"""Directions along which a landscape varies, where these are not the settings themselves.

Length scales belong to axes. Where settings act together, as in a valley that runs across them, no length scales of theirs
describe it, but those of turned axes do: the principal directions of the slope, as in active subspaces (Constantine 2015).
"""

import numpy as np

from trimtab.optimizer.gaussian.columns import Array
from trimtab.optimizer.gaussian.posterior import Posterior

__all__ = ["directions"]

_FLAT = 1e-12


def directions(posterior: Posterior) -> Array:
    """Principal directions of the posterior mean's slope at the measured points, each counted alike however steep.

    Returns:
        An orthonormal matrix of shape (count, count), a direction in each column; categories stay what they are.
    """
    columns = posterior.readings.columns
    numeric = np.flatnonzero(columns.numeric)
    slopes = np.array([posterior.slope(point)[2] for point in posterior.readings.points])[:, numeric]
    slopes /= np.linalg.norm(slopes, axis=1, keepdims=True) + _FLAT
    frame = np.eye(columns.count)
    frame[np.ix_(numeric, numeric)] = np.linalg.eigh(slopes.T @ slopes)[1]
    return frame

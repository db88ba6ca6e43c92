"""Columns and readings on which models are tried."""

from collections.abc import Callable

import numpy as np
import pytest

from trimtab.optimizer import Parameter, Space
from trimtab.optimizer.gaussian.columns import Columns
from trimtab.optimizer.gaussian.likelihood import Hyperparameters, Readings


@pytest.fixture(scope="session")
def line() -> Columns:
    """One continuous setting."""
    return Columns(Space((Parameter("a.x", "range", 0, 1),)))


@pytest.fixture(scope="session")
def square() -> Columns:
    """Two continuous settings."""
    return Columns(Space((Parameter("a.x", "range", 0, 1), Parameter("a.y", "range", 0, 1))))


@pytest.fixture(scope="session")
def mixed() -> Columns:
    """A continuous setting, a whole number and a category."""
    return Columns(
        Space(
            (
                Parameter("a.x", "range", 0, 1),
                Parameter("a.n", "range", 1, 9, 1, integer=True),
                Parameter("a.c", "enum", values=("r", "s", "t")),
            )
        )
    )


@pytest.fixture(scope="session")
def turned() -> Callable[..., np.ndarray | None]:
    """Axes at random angles of the numeric settings, or none: `turned(columns, random)`."""

    def make(columns, random):
        if random.random() < 0.5:
            return None
        numeric = np.flatnonzero(columns.numeric)
        frame = np.eye(columns.count)
        frame[np.ix_(numeric, numeric)] = np.linalg.qr(random.standard_normal((len(numeric), len(numeric))))[
            0
        ]
        return frame

    return make


@pytest.fixture(scope="session")
def read() -> Callable[..., Readings]:
    """Standardised readings at random points: `read(columns, random, count)`."""

    def make(columns, random, count, **fields):
        points = np.unique(columns.draw(random, count), axis=0)
        values = random.standard_normal(len(points))
        values = (values - values.mean()) / values.std()
        ones = np.ones(len(points))
        return Readings(columns, points, values, **{"counts": ones, "noise": ones} | fields)

    return make


@pytest.fixture(scope="session")
def believing() -> Callable[..., Hyperparameters]:
    """Hyperparameters in plain numbers, as standard deviations."""

    def make(scales, matern=1.0, bowl=1e-5, rugged=1e-5, noise=1e-5):
        return Hyperparameters(np.log([*scales, matern, bowl, rugged, noise]))

    return make

"""Applications made of arithmetic, for studies to tune."""

import os
from collections.abc import Callable

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: small matrices gain nothing from threads

import numpy as np
import pytest

from trimtab.optimizer import Budget, Goal, Outcome, Parameter, Point, Space, Study


@pytest.fixture
def mixed_space() -> Space:
    """Every kind of setting, one of them fixed."""
    return Space(
        (
            Parameter("web.timeout", "range", 0, 10, 0.5),
            Parameter("web.buffer", "range", 1, 10_000),
            Parameter("web.workers", "range", 1, 8, 1, integer=True),
            Parameter("web.codec", "enum", values=("none", "gzip", "zstd")),
            Parameter("web.batch", "enum", values=(1, 4, 2)),
            Parameter("web.mode", "enum", fixed="plain"),
        )
    )


@pytest.fixture
def start() -> Point:
    """A baseline in `mixed_space`."""
    return {
        "web.timeout": 5.0,
        "web.buffer": 10.0,
        "web.workers": 2,
        "web.codec": "none",
        "web.batch": 1,
        "web.mode": "plain",
    }


@pytest.fixture
def plane() -> Space:
    """Two continuous settings."""
    return Space((Parameter("app.x", "range", -5, 5), Parameter("app.y", "range", -5, 5)))


@pytest.fixture
def tuned(plane) -> Callable[..., Study]:
    """Carry out a study over `plane`: `tuned(lambda x, y: …, trials=20, noise=0.1, **study)`."""

    def carry_out(loss, *, trials=20, noise=0.0, slos=(), metrics=None, seed=0, **options):
        goal = Goal.parse("minimize loss", slos)
        options.setdefault("baseline", {"app.x": 4.0, "app.y": 4.0})
        study = Study(plane, goal, Budget(trials), seed=seed, **options)
        random = np.random.default_rng(seed + 1000)
        while (trial := study.ask()) is not None:
            x, y = trial.point["app.x"], trial.point["app.y"]
            found = {"loss": loss(x, y) + noise * random.standard_normal()}
            study.tell(trial.number, Outcome("ok", found | (metrics(x, y) if metrics else {})))
        return study

    return carry_out

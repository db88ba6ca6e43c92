"""Units that numbers in objectives and SLOs may carry, and how one is turned into another."""

from typing import NamedTuple

__all__ = ["UNITS", "Dimension", "convert", "dimension"]


class Dimension(NamedTuple):
    """What a unit measures.

    Args:
        name: In words, for errors.
        canonical: The unit a quantity takes when nothing says which one a metric has.
    """

    name: str
    canonical: str


TIME = Dimension("time", "ms")
SHARE = Dimension("share", "")
SIZE = Dimension("size", "bytes")
RATE = Dimension("rate", "rps")
CORES = Dimension("processor", "cores")

_BINARY = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}
_DECIMAL = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}

UNITS: dict[str, tuple[Dimension, float]] = {
    "ns": (TIME, 1e-9),
    "us": (TIME, 1e-6),
    "µs": (TIME, 1e-6),
    "ms": (TIME, 1e-3),
    "s": (TIME, 1.0),
    "m": (TIME, 60.0),
    "min": (TIME, 60.0),
    "h": (TIME, 3600.0),
    "d": (TIME, 86400.0),
    "%": (SHARE, 0.01),
    "": (SHARE, 1.0),
    "bytes": (SIZE, 1.0),
    "B": (SIZE, 1.0),
    **{prefix + "B": (SIZE, factor) for prefix, factor in (_BINARY | _DECIMAL).items()},
    **{prefix: (SIZE, factor) for prefix, factor in _BINARY.items()},
    "rps": (RATE, 1.0),
    "/s": (RATE, 1.0),
    "rpm": (RATE, 1.0 / 60.0),
    "cores": (CORES, 1.0),
}


def dimension(unit: str) -> Dimension | None:
    """What `unit` measures; None if it is not known here."""
    known = UNITS.get(unit)
    return known[0] if known else None


def convert(value: float, source: str, target: str) -> float:
    """`value` given in `source`, in `target`.

    Raises:
        ValueError: They measure different things, or one is unknown.
    """
    if source == target:
        return value
    from_, to = UNITS.get(source), UNITS.get(target)
    if from_ is None or to is None or from_[0] != to[0]:
        raise ValueError(f"{source!r} cannot be turned into {target!r}")
    # One rounding to twelve digits, so that 200ms is 0.2 s and not 0.2 and a bit.
    return float(f"{value * from_[1] / to[1]:.12g}")

"""Quantities as Kubernetes writes them: `500m` of a core, `256Mi` of memory."""

import math
import re
from fractions import Fraction

__all__ = ["cores", "octets"]

# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity: a number, then a suffix or an exponent.
# The kilo of Kubernetes is a small k; the original service read a large one as well.
_QUANTITY = re.compile(
    r"(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
    r"(?:(?P<suffix>[KMGTPE]i|[numkKMGTPE])|[eE](?P<exponent>[+-]?[0-9]{1,2}))?"
)
_SUFFIXES: dict[str | None, Fraction | int] = {
    None: 1,
    "k": 1000,
    **{f"{letter}i": 1024**power for power, letter in enumerate("KMGTPE", 1)},
    **{letter: 1000**power for power, letter in enumerate("KMGTPE", 1)},
    **{letter: Fraction(1, 1000**power) for power, letter in enumerate("mun", 1)},
}
_MAX_LENGTH = 64
MAX_CORES = 10_000
MAX_OCTETS = 2**60
_LEAST_OCTETS = 1024 * 1024


def cores(text: str) -> float:
    """Cores of a CPU quantity: `"750m"` is 0.75.

    Raises:
        ValueError: It is none, or less than a thousandth of a core, or more than any machine has.
    """
    value = _value(text)
    if not Fraction(1, 1000) <= value <= MAX_CORES:
        raise ValueError(f"{text!r} is not between 1m and {MAX_CORES} cores")
    return float(value)


def octets(text: str) -> int:
    """Bytes of a memory quantity: `"256Mi"` is 268435456, and so is `"268435456"`. A fraction of a byte is rounded up.

    Raises:
        ValueError: It is none, or less than 1Mi, or more than 1Ei.
    """
    value = math.ceil(_value(text))
    if not _LEAST_OCTETS <= value <= MAX_OCTETS:
        raise ValueError(f"{text!r} is not between 1Mi and 1Ei; it is {value} bytes")
    return value


def _value(text: str) -> Fraction:
    match = _QUANTITY.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if match is None:
        raise ValueError(
            f"{text[:_MAX_LENGTH]!r} is no quantity; write a number with a suffix as Kubernetes does: "
            "500m or 2 for cores, 256Mi or 4Gi for memory"
        )
    exponent = Fraction(10) ** int(match["exponent"] or 0)
    return Fraction(match["number"]) * exponent * _SUFFIXES[match["suffix"]]

"""Kubernetes' quantities: ``250m``, ``1Gi``, ``1e3``."""

from __future__ import annotations

import math
import re
from decimal import Decimal

__all__ = ["cpu_quantity", "memory_quantity", "quantity"]

MAX_LENGTH = 64
# The exponent has at most two digits: the largest quantity there is has eighteen zeros.
_FORM = re.compile(
    r"([+-]?(?:\d+\.?\d*|\.\d+))(?:(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE])|[eE]([+-]?\d{1,2}))?", re.ASCII
)
_FACTORS = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    **{
        suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)
    },
}


def quantity(text: str | float) -> Decimal:
    """Return a quantity as an exact number.

    Args:
        text: As the API writes it; manifests have bare numbers too.

    Raises:
        ValueError: It is none.
    """
    said = str(text)
    found = _FORM.fullmatch(said) if len(said) <= MAX_LENGTH else None
    if found is None or isinstance(text, bool):
        raise ValueError(
            f"{said[:MAX_LENGTH]!r} is no quantity: write a number with one of n u m k M G T P E Ki Mi Gi Ti Pi Ei"
        )
    number, suffix, exponent = found.groups()
    if exponent:
        return Decimal(number).scaleb(int(exponent))
    return Decimal(number) * _FACTORS[suffix] if suffix else Decimal(number)


def cpu_quantity(text: str | float) -> Decimal:
    """Return a quantity of CPU in cores: ``250m`` is 0.25.

    Raises:
        ValueError: It is none.
    """
    return quantity(text)


def memory_quantity(text: str | float) -> int:
    """Return a quantity of memory in bytes, a part of a byte rounded up as Kubernetes does: ``1Gi`` is 1073741824.

    Raises:
        ValueError: It is none.
    """
    return math.ceil(quantity(text))

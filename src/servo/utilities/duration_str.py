"""Durations as text: ``1h30m``, ``500ms``, ``2y4mm``, in the manner of Go with days, weeks, months and years.

Arithmetic is exact: a decimal number of any unit becomes a rational number of microseconds, the resolution of
``timedelta``, before it is rounded once.
"""

import re
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

__all__ = [
    "DurationError",
    "microseconds_from_duration_str",
    "timedelta_from_duration_str",
    "timedelta_to_duration_str",
]

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR

_MICROSECONDS: dict[str, Fraction | int] = {
    "ns": Fraction(1, 1000),
    "us": 1,
    "µs": 1,  # micro sign
    "μs": 1,
    "ms": 1000,
    "s": _SECOND,
    "m": _MINUTE,
    "h": _HOUR,
    "d": _DAY,
    "w": 7 * _DAY,
    "mm": 30 * _DAY,
    "y": 365 * _DAY,
}
_LARGEST_FIRST = ("y", "mm", "d", "h", "m")
_CLOCK_UNITS = ("h", "m")

_TERM = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)([a-zµμ]+)")
_TERMS = re.compile(rf"(?:{_TERM.pattern})+")
_MAX_LENGTH = 128


class DurationError(ValueError):
    """A text is no duration."""


def timedelta_from_duration_str(duration: str) -> timedelta:
    """Parse a duration such as ``"1h30m"``, to the microsecond.

    Raises:
        DurationError: If it is none, or more than a ``timedelta`` holds (about 2.7 million years).
    """
    try:
        return timedelta(microseconds=round(_parse(duration)))
    except OverflowError:
        raise DurationError(f"Duration '{duration}' is out of range: at most 999999999 days") from None


def microseconds_from_duration_str(duration: str) -> float:
    """Parse a duration such as ``"1h30m"`` into microseconds.

    Raises:
        DurationError: If it is none.
    """
    return float(_parse(duration))


def timedelta_to_duration_str(delta: timedelta, extended: bool = False) -> str:  # noqa: FBT001, FBT002  interface
    """Format a duration so that parsing the text gives it back exactly.

    Args:
        delta: The duration.
        extended: Use days, months (30 days) and years (365 days) too, not only units up to hours.
    """
    microseconds = _microseconds(delta)
    if microseconds < 0:
        return "-" + _format(-microseconds, extended=extended)
    return _format(microseconds, extended=extended)


def _microseconds(delta: timedelta) -> int:
    return (delta.days * 86_400 + delta.seconds) * _SECOND + delta.microseconds


def _parse(duration: str) -> Fraction:
    unsigned = duration[1:] if duration[:1] in {"+", "-"} else duration
    if unsigned == "0":
        return Fraction(0)
    if len(duration) > _MAX_LENGTH or not _TERMS.fullmatch(unsigned):
        raise DurationError(f"Invalid duration '{duration[:_MAX_LENGTH]}'")
    total = sum(
        (_term(number, unit, duration) for number, unit in _TERM.findall(unsigned)), start=Fraction(0)
    )
    return -total if duration[0] == "-" else total


def _term(number: str, unit: str, duration: str) -> Fraction:
    if unit not in _MICROSECONDS:
        raise DurationError(f"Unknown unit '{unit}' in duration '{duration}'")
    return Fraction(number) * _MICROSECONDS[unit]


def _format(microseconds: int, *, extended: bool) -> str:
    if microseconds < _SECOND:
        return _format_below_a_second(microseconds)
    text = ""
    for unit in _LARGEST_FIRST if extended else _CLOCK_UNITS:
        count, microseconds = divmod(microseconds, int(_MICROSECONDS[unit]))
        text += f"{count}{unit}" if count else ""
    return f"{text}{_decimal(microseconds, _SECOND)}s" if microseconds else text


def _format_below_a_second(microseconds: int) -> str:
    if microseconds == 0:
        return "0"
    if microseconds < 1000:  # noqa: PLR2004  a millisecond
        return f"{microseconds}us"
    return f"{_decimal(microseconds, 1000)}ms"


def _decimal(count: int, per: int) -> str:
    return f"{(Decimal(count) / per).normalize():f}"

"""Numbers as people read them: four digits that matter, never more."""

import math

__all__ = ["amount", "duration", "number", "percent", "quantity", "signed_percent", "value"]

MINUS, NONE = "\N{MINUS SIGN}", "\N{EN DASH}"
DIGITS = 4
_LARGE, _SMALL = 1e6, 1e-3
_SECONDS = ((86400, "d"), (3600, "h"), (60, "min"))


def number(value: float | None, digits: int = DIGITS) -> str:
    """`1234.5678` → `1,235`; `0.00012345` → `1.234e-4`; `None` and what is not finite → a dash."""
    if value is None or not math.isfinite(value):
        return NONE
    if value == 0:
        return "0"
    if not _SMALL <= abs(value) < _LARGE:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    rounded = float(f"{value:.{digits}g}")
    text = f"{rounded:,.{max(0, digits - 1 - math.floor(math.log10(abs(rounded))))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def amount(value: float | None, unit: str = "") -> str:
    """A number of a unit; bytes as MiB and the like."""
    if unit != "bytes" or value is None or not math.isfinite(value):
        return number(value)
    for power, name in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if abs(value) >= 2**power:
            return f"{number(value / 2**power, 3)} {name}"
    return f"{number(value)} B"


def quantity(value: float | None, unit: str = "") -> str:
    """A number with its unit: seconds below one as ms or µs, KiB and bytes as what is shortest."""
    if value is None or not math.isfinite(value):
        return NONE
    if unit in {"bytes", "KiB"}:
        return amount(value * 1024 if unit == "KiB" else value, "bytes")
    if unit == "s" and 0 < abs(value) < 1:
        return f"{number(value * 1e3)} ms" if abs(value) >= _SMALL else f"{number(value * 1e6)} µs"
    return f"{number(value)} {unit}" if unit else number(value)


def value(setting: object) -> str:
    """The value of a setting: numbers as they are, but for noise in the last digits."""
    if isinstance(setting, bool) or not isinstance(setting, int | float):
        return str(setting)
    return f"{setting:.10g}" if isinstance(setting, float) else str(setting)


def percent(share: float | None) -> str:
    """`0.4567` → `46 %`; with a decimal where that says more."""
    if share is None or not math.isfinite(share):
        return NONE
    hundred = share * 100
    text = f"{abs(hundred):,.0f}" if abs(hundred) >= 10 else f"{abs(hundred):.1f}"  # noqa: PLR2004  two digits in either case
    return f"{'' if hundred >= 0 or not float(text.replace(',', '')) else MINUS}{text} %"


def signed_percent(share: float | None) -> str:
    """The same with its sign."""
    text = percent(share)
    return text if share is None or share <= 0 or text == NONE else f"+{text}"


def duration(seconds: float | None) -> str:
    """`75` → `1 min 15 s`; at most two parts."""
    if seconds is None or not math.isfinite(seconds):
        return NONE
    if seconds < 60:  # noqa: PLR2004  a minute
        return f"{number(seconds, 2)} s"
    left, parts = round(seconds), []
    for length, unit in (*_SECONDS, (1, "s")):
        amount, left = divmod(left, length)
        if amount:
            parts.append(f"{amount} {unit}")
    return " ".join(parts[:2])

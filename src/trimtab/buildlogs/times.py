"""Times in front of lines."""

from datetime import datetime

__all__ = ["seconds_between"]


def seconds_between(begin: str, end: str) -> float | None:
    """Seconds from one time to another, to the millisecond; None if one is missing, is none, or they run backwards."""
    try:
        seconds = (_read(end) - _read(begin)).total_seconds()
    except (ValueError, TypeError):
        return None
    return round(seconds, 3) if seconds >= 0 else None


def _read(text: str) -> datetime:
    # Nanoseconds are more than datetime has.
    head, dot, rest = text.replace(",", ".").partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    return datetime.fromisoformat(
        f"{head}{dot}{digits[:6].ljust(6, '0') if dot else ''}{rest[len(digits) :]}"
    )

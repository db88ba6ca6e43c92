"""Small operations on text that commands and tables share."""

import re
from collections.abc import Sequence
from typing import Any

__all__ = [
    "check_status_to_str",
    "commandify",
    "join_to_series",
    "parse_csv",
    "parse_id",
    "parse_re",
    "without_password",
]


def join_to_series(items: Sequence[str], *, conjunction: str = "and", oxford_comma: bool = True) -> str:
    """Join items as English enumerates them: ``"a"``, ``"a and b"``, ``"a, b, and c"``."""
    if len(items) <= 2:  # noqa: PLR2004  two are joined by the conjunction alone
        return f" {conjunction} ".join(items)
    comma = "," if oxford_comma else ""
    return f"{', '.join(items[:-1])}{comma} {conjunction} {items[-1]}"


def commandify(path: str) -> str:
    """Turn a dotted path into the name of a command: ``"foo.bar.this_key"`` into ``"this-key"``."""
    return path.rpartition(".")[2].replace("_", "-").lower()


def parse_re(value: list[str] | None) -> list[str] | re.Pattern[str] | None:
    """Compile a one-element list that holds ``/a regular expression/``; leave all else as it is.

    Raises:
        ValueError: If the expression is not regular.
    """
    match value:
        case [str(text)] if len(text) > 1 and text[0] == text[-1] == "/":
            return _compiled(text[1:-1])
        case _:
            return value


def parse_csv(value: list[str] | None) -> list[str] | None:
    """Split a one-element list at its commas; leave all else as it is."""
    match value:
        case [str(text)] if "," in text:
            return [item.strip() for item in text.split(",")]
        case _:
            return value


def parse_id(value: list[str] | None) -> list[str] | re.Pattern[str] | None:
    """Read a one-element list as ``/a regular expression/`` or as a list with commas; leave all else as it is.

    Raises:
        ValueError: If the expression is not regular.
    """
    parsed = parse_re(value)
    return parsed if isinstance(parsed, re.Pattern) else parse_csv(parsed)


def check_status_to_str(check: Any) -> str:
    """Return the cell of a check's outcome: ``√ PASSED``, ``! WARNING`` or ``X FAILED``."""
    if check.success:
        return "√ PASSED"
    return "! WARNING" if check.warning else "X FAILED"


def _compiled(expression: str) -> re.Pattern[str]:
    try:
        return re.compile(expression)
    except re.error as error:
        raise ValueError(f"invalid regular expression /{expression}/: {error}") from error


def without_password(url: str) -> str:
    """Return ``url`` with all that stands before the last ``@`` masked: a password may hold any character."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "", url
    return f"{scheme}{separator}***@{rest.rpartition('@')[2]}" if "@" in rest else url

"""Text and values of a log as they may be shown, stored and sent: they move no terminal, and are JSON."""

import math
import re
from typing import Any, Final

__all__ = ["plain", "values"]

# What stands between a saved and a restored place and is cleared is a progress bar: nobody sees it any more.
_ESCAPES: Final = re.compile(
    r"\x1b7[^\x1b\n]{0,4096}\x1b8\x1b\[0?K|\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)|[@-Z\\^_]|[ -/][0-~])|\x9b[0-?]*[ -/]*[@-~]"
)
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_DEEPEST: Final = 64


def plain(text: str) -> str:
    """Without escape sequences and what is no character; tabs, newlines and carriage returns stay."""
    if "\x1b" in text or "\x9b" in text:
        text = _ESCAPES.sub("", text)
    return _CONTROLS.sub("", text)


def values(value: Any, depth: int = 0) -> Any:
    """A document that was found in a log, as JSON values with plain texts; what is deeper than is of any use is null."""
    if depth > _DEEPEST:
        return None
    if isinstance(value, dict):
        return {plain(str(key)): values(each, depth + 1) for key, each in value.items()}
    if isinstance(value, list | tuple | set):
        return [values(each, depth + 1) for each in value]
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return plain(str(value))

"""How deeply something is nested."""

from typing import Any

__all__ = ["is_deeper"]


def is_deeper(value: Any, limit: int) -> bool:
    """Whether lists and objects are nested beyond the limit; level by level, so that depth costs no stack."""
    level = [value]
    for _ in range(limit + 1):
        level = [each for part in level for each in _children(part)]
        if not level:
            return False
    return True


def _children(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()

"""Values looked up by key."""

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["value_for_key_path", "values_for_keys"]

_MISSING: Any = object()


def values_for_keys(obj: Mapping[Any, Any], keys: Iterable[Any]) -> list[Any]:
    """Return the value of each key, None where it is missing."""
    return [obj.get(key) for key in keys]


def value_for_key_path(obj: Any, key_path: str, default: Any = _MISSING) -> Any:
    """Follow a path such as ``"optimizer.id"`` through attributes and mappings.

    Args:
        obj: Where the path starts.
        key_path: Names joined by dots.
        default: What to return if any name on the way is missing, or leads on from None.

    Raises:
        ValueError: If a name is missing and there is no default.
    """
    value = obj
    for key in key_path.split("."):
        value = _lookup(value, key)
        if value is _MISSING:
            if default is _MISSING:
                raise ValueError(f"unknown key '{key}' in key path '{key_path}'")
            return default
    return value


def _lookup(obj: Any, key: str) -> Any:
    if isinstance(obj, Mapping):
        return obj.get(key, _MISSING)
    return getattr(obj, key, _MISSING)

"""A model's rule on unknown fields, relaxed for a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["extra"]


@contextmanager
def extra(obj: Any, policy: Any = "allow") -> Iterator[Any]:
    """Let attributes that are no fields be set on a Pydantic model in this block; they stay when it is over.

    They are attributes only: what is dumped are the fields that the class was compiled with.
    The rule belongs to the model's class: other objects of it are relaxed for so long too.

    Args:
        obj: The model.
        policy: ``"allow"``, ``"ignore"`` or ``"forbid"``.
    """
    cls = type(obj)
    config = cls.model_config
    # Assignments are validated against the fields as compiled, which no longer hears of a change of the rule.
    _configure(cls, {**config, "extra": getattr(policy, "value", policy), "validate_assignment": False})
    if obj.__pydantic_extra__ is None:
        object.__setattr__(obj, "__pydantic_extra__", {})
    try:
        yield obj
    finally:
        _configure(cls, config)


def _configure(cls: Any, config: Any) -> None:
    cls.model_config = config
    # Pydantic remembers for each attribute how it was set last.
    cls.__pydantic_setattr_handlers__.clear()

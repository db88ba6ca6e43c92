"""Sample values for configurations that are generated for a person to fill in."""

from __future__ import annotations

import types
from collections.abc import Mapping
from datetime import timedelta
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

__all__ = ["sample_values"]


def sample_values(model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value for every required field that is not given: its first example, else one of its type."""
    return {
        info.alias or name: info.examples[0] if info.examples else _sample(info.annotation, name)
        for name, info in model.model_fields.items()
        if info.is_required() and name not in given and (info.alias or name) not in given
    }


def _sample(annotation: Any, name: str) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _sample(arguments[0], name)
    if origin is Literal:
        return arguments[0]
    if origin in {Union, types.UnionType}:
        return _sample(arguments[0], name)
    kind = origin or annotation
    return _of_type(kind, name) if isinstance(kind, type) else name


def _of_type(kind: type, name: str) -> Any:
    if issubclass(kind, BaseModel):
        generate = getattr(kind, "generate", None)
        return generate() if generate else sample_values(kind, {})
    if issubclass(kind, Enum):
        return next(iter(kind)).value
    for known, sample in _SAMPLES:
        if issubclass(kind, known):
            return sample
    return name


_SAMPLES: tuple[tuple[Any, Any], ...] = (
    (bool, False),
    (int, 1),
    (float, 1.0),
    (timedelta, "1m"),
    ((list, tuple, set, frozenset), []),
    (Mapping, {}),
)

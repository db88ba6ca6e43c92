"""Configurations as YAML with the meaning of each field above it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from servo.configuration.base import dump_yaml

__all__ = ["commented_yaml"]

_WIDTH = 100


def commented_yaml(data: dict[str, Any], model: BaseModel) -> str:
    """Return ``data``, a plain form of ``model``, as YAML; each field's description is a comment above it."""
    return "".join(_lines(data, model, ""))


def _lines(data: dict[str, Any], model: BaseModel, indent: str) -> Iterator[str]:
    fields = {info.alias or name: (name, info) for name, info in type(model).model_fields.items()}
    for key, value in data.items():
        name, info = fields.get(key, (key, None))
        if info is not None and info.description:
            yield from _comment(info.description, indent)
        nested = getattr(model, name, None)
        if isinstance(nested, BaseModel) and isinstance(value, dict) and value:
            yield f"{indent}{dump_yaml({key: None}).split(':', 1)[0]}:\n"
            yield from _lines(value, nested, indent + "  ")
        else:
            yield textwrap.indent(dump_yaml({key: value}), indent)


def _comment(description: str, indent: str) -> Iterator[str]:
    for line in textwrap.wrap(" ".join(description.split()), _WIDTH - len(indent)):
        yield f"{indent}# {line}\n"

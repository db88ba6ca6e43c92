"""The files of a lock."""

import json
from typing import Any

import tomli_w

from trimtab.engines.request import Lock
from trimtab.inspection.specification import Specification

__all__ = ["lock_of"]


def lock_of(specification: Specification) -> Lock | None:
    """The lock of a specification, as files; None if it has none.

    A Pipfile is written as TOML, its lock as pipenv writes it: sorted, indented by four.
    """
    stack = specification.python
    if stack is None or stack.kind is None:
        return None
    if stack.lock is not None:
        texts = {name: text.encode() for name, text in stack.lock.files.items()}
        return Lock(stack.lock.kind, texts, specification.installer)
    pipfile = tomli_w.dumps(_without_null(stack.requirements or {})).encode()
    locked = json.dumps(stack.requirements_locked, indent=4, sort_keys=True).encode() + b"\n"
    return Lock("pipfile", {"Pipfile": pipfile, "Pipfile.lock": locked}, specification.installer)


def _without_null(value: Any) -> Any:
    """TOML has no null: what is null is not there."""
    if isinstance(value, dict):
        return {key: _without_null(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_null(each) for each in value if each is not None]
    return value

"""What is often asked of objects; they are dictionaries as the API gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["conditions", "label_selector", "owner_reference", "selector"]


def selector(labels: Mapping[str, str]) -> str:
    """Return labels as a selector of objects that have them all: ``app=shop,tier=web``."""
    return ",".join(f"{name}={value}" for name, value in labels.items())


def label_selector(spec: Mapping[str, Any] | None) -> str:
    """Return the ``selector`` of a workload as the API takes it in a query.

    Args:
        spec: A LabelSelector: ``matchLabels``, ``matchExpressions``.

    Raises:
        ValueError: An operator is none of In, NotIn, Exists and DoesNotExist.
    """
    found = spec or {}
    parts = [selector(found["matchLabels"])] if found.get("matchLabels") else []
    return ",".join(parts + [_requirement(each) for each in found.get("matchExpressions") or ()])


def _requirement(expression: Mapping[str, Any]) -> str:
    key, operator = expression["key"], expression["operator"]
    values = ",".join(expression.get("values") or ())
    forms: dict[str, str] = {
        "In": f"{key} in ({values})",
        "NotIn": f"{key} notin ({values})",
        "Exists": key,
        "DoesNotExist": f"!{key}",
    }
    if operator not in forms:
        raise ValueError(f"{operator!r} is no operator of a label selector")
    return forms[operator]


def owner_reference(
    owner: Mapping[str, Any], *, controller: bool = False, block_deletion: bool = False
) -> dict[str, Any]:
    """Return what an object has in ``metadata.ownerReferences`` so that it goes when its owner does.

    Args:
        owner: The object, with ``apiVersion`` and ``kind``, as a single get returns it. In the same namespace, or in none.
        controller: Whether the owner manages it; an object has one controller at most.
        block_deletion: Whether a deletion in the foreground waits for it.
    """
    metadata = owner["metadata"]
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": controller,
        "blockOwnerDeletion": block_deletion,
    }


def conditions(obj: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the conditions of an object's status by their type, e.g. ``Ready``."""
    return {each["type"]: each for each in (obj.get("status") or {}).get("conditions") or ()}

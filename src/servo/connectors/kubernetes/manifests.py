"""The fields of a workload or pod that can be adjusted: read from its manifest, and written into it.

A field is named by a path: ``replicas``, or a container and what of it: ``app/requests/cpu``, ``app/limits/memory``,
``app/env/THREADS``. Its value is what stands in the manifest, None where nothing does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from servo.kubernetes import quantity

__all__ = [
    "REPLICAS",
    "Fields",
    "Manifest",
    "ManifestError",
    "container",
    "differing",
    "pod_spec",
    "read",
    "same",
    "set_variable",
    "variable",
    "write",
]

Manifest: TypeAlias = dict[str, Any]
Fields: TypeAlias = dict[str, str | int | None]

REPLICAS = "replicas"


class ManifestError(LookupError):
    """A manifest does not have what is to be adjusted, or has it where it cannot be."""


_ENVIRONMENT = "env"


def pod_spec(manifest: Mapping[str, Any]) -> Manifest:
    """Return the specification of the pods of a workload, or of a pod."""
    spec: Manifest = manifest["spec"]
    inner: Manifest = spec["template"]["spec"] if "template" in spec else spec
    return inner


def container(manifest: Mapping[str, Any], name: str) -> Manifest:
    """Return a container.

    Raises:
        ManifestError: There is none of that name.
    """
    containers: list[Manifest] = pod_spec(manifest).get("containers") or []
    for each in containers:
        if each.get("name") == name:
            return each
    known = ", ".join(str(each.get("name")) for each in containers) or "none"
    raise ManifestError(f"there is no container {name}; there are: {known}")


def variable(of: Mapping[str, Any], name: str) -> Manifest | None:
    """Return the entry of an environment variable; the last, which is the one that counts."""
    return next((each for each in reversed(of.get("env") or ()) if each.get("name") == name), None)


def read(manifest: Mapping[str, Any], paths: Iterable[str]) -> Fields:
    """Return fields by path; variables whose value comes from elsewhere (``valueFrom``) are left out.

    Raises:
        ManifestError: A container is missing.
    """
    found: Fields = {}
    for path in paths:
        if path == REPLICAS:
            found[path] = manifest["spec"].get("replicas", 1)
            continue
        name, group, key = path.split("/", 2)
        within = container(manifest, name)
        if group == _ENVIRONMENT:
            entry = variable(within, key)
            if entry is None or "valueFrom" not in entry:
                found[path] = None if entry is None else str(entry.get("value", ""))
        else:
            value = ((within.get("resources") or {}).get(group) or {}).get(key)
            found[path] = None if value is None else str(value)
    return found


def write(manifest: Manifest, fields: Mapping[str, str | int | None]) -> None:
    """Set fields in place; None removes one.

    Raises:
        ManifestError: A container is missing, or a variable's value comes from elsewhere.
    """
    for path, value in fields.items():
        if path == REPLICAS:
            manifest["spec"]["replicas"] = value
            continue
        name, group, key = path.split("/", 2)
        within = container(manifest, name)
        if group == _ENVIRONMENT:
            _write_variable(within, key, value)
        else:
            _write_requirement(within, group, key, value)


def _write_variable(within: Manifest, name: str, value: str | int | None) -> None:
    entry = variable(within, name)
    if entry is not None and "valueFrom" in entry:
        raise ManifestError(
            f"the variable {name} takes its value from elsewhere (valueFrom) and cannot be adjusted"
        )
    if value is None:
        within["env"] = [each for each in within.get("env") or () if each.get("name") != name]
    else:
        set_variable(within, name, str(value))


def set_variable(within: Manifest, name: str, value: str) -> None:
    """Set a variable of a container in place, wherever its value came from."""
    entry = variable(within, name)
    if entry is None:
        entry = {"name": name}
        within["env"] = [*(within.get("env") or ()), entry]
    entry.pop("valueFrom", None)
    entry["value"] = value


def _write_requirement(within: Manifest, group: str, key: str, value: str | int | None) -> None:
    resources = within["resources"] = within.get("resources") or {}
    requirements = resources[group] = resources.get(group) or {}
    if value is None:
        requirements.pop(key, None)
    else:
        requirements[key] = value
    if not requirements:
        del resources[group]


def same(path: str, one: str | int | None, other: str | int | None) -> bool:
    """Whether two values of a field mean the same: ``0.5`` cores and ``500m`` do."""
    if one == other:
        return True
    if one is None or other is None or path == REPLICAS:
        return False
    return path.split("/", 2)[1] != _ENVIRONMENT and _amount(one) == _amount(other)


def differing(one: Mapping[str, str | int | None], other: Mapping[str, str | int | None]) -> list[str]:
    """Return the paths whose values differ, of those that both have."""
    return [path for path in one if path in other and not same(path, one[path], other[path])]


def _amount(value: str | int) -> Decimal | str:
    try:
        return quantity(str(value))
    except ValueError:
        return str(value)

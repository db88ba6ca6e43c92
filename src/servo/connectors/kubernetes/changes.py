"""What an optimizer asks for, as fields of a manifest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from servo.connectors.kubernetes.configuration import ContainerConfiguration, TargetConfiguration
from servo.connectors.kubernetes.manifests import REPLICAS, Fields, same
from servo.connectors.kubernetes.pods import Fault
from servo.types.api import Adjustment
from servo.types.settings import EnvironmentRangeSetting, EnvironmentSetting

__all__ = ["NAMES", "fields_of", "named_in", "paths_of", "refused", "text_of"]

NAMES = {"cpu": "cpu", "memory": "mem"}
"""What optimizers call the resources of Kubernetes."""

_REQUIREMENTS = ("requests", "limits")


def paths_of(config: TargetConfiguration, *, replicas: bool) -> list[str]:
    """Return the paths of all fields that may be adjusted.

    Args:
        config: The target.
        replicas: Whether its replicas are among them.
    """
    paths = [REPLICAS] if replicas else []
    for container in config.containers:
        for group in _REQUIREMENTS:
            paths += [f"{container.name}/{group}/{resource}" for resource in NAMES]
        paths += [_variable(container, setting) for setting in container.env]
    return paths


def fields_of(
    config: TargetConfiguration,
    components: Mapping[str, ContainerConfiguration],
    adjustments: Iterable[Adjustment],
) -> Fields:
    """Return what adjustments set.

    Args:
        config: The target.
        components: Its containers, by the name of their component.
        adjustments: Those of its components.

    Raises:
        ValueError: A setting is unknown, or cannot have its value; all reasons in one message.
    """
    fields: Fields = {}
    wrong = []
    for each in adjustments:
        try:
            fields.update(_fields(config, components[each.component_name], each))
        except ValueError as error:
            wrong.append(f"{each.selector}: {error}")
    if wrong:
        raise ValueError("; ".join(wrong))
    return fields


def refused(config: TargetConfiguration, wanted: Fields, live: Fields) -> str | None:
    """Return which pinned settings would be changed; None if none is."""
    pinned: dict[str, str] = {}
    for container in config.containers:
        for resource, kind in (("cpu", container.cpu), ("memory", container.memory)):
            if kind.pinned:
                pinned |= {f"{container.name}/{group}/{resource}": NAMES[resource] for group in _REQUIREMENTS}
        pinned |= {_variable(container, setting): setting.name for setting in container.env if setting.pinned}
    if config.replicas.pinned:
        pinned[REPLICAS] = REPLICAS
    changed = sorted(
        {name for path, name in pinned.items() if path in wanted and _changes(path, wanted, live)}
    )
    return f"pinned: {', '.join(changed)}" if changed else None


def _changes(path: str, wanted: Fields, live: Fields) -> bool:
    # What is not there cannot be changed by who only repeats what was reported.
    return live.get(path) is not None and not same(path, wanted[path], live[path])


def text_of(setting: EnvironmentSetting, value: Any) -> str:
    """Return the value of a variable as text.

    Raises:
        ValueError: It is no number, where it must be one.
    """
    kind = setting.value_type if isinstance(setting, EnvironmentRangeSetting) else None
    if kind is None:
        return str(value)
    return str(kind(value))  # type: ignore[operator]  # validated, it is the type


def named_in(fault: Fault, adjustments: Iterable[Adjustment]) -> str:
    """Return the adjustments whose setting a message speaks of, to be appended to it; empty if there are none."""
    text = fault.message.lower()
    words = {"mem": "memory"}
    named = [str(each) for each in adjustments if words.get(each.setting_name, each.setting_name) in text]
    return f" (adjusted: {', '.join(named)})" if named else ""


def _fields(
    config: TargetConfiguration, container: ContainerConfiguration, adjustment: Adjustment
) -> Iterator[tuple[str, str | int | None]]:
    name, value = adjustment.setting_name, adjustment.value
    if name == "cpu":
        rendered = container.cpu.render(value)
        yield from ((f"{container.name}/{each.key}/cpu", rendered) for each in container.cpu.set)
    elif name == "mem":
        rendered = container.memory.render(value)
        yield from ((f"{container.name}/{each.key}/memory", rendered) for each in container.memory.set)
    elif name == REPLICAS and container is config.containers[0]:
        yield REPLICAS, _count(value)
    else:
        setting = next((each for each in container.env if each.name == name), None)
        if setting is None:
            known = ["cpu", "mem", REPLICAS, *(each.name for each in container.env)]
            raise ValueError(f"there is no such setting; there are: {', '.join(known)}")
        yield _variable(container, setting), text_of(setting, value)


def _count(value: Any) -> int:
    number = float(value)
    if not number.is_integer() or number < 0:
        raise ValueError(f"{value} is no number of pods")
    return int(number)


def _variable(container: ContainerConfiguration, setting: EnvironmentSetting) -> str:
    return f"{container.name}/env/{setting.variable_name}"

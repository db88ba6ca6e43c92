"""What optimizers are told of a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from servo.connectors.kubernetes.configuration import ContainerConfiguration, TargetConfiguration
from servo.connectors.kubernetes.manifests import Manifest, container, variable
from servo.connectors.kubernetes.resources import ResourceConfiguration
from servo.types.api import Component
from servo.types.settings import EnvironmentRangeSetting, EnvironmentSetting, Replicas, Setting

__all__ = ["main_components", "tuning_components", "value_of", "workload_components"]

_MOST_REPLICAS = 99_999


def workload_components(config: TargetConfiguration, workload: Manifest, *, scaled: bool) -> list[Component]:
    """Return a workload that is adjusted itself: a component for each container, the replicas with the first.

    Args:
        config: What of it can be adjusted.
        workload: Its manifest.
        scaled: Whether an autoscaler sets its replicas.
    """
    replicas = config.replicas.model_copy(
        update={"value": _replicas(workload), "pinned": scaled or config.replicas.pinned}
    )
    return _components(config, workload, config.component, [replicas], pinned=False)


def main_components(config: TargetConfiguration, workload: Manifest) -> list[Component]:
    """Return a workload that is left alone beside its tuning pod: as it is, all pinned."""
    count = _replicas(workload)
    replicas = Replicas(min=0, max=max(_MOST_REPLICAS, count), value=count, pinned=True)
    return _components(config, workload, config.component, [replicas], pinned=True)


def tuning_components(config: TargetConfiguration, pod: Manifest, *, exists: bool) -> list[Component]:
    """Return a tuning pod, as it is, or as it would be if it does not exist."""
    replicas = Replicas(min=0, max=1, value=int(exists), pinned=True)
    return _components(config, pod, config.tuning_component, [replicas], pinned=False)


def _components(
    config: TargetConfiguration, manifest: Manifest, name: Any, replicas: Sequence[Setting], *, pinned: bool
) -> list[Component]:
    found = []
    for index, each in enumerate(config.containers):
        within = container(manifest, each.name)
        settings: list[Setting] = [
            each.cpu.describe(value_of(within, each.cpu), pinned=pinned),
            each.memory.describe(value_of(within, each.memory), pinned=pinned),
            *(replicas if index == 0 else ()),
            *_variables(within, each, pinned=pinned),
        ]
        found.append(Component(name=name(each), settings=settings))
    return found


def value_of(within: Mapping[str, Any], of: ResourceConfiguration) -> str | None:
    """Return what a container has of a resource: the first requirement in the order of ``get`` that is there."""
    resources = within.get("resources") or {}
    values = ((resources.get(each.key) or {}).get(of.resource) for each in of.get)
    return next((str(value) for value in values if value is not None), None)


def _variables(within: Manifest, of: ContainerConfiguration, *, pinned: bool) -> list[Setting]:
    return [_variable(within, setting, pinned=pinned) for setting in of.env]


def _variable(within: Manifest, setting: EnvironmentSetting, *, pinned: bool) -> Setting:
    entry = variable(within, setting.variable_name)
    if entry is None:
        return setting.model_copy(update={"pinned": pinned or setting.pinned})
    source = entry.get("valueFrom")
    value: Any = f"from {next(iter(source), 'elsewhere')}" if source else entry.get("value", "")
    if not source and isinstance(setting, EnvironmentRangeSetting):
        value = _number(value, setting)
    elif not source:
        value = next((each for each in getattr(setting, "values", ()) if str(each) == value), value)
    return setting.model_copy(update={"value": value, "pinned": pinned or setting.pinned or bool(source)})


def _number(text: str, setting: EnvironmentRangeSetting) -> Any:
    kind: Any = setting.value_type or float
    try:
        return kind(text)
    except ValueError:
        return text


def _replicas(workload: Manifest) -> int:
    return int(workload["spec"].get("replicas", 1))

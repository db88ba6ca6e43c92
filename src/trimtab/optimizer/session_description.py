"""What an agent says of its application, read from the wire form with suspicion."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trimtab.optimizer.errors import SpaceError
from trimtab.optimizer.session_messages import clean, finite
from trimtab.optimizer.space import MAX_PARAMETERS, MAX_VALUES, Point, Space, Value

__all__ = ["Component", "Description", "Setting", "differences", "tree"]

MAX_COMPONENTS = 64
MAX_SETTINGS = 4 * MAX_PARAMETERS  # pinned ones included
MAX_METRICS = 256
MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as described; the names of its fields are those of `servo.types.settings`."""

    name: str
    type: str
    pinned: bool
    unit: str
    value: Value | None
    min: float | None = None
    max: float | None = None
    step: float | None = None
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the application, and its settings."""

    name: str
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """An application: its settings and what can be measured of it.

    Args:
        components: Its parts.
        metrics: Unit of each metric by name.
    """

    components: tuple[Component, ...]
    metrics: Mapping[str, str]

    @classmethod
    def parse(cls, descriptor: object) -> "Description":
        """Read the `descriptor` of a DESCRIPTION.

        Raises:
            SpaceError: It is none; the error names the place.
        """
        application = _mapping(_mapping(descriptor, "descriptor").get("application"), "application")
        components = _mapping(application.get("components"), "application.components")
        _bound(components, MAX_COMPONENTS, "components")
        read = tuple(_component(_name(name), each) for name, each in components.items())
        if sum(len(each.settings) for each in read) > MAX_SETTINGS:
            raise SpaceError(f"the description has more than {MAX_SETTINGS} settings")
        measurement = _mapping(_mapping(descriptor, "descriptor").get("measurement") or {}, "measurement")
        return cls(read, _metrics(measurement.get("metrics") or {}))

    def to_dict(self) -> dict[str, Any]:
        """The wire form, of what was read; `parse` reads it."""
        components = {
            part.name: {"settings": {e.name: _described(e) for e in part.settings}}
            for part in self.components
        }
        metrics = {name: {"unit": unit} for name, unit in self.metrics.items()}
        return {"application": {"components": components}, "measurement": {"metrics": metrics}}

    @property
    def space(self) -> Space:
        """The settings as a space to search.

        Raises:
            SpaceError: Nothing in it can move, or a range is empty.
        """
        # It asks for what it reads, which are the fields above.
        described: Any = self
        return Space.from_description(described)

    @property
    def units(self) -> dict[str, str]:
        """Units of metrics and settings by name, where they have one."""
        settings = {name: each.unit for name, each in self.settings.items()}
        return {name: unit for name, unit in {**settings, **self.metrics}.items() if unit}

    @property
    def settings(self) -> dict[str, Setting]:
        """The settings by their full name, `component.setting`."""
        return {f"{part.name}.{each.name}": each for part in self.components for each in part.settings}

    def values(self, space: Space) -> Point:
        """The values that the settings of a space have now.

        Raises:
            SpaceError: The agent does not say that of one that is searched.
        """
        found = {name: each.value for name, each in self.settings.items()}
        if unknown := [each.name for each in space.free if found.get(each.name) is None]:
            raise SpaceError(
                f"the agent does not say which value {unknown[0]} has; it cannot be put back: pin it"
            )
        return {each.name: value for each in space.parameters if (value := found[each.name]) is not None}


def tree(point: Mapping[str, Value]) -> dict[str, Any]:
    """The param of ADJUST that sets a point."""
    components: dict[str, Any] = {}
    for name, value in point.items():
        component, _, setting = name.partition(".")
        components.setdefault(component, {"settings": {}})["settings"][setting] = {"value": value}
    return {"application": {"components": components}}


def differences(before: Space, after: Space) -> list[str]:
    """What differs between two descriptions of one application, in words; values aside."""
    old, new = ({each.name: each for each in space.parameters} for space in (before, after))
    gone = [f"{name} is gone" for name in old if name not in new]
    added = [f"{name} is new" for name in new if name not in old]
    return (
        gone + added + [f"{name} has another range" for name in old if name in new and old[name] != new[name]]
    )


def _described(setting: Setting) -> dict[str, Any]:
    """A setting in the wire form."""
    fields: dict[str, Any] = {"type": setting.type, "pinned": setting.pinned, "unit": setting.unit}
    fields |= {"values": list(setting.values)} if setting.type == "enum" else {}
    fields |= {key: getattr(setting, key) for key in ("min", "max", "step") if setting.type == "range"}
    return {**fields, "value": setting.value}


def _mapping(value: object, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SpaceError(f"the description has no object at {place}")
    return value


def _bound(value: Mapping[str, Any], limit: int, what: str) -> None:
    if len(value) > limit:
        raise SpaceError(f"the description has {len(value)} {what}; at most {limit} are possible")


def _name(name: str) -> str:
    if not name or name != clean(name, MAX_NAME):
        raise SpaceError(
            f"a name in the description is empty, or longer than {MAX_NAME} characters, or unprintable"
        )
    return name


def _component(name: str, component: object) -> Component:
    if "." in name:
        raise SpaceError(f"component {name!r}: a name with a dot cannot be told from its settings; rename it")
    settings = _mapping(_mapping(component, name).get("settings") or {}, f"{name}.settings")
    return Component(name, tuple(_setting(name, _name(key), each) for key, each in settings.items()))


def _setting(component: str, name: str, setting: object) -> Setting:
    place = f"{component}.{name}"
    fields = _mapping(setting, place)
    kind, unit, value = fields.get("type"), fields.get("unit") or "", fields.get("value")
    if kind not in {"range", "enum"}:
        raise SpaceError(f"{place}: its type is neither range nor enum")
    common = {
        "name": name,
        "type": kind,
        "pinned": fields.get("pinned") is True,
        "unit": clean(str(unit), MAX_NAME),
        "value": None if value is None else _value(place, value),
    }
    return Setting(**common, **(_values(place, fields) if kind == "enum" else _range(place, fields)))


def _values(place: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    values = fields.get("values")
    if not isinstance(values, list) or not 0 < len(values) <= MAX_VALUES:
        raise SpaceError(f"{place}: values is not a list of 1 to {MAX_VALUES} values")
    return {"values": tuple(_value(place, each) for each in values)}


def _range(place: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    ends = {key: _number(place, key, fields.get(key)) for key in ("min", "max", "step")}
    if fields.get("pinned") is not True and (ends["min"] is None or ends["max"] is None):
        raise SpaceError(f"{place}: a range that is not pinned needs min and max")
    return ends


def _number(place: str, key: str, value: object) -> int | float | None:
    if value is not None and finite(value) is None:
        raise SpaceError(f"{place}: {key} is not a finite number")
    return value if isinstance(value, int | float) else None


def _value(place: str, value: object) -> Value:
    if isinstance(value, str) and value == clean(value, MAX_NAME):
        return value
    if isinstance(value, int | float) and finite(value) is not None:
        return value
    raise SpaceError(
        f"{place}: a value is neither a finite number nor a text of at most {MAX_NAME} characters"
    )


def _metrics(metrics: object) -> dict[str, str]:
    read = _mapping(metrics, "measurement.metrics")
    _bound(read, MAX_METRICS, "metrics")
    return {_name(name): _unit(each) for name, each in read.items()}


def _unit(metric: object) -> str:
    unit = metric.get("unit") if isinstance(metric, Mapping) else None
    return clean(unit, MAX_NAME) if isinstance(unit, str) else ""

"""The settings that may be moved, as a space to search, and its coordinates between 0 and 1."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from trimtab.optimizer.errors import SpaceError

if TYPE_CHECKING:
    from servo.types.api import Description

__all__ = ["MAX_PARAMETERS", "MAX_VALUES", "Parameter", "Point", "Space"]

Value = int | float | str
Point = dict[str, Value]
Array = npt.NDArray[np.float64]

MAX_PARAMETERS = 64
MAX_VALUES = 1000
LOG_DECADES = 2.0
"""A range that spans more than this many decades is searched by its logarithm."""


@dataclass(frozen=True)
class Parameter:
    """One setting.

    Args:
        name: `component.setting`.
        kind: A range of numbers, or an enumeration of values.
        minimum: Least value of a range.
        maximum: Greatest value of a range.
        step: Between values of a range, from the minimum on; None for any value between.
        values: Of an enumeration.
        integer: Whether values of a range are written as whole numbers.
        fixed: The one value of a setting that is pinned or cannot move; it is not searched.
        unit: Of the value, for people.
    """

    name: str
    kind: Literal["range", "enum"]
    minimum: float = 0.0
    maximum: float = 1.0
    step: float | None = None
    values: tuple[Value, ...] = ()
    integer: bool = False
    fixed: Value | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        if self.fixed is None:
            self._check_range() if self.kind == "range" else self._check_values()

    def _check_range(self) -> None:
        ends = (self.minimum, self.maximum)
        if not all(map(math.isfinite, ends)) or self.minimum >= self.maximum:
            raise SpaceError(f"{self.name}: the minimum {ends[0]:g} is not below the maximum {ends[1]:g}")
        if self.step is not None and not (math.isfinite(self.step) and self.step > 0):
            raise SpaceError(f"{self.name}: the step {self.step:g} is not above 0")

    def _check_values(self) -> None:
        if not 1 < len(set(self.values)) == len(self.values) <= MAX_VALUES:
            raise SpaceError(f"{self.name}: 2 to {MAX_VALUES} different values are wanted")

    @property
    def categorical(self) -> bool:
        """Whether values have no order."""
        return self.kind == "enum" and any(isinstance(value, str) for value in self.values)

    @property
    def logarithmic(self) -> bool:
        """Whether values are searched by their logarithm."""
        return (
            self.kind == "range"
            and self.minimum > 0
            and math.log10(self.maximum / self.minimum) > LOG_DECADES
        )

    @cached_property
    def levels(self) -> int | None:
        """How many values there are; None if any number between two is one."""
        if self.fixed is not None:
            return 1
        if self.kind == "enum":
            return len(self.values)
        if self.step is None:
            return int(self.maximum - self.minimum) + 1 if self.integer else None
        # A hair more than the quotient: 0.3 / 0.1 is 2.9999999999999996 in binary.
        return math.floor((self.maximum - self.minimum) / self.step * (1 + 1e-12) + 1e-9) + 1

    @cached_property
    def ordered(self) -> tuple[Value, ...]:
        """The values of an enumeration: numbers by size, words as they were given."""
        return self.values if self.categorical else tuple(sorted(self.values, key=float))

    def contains(self, value: object) -> bool:
        """Whether `value` is one this setting may take."""
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return False
        return self.snap(value) == value if self._fits(value) else False

    def _fits(self, value: Value) -> bool:
        if self.fixed is not None or self.kind == "enum":
            return True
        if isinstance(value, str) or not math.isfinite(value):
            return False
        return self.minimum <= value <= self.maximum

    def snap(self, value: Value) -> Value:
        """The nearest value this setting may take.

        Raises:
            SpaceError: There is no nearest, for it is of another type.
        """
        if self.fixed is not None:
            return self.fixed
        if self.kind == "enum":
            return self._snap_to_values(value)
        if isinstance(value, str) or not math.isfinite(value):
            raise SpaceError(f"{self.name}: {value!r} is not a finite number")
        return self._on_grid(value)

    def _snap_to_values(self, value: Value) -> Value:
        if value in self.values:
            return self.values[self.values.index(value)]
        if self.categorical or isinstance(value, str):
            raise SpaceError(f"{self.name}: {value!r} is none of {', '.join(map(str, self.values))}")
        return min(self.ordered, key=lambda each: abs(float(each) - value))

    def _on_grid(self, value: float) -> Value:
        value = min(max(value, self.minimum), self.maximum)
        if self.step is None:
            return round(value) if self.integer else float(value)
        levels = self.levels
        assert levels is not None
        index = min(max(round((value - self.minimum) / self.step), 0), levels - 1)
        # In decimal, so that the third step of 0.1 is 0.3 and not 0.30000000000000004.
        exact = Decimal(repr(self.minimum)) + index * Decimal(repr(self.step))
        return int(exact) if self.integer else float(exact)

    def to_unit(self, value: Value) -> float:
        """The coordinate of a value, between 0 and 1; of words, the middle of their cell."""
        if self.kind == "enum":
            index = self.ordered.index(self._snap_to_values(value))
            return (index + 0.5) / len(self.values) if self.categorical else index / (len(self.values) - 1)
        number = float(value)
        if self.logarithmic:
            return math.log(number / self.minimum) / math.log(self.maximum / self.minimum)
        return (number - self.minimum) / (self.maximum - self.minimum)

    def from_unit(self, coordinate: float) -> Value:
        """The value nearest to a coordinate."""
        coordinate = min(max(float(coordinate), 0.0), 1.0)
        if self.kind == "enum":
            return self._value_at(coordinate)
        if self.logarithmic:
            value = self.minimum * (self.maximum / self.minimum) ** coordinate
        else:
            value = self.minimum + coordinate * (self.maximum - self.minimum)
        # Nobody sets a timeout to seventeen digits.
        return self._on_grid(float(f"{value:.10g}"))

    def _value_at(self, coordinate: float) -> Value:
        count = len(self.values)
        index = int(coordinate * count) if self.categorical else round(coordinate * (count - 1))
        return self.ordered[min(index, count - 1)]


@dataclass(frozen=True)
class Space:
    """All settings: those that are searched (`free`), in this order, and those that are fixed.

    Args:
        parameters: Their names differ.
    """

    parameters: tuple[Parameter, ...]
    _by_name: dict[str, Parameter] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {each.name: each for each in self.parameters})
        if len(self._by_name) != len(self.parameters):
            raise SpaceError("two settings have the same name")
        if not self.free:
            raise SpaceError("there is nothing to search: every setting is pinned or has a single value")
        if len(self.free) > MAX_PARAMETERS:
            raise SpaceError(f"{len(self.free)} settings are to be searched; {MAX_PARAMETERS} are possible")

    @classmethod
    def from_description(cls, description: "Description") -> "Space":
        """The space of an application's description; pinned settings are fixed parts of each point.

        Raises:
            SpaceError: Nothing in it can move, or a range is empty.
        """
        found = (
            _parameter(f"{component.name}.{setting.name}", setting)
            for component in description.components
            for setting in component.settings
        )
        return cls(tuple(parameter for parameter in found if parameter is not None))

    @cached_property
    def free(self) -> tuple[Parameter, ...]:
        """The parameters that are searched."""
        return tuple(each for each in self.parameters if each.fixed is None)

    @property
    def dimensions(self) -> int:
        """How many parameters are searched."""
        return len(self.free)

    def size(self) -> int | None:
        """How many points there are; None if some setting takes any number between two."""
        levels = [each.levels for each in self.free]
        return None if None in levels else math.prod(level for level in levels if level is not None)

    def contains(self, point: Mapping[str, object]) -> bool:
        """Whether `point` has exactly these settings, each with a value it may take."""
        return point.keys() == self._by_name.keys() and all(
            parameter.contains(point[parameter.name]) for parameter in self.parameters
        )

    def snap(self, point: Mapping[str, Value]) -> Point:
        """The nearest point of the space.

        Raises:
            SpaceError: A setting is missing, unknown, or of another type.
        """
        if unknown := sorted(point.keys() - self._by_name.keys()):
            raise SpaceError(f"unknown setting {unknown[0]!r}; there are {', '.join(self._by_name)}")
        missing = [each.name for each in self.free if each.name not in point]
        if missing:
            raise SpaceError(f"no value of {missing[0]!r}")
        return {each.name: each.snap(point.get(each.name, "")) for each in self.parameters}

    def to_unit(self, point: Mapping[str, Value]) -> Array:
        """Coordinates of a point: shape (dimensions,), each in [0, 1]."""
        return np.array([each.to_unit(point[each.name]) for each in self.free])

    def from_unit(self, coordinates: Sequence[float] | Array) -> Point:
        """The point nearest to coordinates."""
        moving = {p.name: p.from_unit(float(x)) for p, x in zip(self.free, coordinates, strict=True)}
        return {p.name: moving[p.name] if p.fixed is None else p.fixed for p in self.parameters}

    def differences(
        self, before: Mapping[str, Value], after: Mapping[str, Value]
    ) -> dict[str, tuple[Value, Value]]:
        """What differs between two points: name → (before, after)."""
        names = [each.name for each in self.parameters]
        return {name: (before[name], after[name]) for name in names if before[name] != after[name]}


def _parameter(name: str, setting: Any) -> Parameter | None:
    """A setting of a description; None for a pinned one whose value is not known."""
    unit = str(setting.unit or "")
    if setting.pinned:
        return (
            None if setting.value is None else Parameter(name, setting.type, fixed=setting.value, unit=unit)
        )
    return _enumeration(name, setting, unit) if setting.type == "enum" else _range(name, setting, unit)


def _enumeration(name: str, setting: Any, unit: str) -> Parameter:
    values = tuple(dict.fromkeys(setting.values))
    return Parameter(name, "enum", values=values, unit=unit, fixed=values[0] if len(values) == 1 else None)


def _range(name: str, setting: Any, unit: str) -> Parameter:
    minimum, maximum, step = setting.min, setting.max, setting.step or None
    numbers = [minimum, maximum] + ([step] if step else [])
    integer = all(isinstance(number, int) for number in numbers)
    if getattr(setting, "value_type", None) is not None:
        integer = str(setting.value_type) == "int"
    return Parameter(
        name,
        "range",
        float(minimum),
        float(maximum),
        float(step) if step else None,
        integer=integer,
        fixed=minimum if minimum == maximum else None,
        unit=unit,
    )

"""Settings that take numbers of a range."""

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal, Self

from loguru import logger
from pydantic import Field, StrictInt, model_validator

from servo.types.setting import Numeric, Setting

__all__ = ["CPU", "Memory", "RangeSetting", "Replicas"]


class RangeSetting(Setting):
    """A setting that takes numbers from ``min`` to ``max``, ``step`` apart.

    A range that makes no sense, and a value outside of it, are warned of but accepted: what runs is described as it is.
    """

    type: Literal["range"] = "range"
    min: Numeric
    max: Numeric
    step: Numeric
    value: Numeric | None = None

    wire_keys: ClassVar[tuple[str, ...]] = ("type", "pinned", "unit", "value", "min", "max", "step")

    @model_validator(mode="after")
    def _warn_of_faults(self) -> Self:
        for fault in self._faults():
            logger.warning(fault)
        return self

    def _faults(self) -> Iterable[str]:
        yield from self._type_faults()
        if self.value is not None and not self.min <= self.value <= self.max:
            yield f"invalid value: {self.value} is outside of the range {self.min}-{self.max}"
        if self.min > self.max:
            yield f"min cannot be greater than max ({self.min} > {self.max})"
        elif self.min == self.max:
            if self.step != 0:
                yield (
                    "step must be zero when min equals max:"
                    f" step {self.step} cannot step from {self.min} to {self.max}"
                )
        elif self.step == 0:
            yield "step cannot be zero"
        elif (_exact(self.max) - _exact(self.min)) % _exact(self.step):
            yield self._alignment_fault()

    def _type_faults(self) -> Iterable[str]:
        names: dict[str, list[str]] = {}
        for field in ("min", "max", "step"):
            names.setdefault(type(getattr(self, field)).__name__, []).append(field)
        if names.keys() == {"int", "float"}:
            parts = " ".join(f"{kind}: {', '.join(fields)}." for kind, fields in names.items())
            yield f"invalid range: min, max, and step must all be of the same Numeric type ({parts})"

    def _alignment_fault(self) -> str:
        low, high, step = (_exact(number) for number in (self.min, self.max, self.step))
        span = high - low
        fewer, more = math.floor(span / step) * step, math.ceil(span / step) * step
        number = type(self.step)
        return (
            f"{type(self).__name__}({self.name!r} {self.min}-{self.max}, {self.step})"
            f" min/max difference is not step aligned: {number(span)} is not a multiple of {self.step}"
            f" (consider min {number(high - fewer)} or {number(high - more)},"
            f" max {number(low + fewer)} or {number(low + more)})."
        )

    def summary(self) -> str:
        """Return the kind of setting, its range, step and unit."""
        low, high, step = (self.human_readable(number) for number in (self.min, self.max, self.step))
        return f"{type(self).__name__}(range=[{low}..{high}], step={step}, unit={self.unit!s})"

    def __opsani_repr__(self) -> dict[str, Any]:
        """Return ``{name: {"type": "range", "min": ..., "max": ..., "step": ..., ...}}``."""
        return self._wire()


class CPU(RangeSetting):
    """Processor cores, as floating point numbers."""

    name: Literal["cpu"] = "cpu"
    unit: str | None = "cores"
    min: Annotated[float, Field(gt=0)]
    max: float
    step: float = 0.125
    value: float | None = None


class Memory(RangeSetting):
    """Memory, in GiB."""

    name: Literal["mem"] = "mem"
    unit: str | None = "GiB"

    def _faults(self) -> Iterable[str]:
        if self.min <= 0:
            yield "min must be greater than zero"
        yield from super()._faults()


class Replicas(RangeSetting):
    """A number of instances."""

    name: Literal["replicas"] = "replicas"
    min: StrictInt
    max: StrictInt
    step: StrictInt = 1
    value: StrictInt | None = None


def _exact(number: float) -> Fraction:
    # By the shortest text: 0.3 - 0.1 is a multiple of 0.1 to everyone but a binary computer.
    return Fraction(str(number))

"""The `cpu` and `memory` of a container in the configuration."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from servo.configuration import AbstractBaseConfiguration
from servo.connectors.kubernetes.quantities import GIBIBYTE, Core, ShortByteSize
from servo.kubernetes import cpu_quantity, memory_quantity
from servo.types import settings

__all__ = ["CPU", "Memory", "Requirement", "ResourceConfiguration"]


class Requirement(StrEnum):
    """What a container says of a resource."""

    request = "request"
    """What it is given for certain."""
    limit = "limit"
    """What it cannot exceed."""

    @property
    def key(self) -> str:
        """The name of the mapping in a container: ``requests`` or ``limits``."""
        return f"{self.value}s"


_BOTH = [Requirement.request, Requirement.limit]


class ResourceConfiguration(AbstractBaseConfiguration):
    """How much of a resource a container may be given."""

    resource: ClassVar[str]
    """Its name in Kubernetes."""
    setting: ClassVar[str]
    """Its name to optimizers."""

    pinned: bool = Field(default=False, description="Report it, and refuse to change it.")
    unit: str | None = Field(default=None, max_length=32, description="Unit, to be shown.")
    get: list[Requirement] = Field(
        default=_BOTH,
        min_length=1,
        max_length=2,
        description="Where the value is read: the first that is there.",
    )
    set: list[Requirement] = Field(
        default=_BOTH, min_length=1, max_length=2, description="Where an adjustment writes it."
    )

    def render(self, value: Any) -> str:
        """Return an optimizer's value as Kubernetes writes it.

        Raises:
            ValueError: It is no such quantity.
        """
        raise NotImplementedError

    def describe(self, value: str | None, *, pinned: bool = False) -> settings.Setting:
        """Return the setting that optimizers see.

        Args:
            value: What the container has, as Kubernetes writes it.
            pinned: Whether it may not be changed, whatever the configuration says.
        """
        raise NotImplementedError


class CPU(ResourceConfiguration):
    """Processor cores of a container."""

    resource = "cpu"
    setting = "cpu"

    min: Core = Field(description="Least, e.g. `250m`.")
    max: Core = Field(description="Most.")
    step: Core = Field(description="Distance between neighbouring values.")
    value: Core | None = Field(default=None, description="Value; what runs counts instead.")
    request: Core | None = Field(default=None, description="Request of a new tuning pod.")
    limit: Core | None = Field(default=None, description="Limit of a new tuning pod.")

    def render(self, value: Any) -> str:
        """Return cores as Kubernetes writes them.

        Raises:
            ValueError: It is no number of cores, or no whole number of thousandths.
        """
        cores = Core.parse(value)
        if cores * 1000 % 1:
            raise ValueError(
                f"{value} cores are no whole number of thousandths, the least that Kubernetes allots"
            )
        return str(cores)

    def describe(self, value: str | None, *, pinned: bool = False) -> settings.Setting:
        """Return the setting, in cores."""
        return settings.CPU(
            min=float(self.min),
            max=float(self.max),
            step=float(self.step),
            value=None if value is None else float(cpu_quantity(value)),
            pinned=pinned or self.pinned,
            unit=self.unit or "cores",
        )


class Memory(ResourceConfiguration):
    """Memory of a container."""

    resource = "memory"
    setting = "mem"

    min: ShortByteSize = Field(description="Least, e.g. `256Mi`.")
    max: ShortByteSize = Field(description="Most.")
    step: ShortByteSize = Field(description="Distance between neighbouring values.")
    value: ShortByteSize | None = Field(default=None, description="Value; what runs counts instead.")
    request: ShortByteSize | None = Field(default=None, description="Request of a new tuning pod.")
    limit: ShortByteSize | None = Field(default=None, description="Limit of a new tuning pod.")

    def render(self, value: Any) -> str:
        """Return GiB, or a text with a unit, as Kubernetes writes it.

        Raises:
            ValueError: It is no amount of memory.
        """
        if isinstance(value, int) and not isinstance(value, bool):
            value = float(value)  # optimizers mean GiB
        if isinstance(value, str) and value.strip().isdigit():
            value = f"{value.strip()}.0"
        return str(ShortByteSize.parse(value))

    def describe(self, value: str | None, *, pinned: bool = False) -> settings.Setting:
        """Return the setting, in GiB."""
        return settings.Memory(
            min=self.min / GIBIBYTE,
            max=self.max / GIBIBYTE,
            step=self.step / GIBIBYTE,
            value=None if value is None else memory_quantity(value) / GIBIBYTE,
            pinned=pinned or self.pinned,
            unit=self.unit or "GiB",
        )

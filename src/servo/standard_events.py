"""The events that every servo knows. Importing this declares them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final, Protocol

from servo.events import Event, declare, get_event
from servo.types.api import Adjustment, Component, Control, Description, Measurement
from servo.types.checks import Check, CheckFilter
from servo.types.metadata import ErrorSeverity
from servo.types.metrics import Metric

__all__ = ["Events"]


class Events(StrEnum):
    """Their names."""

    attach = "attach"
    detach = "detach"
    startup = "startup"
    shutdown = "shutdown"
    metrics = "metrics"
    components = "components"
    check = "check"
    describe = "describe"
    measure = "measure"
    adjust = "adjust"
    promote = "promote"


class _Signatures(Protocol):
    """Their signatures: what each asks of a connector. ``servo_`` is the `Servo`, of a higher layer."""

    async def attach(self, servo_: Any) -> None:
        """Prepare for work as part of ``servo_``."""

    async def detach(self, servo_: Any) -> None:
        """Clean up after the work as part of ``servo_``."""

    async def startup(self) -> None:
        """The servo starts."""

    async def shutdown(self) -> None:
        """The connector is being removed while the servo runs, or the servo stops."""

    async def metrics(self) -> list[Metric]:
        """Tell which metrics can be measured."""

    async def components(self) -> list[Component]:
        """Tell which components can be adjusted."""

    async def check(
        self, matching: CheckFilter | None, halt_on: ErrorSeverity | None = ErrorSeverity.critical
    ) -> list[Check]:
        """Verify that the connector can work."""

    async def describe(self, control: Control = Control()) -> Description:  # noqa: B008  the default of the wire
        """Tell the components with their current settings, and the metrics."""

    async def measure(self, *, metrics: list[str] | None = None, control: Control = Control()) -> Measurement:  # noqa: B008  as above
        """Measure some metrics, all by default."""

    async def adjust(self, adjustments: list[Adjustment], control: Control = Control()) -> Description:  # noqa: B008  as above
        """Apply settings, and tell which are in force then."""

    async def promote(self) -> None:
        """Make the settings that are in force permanent."""


def _declare() -> dict[str, Event]:
    return {
        event.value: get_event(event.value, None) or declare(event.value, getattr(_Signatures, event.value))
        for event in Events
    }


STANDARD: Final = _declare()
"""The events themselves, by name."""

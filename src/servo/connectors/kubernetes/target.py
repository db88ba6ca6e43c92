"""What both strategies have in common: a target whose settings are tried, and then accepted or taken back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from servo.connectors.kubernetes.configuration import ContainerConfiguration, TargetConfiguration
from servo.connectors.kubernetes.lease import Right
from servo.connectors.kubernetes.manifests import Manifest
from servo.connectors.kubernetes.options import FailureMode
from servo.connectors.kubernetes.patience import Tell
from servo.types.api import Adjustment, Component

__all__ = ["Attempt", "Committed", "Request", "Target"]


class Committed(Protocol):
    """Tells whether a trial was accepted at another target."""

    async def __call__(self, trial: str) -> bool:
        """Return whether it was."""


@dataclass(frozen=True, slots=True)
class Request:
    """An adjustment of a target.

    Attributes:
        id: The same for all targets that are adjusted together.
        adjustments: Those of this target's components.
        settlement: Seconds it must stay ready.
        tell: Told of what is waited for.
    """

    id: str
    adjustments: Iterable[Adjustment]
    settlement: float
    tell: Tell


class Target(Protocol):
    """A workload, or a tuning pod beside it."""

    config: TargetConfiguration
    right: Right

    async def read(self) -> Manifest:
        """Return the manifest of the workload."""

    async def components(self) -> list[Component]:
        """Return what can be adjusted, as it is."""

    def owned(self) -> Mapping[str, ContainerConfiguration]:
        """Return the containers that can be adjusted, by the name of their component."""

    async def apply(self, request: Request) -> None:
        """Try settings: when this returns they are ready and have settled.

        Raises:
            UnfitError: They do not do.
        """

    async def commit(self) -> None:
        """Accept what was tried."""

    async def revert(self, mode: FailureMode) -> None:
        """Take back what was tried, or deal with it as configured; return when the target is ready again.

        Raises:
            UnfitError: It does not get ready.
        """

    async def withdraw(self) -> None:
        """Take back what was tried, without waiting."""

    async def recover(self) -> None:
        """Put in order what an agent before has left, once the right to do so is had."""

    async def ensure(self) -> None:
        """See to it that it can be measured."""

    async def leave(self) -> None:
        """Remove what shall not be there without an agent."""

    async def accepted(self, trial: str) -> bool:
        """Return whether a trial was accepted here."""


@dataclass(slots=True)
class Attempt:
    """What is known of an adjustment while it is under way.

    Attributes:
        id: Of the trial.
        written: Whether anything may have been changed.
    """

    id: str
    written: bool = False

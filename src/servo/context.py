"""What the running code is working for: the context variables of servo, connector, event and command.

They are declared below everything else so that logging can read them without importing what sets them.
Each is local to a task: what a handler sets is seen by what it awaits and starts, not by its siblings.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from servo.assembly import Assembly
    from servo.connector import BaseConnector
    from servo.events import EventContext
    from servo.servo import Servo

_T = TypeVar("_T")

assembly_var: ContextVar[Assembly | None] = ContextVar("servo.assembly", default=None)
servo_var: ContextVar[Servo | None] = ContextVar("servo.servo", default=None)
connector_var: ContextVar[BaseConnector | None] = ContextVar("servo.connector", default=None)
event_var: ContextVar[EventContext | None] = ContextVar("servo.event", default=None)
command_uid_var: ContextVar[str | None] = ContextVar("servo.command_uid", default=None)


def current_assembly() -> Assembly | None:
    """Return the assembly that the running code belongs to, or None outside of one."""
    return assembly_var.get()


def current_servo() -> Servo | None:
    """Return the servo that the running code belongs to, or None outside of one."""
    return servo_var.get()


def current_connector() -> BaseConnector | None:
    """Return the connector whose handler is running, or None outside of a handler."""
    return connector_var.get()


def current_event() -> EventContext | None:
    """Return the event that is being handled, with its preposition, or None outside of a handler."""
    return event_var.get()


def current_command_uid() -> str | None:
    """Return the identifier of the optimizer's command that is being executed, or None."""
    return command_uid_var.get()


@contextmanager
def using(variable: ContextVar[_T], value: _T) -> Iterator[None]:
    """Set a context variable for the extent of a `with` block."""
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)

"""Who is at work: the context variables that events set and logging reads.

They live below both, because the log names the connector and event of each line while events themselves log.
``servo.events``, ``servo.connector``, ``servo.servo`` and ``servo.assembly`` re-export the reader that belongs to
them. Values are ``Any`` here: their classes are of higher layers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

assembly_var: ContextVar[Any] = ContextVar("servo.assembly", default=None)
servo_var: ContextVar[Any] = ContextVar("servo.servo", default=None)
connector_var: ContextVar[Any] = ContextVar("servo.connector", default=None)
event_var: ContextVar[Any] = ContextVar("servo.event", default=None)
command_uid_var: ContextVar[str | None] = ContextVar("servo.command_uid", default=None)


def current_assembly() -> Any:
    """Return the assembly whose task this is, or None."""
    return assembly_var.get()


def current_servo() -> Any:
    """Return the servo whose task this is, or None."""
    return servo_var.get()


def current_connector() -> Any:
    """Return the connector whose handler is running, or None."""
    return connector_var.get()


def current_event() -> Any:
    """Return the ``EventContext`` whose handler is running, or None."""
    return event_var.get()


def current_command_uid() -> str | None:
    """Return the optimizer's id of the command being carried out, or None."""
    return command_uid_var.get()


@contextmanager
def set_for(variable: ContextVar[T], value: T) -> Iterator[T]:
    """Set ``variable`` to ``value`` until the block ends."""
    token = variable.set(value)
    try:
        yield value
    finally:
        variable.reset(token)

"""Events: what a servo can be asked to do, and who answers.

An event is a named asynchronous signature. Connectors answer it with handlers that run *before*, *on* or *after* it::

    class Gauge(servo.BaseConnector):
        @servo.on_event()
        async def measure(self, *, metrics: list[str] | None = None, control: Control = Control()) -> Measurement: ...

        @servo.after_event("adjust")
        async def notify(self, results: list[EventResult]) -> None: ...

The registry of events is global: connectors of any package declare events and answer those of others by name.
How an event reaches its handlers is in :mod:`servo.dispatch`, what a handler must look like in
:mod:`servo.signatures`.
"""

from servo.context import (
    current_assembly,
    current_command_uid,
    current_connector,
    current_event,
    current_servo,
)
from servo.events.handlers import after_event, before_event, event_handler, on_event, validate_event_contexts
from servo.events.registry import create_event, declare, event, get_event, get_events
from servo.events.values import Event, EventContext, EventHandler, EventResult, Preposition

__all__ = [
    "Event",
    "EventContext",
    "EventHandler",
    "EventResult",
    "Preposition",
    "after_event",
    "before_event",
    "create_event",
    "current_assembly",
    "current_command_uid",
    "current_connector",
    "current_event",
    "current_servo",
    "declare",
    "event",
    "event_handler",
    "get_event",
    "get_events",
    "on_event",
    "validate_event_contexts",
]

"""How a record becomes a line: for people, and as JSON for machines."""

import json
import traceback
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from servo.context import (
    current_assembly,
    current_command_uid,
    current_connector,
    current_event,
    current_servo,
)
from servo.utilities.unseen import visible

if TYPE_CHECKING:
    from loguru import Record

TEXT = (
    "<green>{time:YYYY-MM-DD HH:mm:ss.SSS}</green> | <level>{level: <8}</level> | "
    "<cyan>{name}</cyan>:<cyan>{function}</cyan>:<cyan>{line}</cyan> | "
    "<magenta>{_component}</magenta> - <level>{_message}</level>\n{_stack}{exception}"
)
# What the optimizer is shown of a line: no component, for the report itself says whose progress it is.
PROGRESS = "{time:YYYY-MM-DD HH:mm:ss.SSS} | {level: <8} | {name}:{function}:{line} - {message}"

_CONTEXT_KEYS = frozenset({"component", "connector", "servo", "with_traceback"})


def component(extra: Mapping[str, Any]) -> str:
    """Name who logs: ``connector[event]``, prefixed with the optimizer's id where several servos share the log.

    Args:
        extra: the record's extras; ``component``, ``connector`` and ``servo`` outrank the context.
    """
    name = _own_name(extra)
    event = current_event()
    if event is not None:
        name = f"{name}[{event}]"
    optimizer = _optimizer_among_many(extra)
    return f"{optimizer}({name})" if optimizer else name


def _own_name(extra: Mapping[str, Any]) -> str:
    if extra.get("component"):
        return str(extra["component"])
    connector = extra.get("connector") or current_connector()
    return _name_of(connector) if connector is not None else "servo"


def _optimizer_among_many(extra: Mapping[str, Any]) -> str | None:
    assembly = current_assembly()
    if assembly is None or len(assembly.servos) < 2:  # noqa: PLR2004 - alone, a servo needs no prefix
        return None
    servo = extra.get("servo") or current_servo()
    optimizer = getattr(servo, "optimizer", None)
    return str(optimizer.id) if optimizer is not None else None


def _name_of(thing: Any) -> str:
    return thing if isinstance(thing, str) else str(getattr(thing, "name", thing))


def text_format(record: "Record") -> str:
    """Complete ``record`` for people and return loguru's template of the line."""
    fields = cast("dict[str, Any]", record)
    fields["_component"] = component(record["extra"])
    fields["_message"] = visible(record["message"])
    fields["_stack"] = _stack_if_wanted(record)
    return TEXT


def json_format(record: "Record") -> str:
    """Complete ``record`` with its JSON text and return loguru's template of the line."""
    cast("dict[str, Any]", record)["_json"] = json.dumps(json_fields(record), default=str)
    return "{_json}\n"


def json_fields(record: "Record") -> dict[str, Any]:
    """Return what a JSON line says: time (ISO 8601), level, message, place, component, connector, event, extras."""
    extra = record["extra"]
    connector = extra.get("connector") or current_connector()
    event = current_event()
    fields: dict[str, Any] = {
        "time": record["time"].isoformat(),
        "level": record["level"].name,
        "message": record["message"],
        "module": record["name"],
        "function": record["function"],
        "line": record["line"],
        "component": component(extra),
    }
    named = {"servo": extra.get("servo") or current_servo(), "connector": connector, "event": event}
    fields |= {key: _name_of(value) for key, value in named.items() if value is not None}
    if uid := current_command_uid():
        fields["command_uid"] = uid
    fields |= {key: value for key, value in extra.items() if key not in _CONTEXT_KEYS and key not in fields}
    if record["exception"] is not None:
        fields["exception"] = "".join(traceback.format_exception(*record["exception"]))
    return fields


def _stack_if_wanted(record: "Record") -> str:
    # An exception already shows its own traceback.
    if not record["extra"].get("with_traceback") or record["exception"] is not None:
        return ""
    ours = ("/loguru/", "/servo/logging/")
    frames = [
        frame for frame in traceback.extract_stack() if not any(part in frame.filename for part in ours)
    ]
    return "".join(traceback.format_list(frames))


FORMATS: Mapping[str, Callable[["Record"], str]] = {"text": text_format, "json": json_format}

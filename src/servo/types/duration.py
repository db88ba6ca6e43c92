"""``Duration``: a ``timedelta`` that reads and writes itself as ``1h30m``."""

import math
from datetime import datetime, timedelta
from typing import Any, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from servo.utilities.duration_str import timedelta_from_duration_str, timedelta_to_duration_str

__all__ = ["Duration", "DurationDescriptor"]

DurationDescriptor = str | int | float | timedelta
"""What a ``Duration`` is made of: text such as ``"5m"``, a number of seconds, or a ``timedelta``."""

_PATTERN = r"^[+-]?(0|(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|ms|s|mm|m|h|d|w|y))+)$"
_EXAMPLES = ["300ms", "5m", "2h45m", "72h3m0.5s"]


class Duration(timedelta):
    """A span of time, to the microsecond.

    Units are ``ns``, ``us``, ``ms``, ``s``, ``m``, ``h``, ``d``, ``w``, ``mm`` (30 days) and ``y`` (365 days). A number
    means seconds; text needs its unit. It equals a ``timedelta`` of the same length, the number of its seconds, and
    the text that it prints.

    Args:
        duration: Text such as ``"5m"``, a number of seconds, or a ``timedelta``.
        components: What ``timedelta`` takes by keyword, added to it: ``minutes=5``.

    Raises:
        ValueError: If it is no duration, or more than a ``timedelta`` holds.
    """

    def __new__(cls, duration: DurationDescriptor = 0, **components: float) -> Self:
        """Make it from any of the forms above."""
        try:
            delta = _timedelta(duration) + timedelta(**components)
        except OverflowError:
            raise ValueError(f"Duration {duration!r} is out of range: at most 999999999 days") from None
        return super().__new__(cls, days=delta.days, seconds=delta.seconds, microseconds=delta.microseconds)

    @classmethod
    def since(cls, time: datetime) -> Self:
        """Return how long ago ``time`` was; without a time zone it is local time."""
        return cls(datetime.now(time.tzinfo) - time)

    def human_readable(self, **_: Any) -> str:
        """Return the text that ``str`` gives."""
        return str(self)

    def __str__(self) -> str:
        return timedelta_to_duration_str(self, extended=True)

    def __repr__(self) -> str:
        return f"Duration('{self}')"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return str(self) == other
        if isinstance(other, int | float):
            return self.total_seconds() == other
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = timedelta.__hash__

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (timedelta(self.days, self.seconds, self.microseconds),)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Validate any of the forms; JSON is the text."""
        return core_schema.no_info_plain_validator_function(
            cls._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(str, when_used="json"),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the text."""
        return {"type": "string", "format": "duration", "pattern": _PATTERN, "examples": list(_EXAMPLES)}

    @classmethod
    def _validate(cls, value: Any) -> Self:
        return value if isinstance(value, cls) else cls(value)


def _timedelta(duration: DurationDescriptor) -> timedelta:
    match duration:
        case timedelta():
            return duration
        case str():
            return timedelta_from_duration_str(duration)
        case bool():
            raise ValueError(f"Invalid duration {duration!r}")
        case int() | float() if math.isfinite(duration):
            return timedelta(seconds=duration)
        case _:
            raise ValueError(f"Invalid duration {duration!r}")

"""Small tools that know nothing of servos. What needs asyncio or Pydantic is imported when it is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from servo.utilities.duration_str import (
    DurationError,
    microseconds_from_duration_str,
    timedelta_from_duration_str,
    timedelta_to_duration_str,
)
from servo.utilities.hashing import dump_container, get_hash
from servo.utilities.key_paths import value_for_key_path, values_for_keys
from servo.utilities.strings import (
    check_status_to_str,
    commandify,
    join_to_series,
    parse_csv,
    parse_id,
    parse_re,
)

if TYPE_CHECKING:
    from servo.utilities.pydantic import extra
    from servo.utilities.subprocess import (
        OutputStreamCallback,
        SubprocessResult,
        Timeout,
        run_subprocess_exec,
        run_subprocess_shell,
        stream_subprocess_exec,
        stream_subprocess_output,
        stream_subprocess_shell,
    )
    from servo.utilities.yaml import PreservedScalarString

__all__ = [
    "DurationError",
    "OutputStreamCallback",
    "PreservedScalarString",
    "SubprocessResult",
    "Timeout",
    "check_status_to_str",
    "commandify",
    "dump_container",
    "extra",
    "get_hash",
    "join_to_series",
    "microseconds_from_duration_str",
    "parse_csv",
    "parse_id",
    "parse_re",
    "run_subprocess_exec",
    "run_subprocess_shell",
    "stream_subprocess_exec",
    "stream_subprocess_output",
    "stream_subprocess_shell",
    "timedelta_from_duration_str",
    "timedelta_to_duration_str",
    "value_for_key_path",
    "values_for_keys",
]

_LATE = {"PreservedScalarString": "yaml", "extra": "pydantic"} | dict.fromkeys(
    (
        "OutputStreamCallback",
        "SubprocessResult",
        "Timeout",
        "run_subprocess_exec",
        "run_subprocess_shell",
        "stream_subprocess_exec",
        "stream_subprocess_output",
        "stream_subprocess_shell",
    ),
    "subprocess",
)


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATE[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

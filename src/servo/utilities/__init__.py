"""Small tools that know nothing of servos. Each module is imported when it is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from servo.utilities.duration_str import (
        DurationError,
        microseconds_from_duration_str,
        timedelta_from_duration_str,
        timedelta_to_duration_str,
    )
    from servo.utilities.hashing import dump_container, get_hash
    from servo.utilities.key_paths import value_for_key_path, values_for_keys
    from servo.utilities.pydantic import extra
    from servo.utilities.strings import (
        check_status_to_str,
        commandify,
        join_to_series,
        parse_csv,
        parse_id,
        parse_re,
    )
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

_NAMES = {
    "duration_str": (
        "DurationError",
        "microseconds_from_duration_str",
        "timedelta_from_duration_str",
        "timedelta_to_duration_str",
    ),
    "hashing": ("dump_container", "get_hash"),
    "key_paths": ("value_for_key_path", "values_for_keys"),
    "pydantic": ("extra",),
    "strings": ("check_status_to_str", "commandify", "join_to_series", "parse_csv", "parse_id", "parse_re"),
    "subprocess": (
        "OutputStreamCallback",
        "SubprocessResult",
        "Timeout",
        "run_subprocess_exec",
        "run_subprocess_shell",
        "stream_subprocess_exec",
        "stream_subprocess_output",
        "stream_subprocess_shell",
    ),
    "yaml": ("PreservedScalarString",),
}
_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

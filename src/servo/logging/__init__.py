"""The log: one loguru logger, sinks set up by an explicit call, and progress reports made from log lines.

Importing this configures nothing. A program calls :func:`configure` once; a library that only logs uses
:data:`logger`. A log call with ``progress=`` (percent) becomes a report to the optimizer where a
:class:`ProgressHandler` is installed.
"""

from loguru import logger

from servo.logging.execution import log_execution, log_execution_time
from servo.logging.progress import ProgressHandler, ProgressReport
from servo.logging.sinks import LEVELS, configure, reset_to_defaults, set_colors, set_level, unconfigure

__all__ = [
    "LEVELS",
    "ProgressHandler",
    "ProgressReport",
    "configure",
    "log_execution",
    "log_execution_time",
    "logger",
    "reset_to_defaults",
    "set_colors",
    "set_level",
    "unconfigure",
]

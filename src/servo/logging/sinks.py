"""Where the log goes: stderr, and a file if one is named. Nothing is set up before somebody asks."""

import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, cast

from loguru import logger

from servo.logging.formats import FORMATS

LEVELS = ("TRACE", "DEBUG", "INFO", "SUCCESS", "WARNING", "ERROR", "CRITICAL")
FORWARDED = ("asyncio", "backoff")
FILE_ROTATION = "50 MB"
FILES_KEPT = 3


@dataclass(frozen=True)
class Settings:
    """What the sinks were asked to do."""

    level: str = "INFO"
    colors: bool | None = None
    file: Path | None = None
    format: Literal["text", "json"] = "text"


@dataclass
class _Sinks:
    settings: Settings = field(default_factory=Settings)
    handlers: list[int] = field(default_factory=list)


# loguru is one logger for the process; so is what we attached to it.
_sinks = _Sinks()


class _Stderr:
    """Today's ``sys.stderr``, whatever it is replaced by later."""

    def write(self, text: str) -> None:
        sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


class _Forward(logging.Handler):
    """Hands records of the standard library's loggers to loguru."""

    def emit(self, record: logging.LogRecord) -> None:
        level = record.levelname if record.levelname in LEVELS else record.levelno
        bound = logger.bind(component=record.name).opt(exception=record.exc_info)
        place = {"name": record.name, "function": record.funcName, "line": record.lineno}
        bound.patch(lambda fields: cast("dict[str, Any]", fields).update(place)).log(
            level, "{}", record.getMessage()
        )


def configure(
    *,
    level: str = "INFO",
    colors: bool | None = None,
    file: str | os.PathLike[str] | None = None,
    format: Literal["text", "json"] = "text",  # noqa: A002 - the word of the option it serves
) -> None:
    """Send the log to stderr, and to ``file`` if given, replacing what was set up before.

    Args:
        level: the threshold, one of :data:`LEVELS`.
        colors: None decides by the terminal, ``NO_COLOR`` and ``SERVO_NO_COLOR``.
        file: appended to; rotated at 50 MB, of which three are kept.
        format: ``json`` writes one object per line.

    Raises:
        ValueError: the level or the format is unknown.
    """
    if format not in FORMATS:
        raise ValueError(f"unknown log format {format!r}: expected one of {', '.join(FORMATS)}")
    _apply(Settings(_known(level), colors, Path(file) if file else None, format))


def set_level(level: str) -> None:
    """Set the threshold of every sink and of the standard library's ``asyncio`` logger.

    Raises:
        ValueError: the level is unknown.
    """
    _apply(replace(_sinks.settings, level=_known(level)))


def set_colors(colors: bool) -> None:  # noqa: FBT001 - the original's signature
    """Force colours on or off on stderr."""
    _apply(replace(_sinks.settings, colors=colors))


def reset_to_defaults() -> None:
    """Log to stderr only, at INFO, as text, colours decided by the terminal."""
    _apply(Settings())


def unconfigure() -> None:
    """Take away every sink that was set up here, and let the standard library's loggers be."""
    for handler in _sinks.handlers:
        _remove(handler)
    _sinks.settings, _sinks.handlers = Settings(), []
    for name in FORWARDED:
        source = logging.getLogger(name)
        source.handlers = [handler for handler in source.handlers if not isinstance(handler, _Forward)]
        source.setLevel(logging.NOTSET)
        source.propagate = True


def _known(level: str) -> str:
    if level.upper() not in LEVELS:
        raise ValueError(f"unknown log level {level!r}: expected one of {', '.join(LEVELS)}")
    return level.upper()


def _apply(settings: Settings) -> None:
    if not _sinks.handlers:
        _remove(0)  # loguru's own, present from its import until somebody removes it
    for handler in _sinks.handlers:
        _remove(handler)
    _sinks.settings = settings
    _sinks.handlers = [_add_stderr(settings)]
    if settings.file is not None:
        _sinks.handlers.append(_add_file(settings, settings.file))
    _forward_standard_library(settings.level)


def _remove(handler: int) -> None:
    try:
        logger.remove(handler)
    except ValueError:
        return  # somebody else removed it: gone is what we want


def _add_stderr(settings: Settings) -> int:
    # diagnose=False: it would print the values of variables, secrets among them.
    return logger.add(
        _Stderr(),
        level=settings.level,
        format=FORMATS[settings.format],
        colorize=_wants_colors(settings, os.environ),
        backtrace=False,
        diagnose=False,
    )


def _add_file(settings: Settings, file: Path) -> int:
    return logger.add(
        file,
        level=settings.level,
        format=FORMATS[settings.format],
        rotation=FILE_ROTATION,
        retention=FILES_KEPT,
        encoding="utf-8",
        colorize=False,
        backtrace=False,
        diagnose=False,
    )


def _wants_colors(settings: Settings, environment: Mapping[str, str]) -> bool:
    if settings.format == "json":
        return False
    if settings.colors is not None:
        return settings.colors
    if environment.get("NO_COLOR") or environment.get("SERVO_NO_COLOR"):
        return False
    return sys.stderr is not None and sys.stderr.isatty()


def _forward_standard_library(level: str) -> None:
    for name in FORWARDED:
        source = logging.getLogger(name)
        source.handlers = [handler for handler in source.handlers if not isinstance(handler, _Forward)]
        source.addHandler(_Forward())
        source.setLevel(logger.level(level).no)
        source.propagate = False

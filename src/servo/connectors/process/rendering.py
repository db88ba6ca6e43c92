"""How values reach an application: environment variables, arguments, and a file made of a template.

In the template, and in arguments, `${name}` stands for a value and `$$` for a dollar sign; any other dollar
sign is left as it is, so that a file with dollars of its own needs no change as long as what follows them is no
known name in braces. Values are inserted as they are; no shell sees them.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from servo.connectors.process.settings import SettingConfiguration, Value, text

MAX_TEMPLATE = 1024 * 1024

_PLACEHOLDER = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>[A-Za-z_][A-Za-z0-9_-]*)\})")


class TemplateError(ValueError):
    """A template that cannot be rendered; the message says why."""


def substitute(template: str, values: Mapping[str, str]) -> str:
    """The text with known placeholders replaced, in one pass: what a value contains is not looked at again."""

    def replacement(match: re.Match[str]) -> str:
        return "$" if match["dollar"] else values.get(match["name"], match[0])

    return _PLACEHOLDER.sub(replacement, template)


def placeholders(template: str) -> set[str]:
    """Names in braces after a dollar sign."""
    return {match["name"] for match in _PLACEHOLDER.finditer(template) if match["name"]}


def environment(settings: Iterable[SettingConfiguration], values: Mapping[str, Value]) -> dict[str, str]:
    """Variables that carry values."""
    return {s.environment: text(values[s.name]) for s in settings if s.environment}


def arguments(settings: Iterable[SettingConfiguration], values: Mapping[str, Value]) -> list[str]:
    """Arguments that carry values, in the order of the settings."""
    result: list[str] = []
    for setting in settings:
        value = text(values[setting.name])
        templates = list(setting.argument or ()) + (getattr(setting, "arguments", None) or {}).get(value, [])
        result.extend(substitute(template, {"value": value}) for template in templates)
    return result


def read_template(path: Path) -> str:
    """The text of a template.

    Raises:
        TemplateError: It cannot be read, is no text, or too long.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_TEMPLATE + 1)
        if len(content) > MAX_TEMPLATE:
            raise TemplateError(f"the template {path} has more than {MAX_TEMPLATE} bytes")
        return content.decode()
    except OSError as error:
        raise TemplateError(f"cannot read the template {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TemplateError(f"the template {path} is not UTF-8 text") from error


def write_whole(path: Path, content: str) -> None:
    """Replace a file's content: whoever reads it sees the old or the new, never a part.

    Raises:
        OSError: It cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise

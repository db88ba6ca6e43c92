"""The last settings that proved good, kept where a new agent finds them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from servo.connectors.process.rendering import write_whole
from servo.connectors.process.settings import SettingConfiguration, SettingError, Value

_MAX_STATE = 1024 * 1024


def defaults(settings: Iterable[SettingConfiguration]) -> dict[str, Value]:
    """What is configured."""
    return {setting.name: setting.accept(setting.default) for setting in settings}


def load(path: Path, settings: Iterable[SettingConfiguration]) -> dict[str, Value]:
    """Values that were saved, as far as they still fit the settings; else the defaults.

    A file that is missing, damaged or of another configuration is no reason not to start.
    """
    known = list(settings)
    saved = _read(path)
    values = defaults(known)
    for setting in known:
        try:
            if setting.name in saved and not setting.pinned:
                values[setting.name] = setting.accept(saved[setting.name])
        except SettingError:
            continue
    return values


def save(path: Path, values: dict[str, Value]) -> None:
    """Keep values.

    Raises:
        OSError: They cannot be written.
    """
    write_whole(path, json.dumps({"settings": values}, indent=2) + "\n")


def _read(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(_MAX_STATE))
    except (OSError, ValueError, RecursionError):
        return {}
    saved = document.get("settings") if isinstance(document, dict) else None
    return saved if isinstance(saved, dict) else {}

"""What ``servo run`` begins with: a banner, and what is about to run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from servo.utilities.strings import without_password

if TYPE_CHECKING:
    from servo.servo import Servo

# Drawn by hand: fonts would be a dependency. SERVO_BANNER_FONT is accepted and has nothing to choose from.
ART = r"""
   ___  ___ _ ____   _____
  / __|/ _ \ '__\ \ / / _ \
  \__ \  __/ |   \ V / (_) |
  |___/\___|_|    \_/ \___/
"""
COLORS = {"RED": 31, "GREEN": 32, "YELLOW": 33, "BLUE": 34, "MAGENTA": 35, "CYAN": 36}
DEFAULT_COLOR = "CYAN"
OPSANI = "https://api.opsani.com"


def banner(environment: Mapping[str, str] | None = None, *, color: bool = True) -> str:
    """Return the art in the colour that ``SERVO_BANNER_COLOR`` names; ``RAINBOW`` gives each line its own."""
    variables = os.environ if environment is None else environment
    lines = ART.strip("\n").splitlines()
    if not color:
        return "\n".join(lines)
    name = variables.get("SERVO_BANNER_COLOR", "").upper()
    codes = cycle(COLORS.values() if name == "RAINBOW" else [COLORS.get(name, COLORS[DEFAULT_COLOR])])
    return "\n".join(f"\x1b[{code}m{line}\x1b[0m" for line, code in zip(lines, codes, strict=False))


def details(servo: Servo, config_file: Path) -> Iterator[str]:
    """Say what is about to run, line by line; without any secret."""
    optimizer = servo.config.optimizer
    yield from (servo.version_summary(), "")
    yield f"connectors: {', '.join(_connectors(servo)) or 'none'}"
    yield f"config file: {config_file}"
    if servo.config.servo_uid:
        yield f"servo uid: {servo.config.servo_uid}"
    yield f"optimizer: {optimizer.id}"
    base_url = str(getattr(optimizer, "base_url", None) or "")
    if base_url and base_url.rstrip("/") != OPSANI:
        yield f"base url: {without_password(base_url)}"
    if servo.config.settings is not None and servo.config.settings.proxies:
        yield f"proxies: {_proxies(servo.config.settings.proxies)}"


def _connectors(servo: Servo) -> list[str]:
    return sorted(f"{it.name} ({type(it).name} v{it.version})" for it in servo.connectors if it is not servo)


def _proxies(proxies: str | Mapping[str, str | None]) -> str:
    if isinstance(proxies, str):
        return without_password(proxies)
    return ", ".join(f"{key} {without_password(url or 'none')}" for key, url in proxies.items())

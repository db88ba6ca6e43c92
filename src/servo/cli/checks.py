"""``servo check``."""

from typing import Any

from servo.cli.groups import CLI

cli = CLI()


def require_ready(servos: Any) -> None: ...

"""How the servos of a process do, for whoever keeps it running."""

from __future__ import annotations

from collections.abc import Sequence

from servo.release import release
from servo.servo import Servo
from servo.utilities.exposition import Exposition

__all__ = ["METRICS", "Health"]

METRICS = {
    "servo_info": "Version of the agent",
    "servo_connected": "Whether the servo has introduced itself to its optimizer, and not said goodbye",
}
"""What each metric means, all of them gauges."""


class Health(Exposition):
    """Serves whether the process lives, whether its servos are connected, and both as metrics.

    It lives if it answers: the servos run in the very event loop that does. A servo that waits for its optimizer is
    no reason to restart it, but not ready.

    Args:
        servos: Those that run.
    """

    def __init__(self, servos: Sequence[Servo]) -> None:
        super().__init__(self._page, lambda: None, self._unconnected)
        self._servos = servos

    def _unconnected(self) -> str | None:
        missing = [servo.name for servo in self._servos if not servo.is_running]
        return f"not connected to their optimizers: {', '.join(missing)}" if missing else None

    def _page(self) -> str:
        samples = {
            "servo_info": {f'version="{release()}"': 1},
            "servo_connected": {f'servo="{_escaped(it.name)}"': int(it.is_running) for it in self._servos},
        }
        lines = []
        for name, values in samples.items():
            lines += [f"# HELP {name} {METRICS[name]}", f"# TYPE {name} gauge"]
            lines += [f"{name}{{{labels}}} {value}" for labels, value in values.items()]
        return "\n".join([*lines, ""])


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

"""An application to tune, and `trimtab tune` as a program."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

SERVICE = Path(__file__).with_name("service.py")
TRIMTAB = Path(sys.executable).with_name("trimtab")
SECONDS = 150.0


@dataclass
class Tuning:
    """`trimtab tune` over one application, whose state and reports are in a folder."""

    folder: Path
    config: Path

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start it."""
        environment = {**os.environ, "TRIMTAB_HOME": str(self.folder / "home"), "NO_COLOR": "1"}
        report = ("--report", str(self.folder / "report"))
        arguments = [str(TRIMTAB), "tune", str(self.config), *report, *options]
        return subprocess.Popen(
            arguments,
            cwd=self.folder,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return self.finish(self.start(*options))

    def finish(self, process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
        """Wait for its end."""
        try:
            stdout, stderr = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def interrupt_after(self, process: subprocess.Popen[str], number: signal.Signals, *, trials: int) -> None:
        """Send a signal once so many trials have ended."""
        assert process.stderr is not None
        for line in process.stderr:
            if line.lstrip().startswith(f"{trials}/"):
                break
        else:
            pytest.fail(f"it ended before trial {trials}")
        time.sleep(0.3)
        process.send_signal(number)

    @property
    def document(self) -> dict:
        """The report as data."""
        return json.loads((self.folder / "report" / "report.json").read_text())

    @property
    def page(self) -> str:
        """The report as a page."""
        return (self.folder / "report" / "report.html").read_text()

    @property
    def saved(self) -> dict:
        """The settings that the next agent starts the application with."""
        return json.loads((self.folder / ".servo" / "app.json").read_text())["settings"]

    def running(self) -> list[int]:
        """Processes of the application that are alive."""
        mark = f"TUNED={self.folder}".encode()
        return [
            int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit() and _carries(each, mark)
        ]


def _carries(process: Path, mark: bytes) -> bool:
    try:
        return mark in (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


@pytest.fixture
def tuning(tmp_path):
    """Makes a `Tuning` of the service in a mode."""
    made: list[Tuning] = []

    def make(mode: str = "", *, rate: int = 60) -> Tuning:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        config = tmp_path / "servo.yaml"
        config.write_text(f"""
connectors: [process, load]
process:
  command: [{sys.executable}, -S, {SERVICE}]
  port: {port}
  environment: {{MODE: "{mode}", TUNED: "{tmp_path}"}}
  readiness: {{http: "http://127.0.0.1:${{port}}/healthz", interval: 50ms}}
  settlement: 0s
  settings:
    - {{name: knob, type: range, min: 0, max: 10, step: 1, default: 1, environment: KNOB}}
load:
  url: http://127.0.0.1:{port}/
  rate: {rate}
  max_lag: 500ms
""")
        made.append(Tuning(tmp_path, config))
        return made[-1]

    yield make
    for each in made:
        for pid in each.running():
            os.kill(pid, signal.SIGKILL)

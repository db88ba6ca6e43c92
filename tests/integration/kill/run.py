"""A session with a real agent and a real server, each of which may be killed and is started anew."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PROGRAMS = Path(sys.executable).parent
PATIENCE = 100.0


def environment(**values: str) -> dict[str, str]:
    """That of a program under test: nothing of whoever runs the test configures it."""
    foreign = ("TRIMTAB_", "SERVO_", "OPSANI_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {"PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"} | values


def start(directory: Path, name: str, command: list[Any], **values: str) -> subprocess.Popen:
    with (directory / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            command,
            cwd=directory,
            env=environment(**values),
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )


class Server:
    """`trimtab serve` over a database, and the one that takes its place after a kill.

    Args:
        directory: Where its log is.
        url: Of the database.
    """

    def __init__(self, directory: Path, url: str) -> None:
        self.directory = directory
        self.url = url
        self.port: int | None = None
        self._process: subprocess.Popen | None = None
        self._started = 0

    @property
    def log(self) -> str:
        return (self.directory / "server.log").read_text(errors="replace")

    def start(self) -> None:
        """Start it, unless it runs; return when it listens."""
        if self._process is not None and self._process.poll() is None:
            return
        self._process = start(
            self.directory,
            "server",
            [PROGRAMS / "trimtab", "serve", "--port", "0"],
            TRIMTAB_DATABASE_URL=self.url,
            TRIMTAB_SLEEP="0.2",
        )
        self._started += 1
        deadline = time.monotonic() + PATIENCE
        while len(ports := re.findall(r"running on http://127\.0\.0\.1:(\d+)", self.log)) < self._started:
            assert self._process.poll() is None, self.log
            assert time.monotonic() < deadline, f"the server did not start\n{self.log}"
            time.sleep(0.02)
        self.port = int(ports[-1])

    def kill(self) -> None:
        self.port = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Run:
    """The agent of one session, the proxy between it and the server, and who is killed when.

    Args:
        directory: Of the agent.
        server: Which serves it.
        application: Which one is tuned.
        make_proxy: Makes the proxy of what is to be done at the kill.
    """

    def __init__(
        self, directory: Path, server: Server, application: str, make_proxy: Callable[..., Any]
    ) -> None:
        self.directory = directory
        self.server = server
        self.proxy = make_proxy(self.strike, lambda: server.port)
        self._agent: subprocess.Popen | None = None
        self._successor: threading.Thread | None = None
        (directory / "servo.yaml").write_text(
            json.dumps(
                {
                    "connectors": {"stub": "stub_application.StubConnector"},
                    "optimizer": {
                        "id": application,
                        "token": "not-needed-on-loopback",
                        "base_url": f"http://127.0.0.1:{self.proxy.port}",
                    },
                    "stub": {"directory": str(directory)},
                }
            )
        )

    def start(self) -> None:
        """Start the agent; each incarnation is another one, as those of a supervisor or a cluster are."""
        uid = f"agent-{time.monotonic_ns()}"
        command = [PROGRAMS / "servo", "--config-file", "servo.yaml", "run"]
        self._agent = start(self.directory, "agent", command, SERVO_UID=uid)

    def strike(self, who: str) -> None:
        """SIGKILL, and a new one in its place."""
        if who == "server":
            self.server.kill()
        else:
            self._kill_agent()
        self._successor = threading.Thread(target=self.server.start if who == "server" else self.start)
        self._successor.start()

    def until_over(self) -> None:
        """Wait until the agent is told to sleep, and whoever was to die is dead."""
        deadline = time.monotonic() + PATIENCE
        while not (self.proxy.asleep.wait(0.05) and self.proxy.is_done):
            assert time.monotonic() < deadline, self.logs()

    def logs(self) -> str:
        return "\n".join(file.read_text(errors="replace") for file in self.directory.glob("*.log"))

    def stop(self) -> None:
        if self._successor is not None:
            self._successor.join()
        self.proxy.close()
        self._kill_agent()

    def _kill_agent(self) -> None:
        if self._agent is not None:
            self._agent.kill()
            self._agent.wait()

    def adjusted(self) -> list[dict[str, Any]]:
        """Every point that was completely in place, in order."""
        lines = (self.directory / "adjusted.jsonl").read_text().splitlines()
        return [{f"web.{name}": value for name, value in json.loads(line).items()} for line in lines]

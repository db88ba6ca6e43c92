"""SIGKILL of the agent or of the server at any point of a session: it continues to the same end.

A real `servo run` and a real `trimtab serve` speak through a proxy, which kills one of them before a message is passed
on, while it is worked on, or after the server has answered and before the agent has heard. Whoever died is started anew,
as a supervisor would; the end state must be that of a session in which nobody died.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from trimtab.catalog import Database
from trimtab.optimizer.session_spec import SessionSpec
from trimtab.optimizer.sessions import Sessions

HERE = Path(__file__).parent / "kill"
BASELINE = {"web.cpu": 2.0, "web.workers": 2}
BUDGET = 6
# HELLO, then a question and a result for DESCRIBE and for the ADJUST and MEASURE of the first trials, …
MESSAGES = 21
PATIENCE = 100.0


def _load(name: str):
    spec = importlib.util.spec_from_file_location(f"kill_{name}", HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


proxy = _load("proxy")
Kill = proxy.Kill

# Each of the first messages is hit, by turns at each of the three moments; an agent or a server dies at every other one.
AGENT = [
    Kill("agent", ("amid", "after", "before")[number % 3], number) for number in range(2, MESSAGES + 1, 2)
]
SERVER = [
    Kill("server", ("before", "after", "amid")[number % 3], number) for number in range(1, MESSAGES + 1, 2)
]


class Run:
    """One session with its agent and server, and what kills them.

    Args:
        directory: Where everything is.
        url: Of the database.
        kill: Who dies and when.
        application: Which one is tuned.
        port: Of a server that runs already; None to start one.
    """

    def __init__(
        self,
        directory: Path,
        url: str,
        kill: Kill | None,
        application: str = "example.com/shop",
        port: int | None = None,
    ) -> None:
        self.directory = directory
        self.kill = kill
        self.processes: dict[str, subprocess.Popen] = {}
        self.ports: list[int] = []
        self.proxy = proxy.Proxy(kill, self.strike)
        self.proxy.upstream = port
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TRIMTAB_", "SERVO_", "OPSANI_"))
        } | {
            "TRIMTAB_DATABASE_URL": url,
            "TRIMTAB_SLEEP": "0.2",
            "PYTHONPATH": str(HERE),
            "PYTHONDONTWRITEBYTECODE": "1",
            "NO_COLOR": "1",
        }
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

    def start(self, who: str) -> None:
        program = Path(sys.executable).parent
        command = {
            "server": [program / "trimtab", "serve", "--port", "0"],
            "agent": [program / "servo", "--config-file", "servo.yaml", "run"],
        }[who]
        # Each incarnation of the agent is another, as those of a supervisor or a cluster are.
        environment = self.environment | {"SERVO_UID": f"agent-{time.monotonic_ns()}"}
        log = (self.directory / f"{who}.log").open("ab")
        self.processes[who] = subprocess.Popen(
            command, cwd=self.directory, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
        log.close()
        if who == "server":
            self.proxy.upstream = self.port()

    def port(self) -> int:
        """The port of the server just started, which it says in its log."""
        deadline = time.monotonic() + PATIENCE
        seen = len(self.ports)
        while time.monotonic() < deadline:
            ports = re.findall(
                rb"running on http://127\.0\.0\.1:(\d+)", (self.directory / "server.log").read_bytes()
            )
            if len(ports) > seen:
                self.ports.append(int(ports[-1]))
                return self.ports[-1]
            assert self.processes["server"].poll() is None, (self.directory / "server.log").read_text()
            time.sleep(0.02)
        raise AssertionError("the server did not start")

    def strike(self) -> None:
        """SIGKILL, and a new one in its place."""
        victim = self.processes[self.kill.who]
        victim.kill()
        victim.wait()
        if self.kill.who == "server":
            self.proxy.upstream = None
        threading.Thread(target=self.start, args=(self.kill.who,)).start()

    def until_over(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self.proxy.asleep.wait(0.05):
            assert time.monotonic() < deadline, self.logs()
        assert self.kill is None or self.proxy.struck.is_set(), f"message {self.kill} was never seen"

    def logs(self) -> str:
        return "\n".join(file.read_text(errors="replace") for file in self.directory.glob("*.log"))

    def stop(self) -> None:
        self.proxy.close()
        for process in self.processes.values():
            process.kill()
            process.wait()

    def adjusted(self) -> list[dict]:
        """Every point that was completely in place, in order."""
        lines = (self.directory / "adjusted.jsonl").read_text().splitlines()
        return [{f"web.{name}": value for name, value in json.loads(line).items()} for line in lines]


def conduct(
    directory: Path,
    url: str,
    kill: Kill | None,
    application: str = "example.com/shop",
    port: int | None = None,
) -> tuple[dict, list[dict]]:
    """Run a session to its end: its document, and the points the application had."""
    database = Database(url)
    sessions = Sessions(database)
    spec = {
        "application": application,
        "goal": {"objective": "maximize throughput"},
        "budget": {"trials": BUDGET},
        "control": {"duration": 0.1},
        "strategy": "random",
        "seed": 3,
    }
    session = sessions.create(SessionSpec.model_validate(spec))
    run = Run(directory, url, kill, application, port)
    try:
        if port is None:
            run.start("server")
        run.start("agent")
        run.until_over()
    finally:
        run.stop()
    document = sessions.export(session.id)
    database.close()
    return document, run.adjusted()


def essence(document: dict) -> dict:
    """What must not depend on who died: what was tried, what came of it, what was found."""
    names = ("number", "purpose", "point", "status", "metrics", "reason", "value")
    return {
        "state": document["session"]["state"],
        "result": document["session"]["result"],
        "trials": [{name: each[name] for name in names} for each in document["trials"]],
    }


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory) -> dict:
    """The end state of a session in which nobody dies."""
    directory = tmp_path_factory.mktemp("undisturbed")
    document, adjusted = conduct(directory, f"sqlite:///{directory / 'trimtab.sqlite'}", None)
    # … which must be there, for all the points to be within a session.
    assert 1 + 2 * len(document["commands"]) >= MESSAGES
    assert len(adjusted) == len(document["trials"]) + 1
    return essence(document)


def check(document: dict, adjusted: list[dict], undisturbed: dict) -> None:
    assert essence(document) == undisturbed
    # Each trial was told exactly once: one MEASURE of it was answered "ok", all others were given up.
    told = [
        each["trial"] for each in document["commands"] if each["cmd"] == "MEASURE" and each["status"] == "ok"
    ]
    assert told == list(range(len(undisturbed["trials"])))
    # The application never had any other settings than the baseline's or those of a trial at hand.
    wanted = [each["point"] for each in document["trials"]]
    assert all(point == BASELINE or point in wanted for point in adjusted)
    first = [adjusted.index(point) for point in wanted]
    assert first == sorted(first)
    assert adjusted[-1] == document["session"]["result"]["recommendation"]["point"]


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One server for all the sessions in which it is not the server that dies: URL of its database, and its port."""
    directory = tmp_path_factory.mktemp("server")
    url = f"sqlite:///{directory / 'trimtab.sqlite'}"
    run = Run(directory, url, None)
    run.start("server")
    yield url, run.ports[-1]
    run.stop()


@pytest.mark.integration
@pytest.mark.timeout(240)
@pytest.mark.parametrize("kill", AGENT, ids=str)
def test_an_agent_killed_at_any_point_takes_the_session_to_the_same_end(kill, tmp_path, server, undisturbed):
    url, port = server
    document, adjusted = conduct(tmp_path, url, kill, f"example.com/{kill}", port)
    check(document, adjusted, undisturbed)


@pytest.mark.integration
@pytest.mark.timeout(240)
@pytest.mark.parametrize("kill", SERVER, ids=str)
def test_a_server_killed_at_any_point_takes_the_session_to_the_same_end(kill, tmp_path, undisturbed):
    document, adjusted = conduct(tmp_path, f"sqlite:///{tmp_path / 'trimtab.sqlite'}", kill)
    check(document, adjusted, undisturbed)


@pytest.mark.integration
@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "kill", [Kill("server", "amid", 7), Kill("server", "after", 8), Kill("agent", "amid", 8)], ids=str
)
def test_the_same_on_postgresql(kill, tmp_path, undisturbed, new_postgresql):
    document, adjusted = conduct(tmp_path, new_postgresql(), kill)
    check(document, adjusted, undisturbed)

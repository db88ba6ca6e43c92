"""SIGKILL of the agent or of the server at any point of a session: it continues to the same end.

A real `servo run` and a real `trimtab serve` speak through a proxy, which kills one of them before a message is passed
on, while it is worked on, or after the server has answered and before the agent has heard. Whoever died is started anew,
as a supervisor would; the end state must be that of a session in which nobody died. That session has all there is: a
baseline, a trial that breaks the SLO and is put back, a comparison, and an improvement that is left in place.
"""

import importlib.util
import sys
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

import pytest

from trimtab.catalog import Database
from trimtab.optimizer.session_spec import SessionSpec
from trimtab.optimizer.sessions import Sessions

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

BASELINE = {"web.cpu": 2.0, "web.workers": 2}
BUDGET = 7
BROKEN = 2  # the trial that breaks the SLO


def _load(name: str):
    path = Path(__file__).parent / "kill" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"kill_{name}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


proxy, run = _load("proxy"), _load("run")


@dataclass(frozen=True)
class Point:
    """Who dies at which message.

    Args:
        who: The agent or the server.
        moment: See `proxy.Kill`.
        message: "hello"; "ask", the question that is answered by the command; "answer", the command's result.
        step: Of the command; "sleep" for the first SLEEP.
        nth: Which command of this step.
    """

    who: str
    moment: str
    message: str
    step: str = ""
    nth: int = 0

    def __str__(self) -> str:
        return "-".join(filter(None, (self.who, self.moment, self.message, self.step, str(self.nth))))

    def kill(self, commands: list[dict]) -> "proxy.Kill":
        """The same by number, in a session with these commands: HELLO, then a question and a result for each."""
        if self.message == "hello":
            return proxy.Kill(self.who, self.moment, 1)
        if self.step == "sleep":
            return proxy.Kill(self.who, self.moment, 2 * len(commands) + 2)
        numbers = [each["number"] for each in commands if each["step"] == self.step]
        return proxy.Kill(self.who, self.moment, 2 * numbers[self.nth] + (self.message == "answer"))


AGENT = [
    Point("agent", "before", "hello"),
    Point("agent", "before", "answer", "describe"),
    Point("agent", "amid", "ask", "adjust"),
    Point("agent", "after", "answer", "measure"),
    Point("agent", "amid", "ask", "adjust", BROKEN),
    Point("agent", "amid", "ask", "measure", BROKEN),
    Point("agent", "before", "answer", "measure", BROKEN),
    Point("agent", "amid", "ask", "restore"),
    Point("agent", "after", "answer", "restore"),
    Point("agent", "after", "answer", "measure", -1),
    Point("agent", "amid", "ask", "finish"),
    Point("agent", "before", "answer", "finish"),
    Point("agent", "after", "ask", "sleep"),
]
SERVER = [
    Point("server", "amid", "ask", "describe"),
    Point("server", "after", "answer", "adjust"),
    Point("server", "before", "ask", "measure"),
    Point("server", "amid", "answer", "adjust", BROKEN),
    Point("server", "after", "answer", "measure", BROKEN),
    Point("server", "amid", "ask", "restore"),
    Point("server", "before", "answer", "restore"),
    Point("server", "amid", "answer", "measure", -1),
    Point("server", "after", "ask", "finish"),
    Point("server", "amid", "answer", "finish"),
]
MODELLED = [Point("agent", "amid", "ask", "restore"), Point("server", "amid", "answer", "measure", BROKEN)]
POSTGRESQL = [Point("server", "amid", "answer", "measure", BROKEN), Point("server", "after", "ask", "finish")]


def conduct(directory: Path, server: "run.Server", name: str, strategy: str, kill=None) -> tuple[dict, list]:
    """Run a session to its end: its document, and the points the application had."""
    database = Database(server.url)
    sessions = Sessions(database)
    spec = {
        "application": f"example.com/{name}",
        "goal": {"objective": "maximize throughput", "slos": ["latency <= 130ms"]},
        "budget": {"trials": BUDGET},
        "control": {"duration": 0.1},
        "strategy": strategy,
        "seed": 2,
    }
    session = sessions.create(SessionSpec.model_validate(spec))
    server.start()
    course = run.Run(directory, server, spec["application"], partial(proxy.Proxy, kill))
    try:
        course.start()
        course.until_over()
    finally:
        course.stop()
    document = sessions.export(session.id)
    database.close()
    return document, course.adjusted()


def essence(document: dict) -> dict:
    """What must not depend on who died: what was tried, what came of it, what was found."""
    names = ("number", "purpose", "point", "status", "metrics", "reason", "value", "feasible")
    return {
        "state": document["session"]["state"],
        "result": document["session"]["result"],
        "trials": [{name: each[name] for name in names} for each in document["trials"]],
    }


def serving(directory: Path):
    server = run.Server(directory, f"sqlite:///{directory / 'trimtab.sqlite'}")
    yield server
    server.kill()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One for all sessions on SQLite; after each kill another takes its place."""
    yield from serving(tmp_path_factory.mktemp("server"))


def undisturbed_(directory: Path, server: "run.Server", strategy: str) -> dict:
    document, adjusted = conduct(directory, server, f"undisturbed-{strategy}", strategy)
    # The session must have all the points at which somebody is to die.
    steps = [each["step"] for each in document["commands"]]
    assert {"describe", "restore", "finish"} < set(steps)
    assert document["trials"][BROKEN]["feasible"] is False
    assert document["session"]["result"]["recommendation"]["verdict"] == "improved"
    assert len(adjusted) == sum(each["cmd"] == "ADJUST" for each in document["commands"])
    return document


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory, server) -> dict:
    """A session in which nobody dies."""
    return undisturbed_(tmp_path_factory.mktemp("undisturbed"), server, "random")


@pytest.fixture(scope="session")
def undisturbed_modelled(tmp_path_factory, server) -> dict:
    """The same with the default strategy, whose model a killed server must come to again."""
    return undisturbed_(tmp_path_factory.mktemp("modelled"), server, "gaussian-process")


def check(document: dict, adjusted: list[dict], undisturbed: dict) -> None:
    assert essence(document) == essence(undisturbed)
    # Each trial was told exactly once: one MEASURE of it was answered "ok", all others were given up.
    told = [
        each["trial"] for each in document["commands"] if each["cmd"] == "MEASURE" and each["status"] == "ok"
    ]
    trials = document["trials"]
    assert told == list(range(len(trials)))
    # The application never had any other settings than the baseline's or those of a trial, and had these in order.
    points = iter(adjusted)
    assert all(each["point"] in points for each in trials)
    assert all(point == BASELINE or point in [each["point"] for each in trials] for point in adjusted)
    # What broke the SLO gave way to the baseline or to a trial accepted before, and to nothing else.
    course = [point for point, _ in groupby(adjusted)]
    accepted = [BASELINE, *(each["point"] for each in trials[:BROKEN])]
    assert course[course.index(trials[BROKEN]["point"]) + 1] in accepted
    assert adjusted[-1] == document["session"]["result"]["recommendation"]["point"]


@pytest.mark.parametrize("point", [*AGENT, *SERVER], ids=str)
def test_a_session_comes_to_the_same_end_whoever_is_killed(point, tmp_path, server, undisturbed):
    kill = point.kill(undisturbed["commands"])
    check(*conduct(tmp_path, server, str(point), "random", kill), undisturbed)


@pytest.mark.parametrize("point", MODELLED, ids=str)
def test_the_same_with_the_default_strategy(point, tmp_path, server, undisturbed_modelled):
    kill = point.kill(undisturbed_modelled["commands"])
    check(*conduct(tmp_path, server, f"m-{point}", "gaussian-process", kill), undisturbed_modelled)


@pytest.mark.parametrize("point", POSTGRESQL, ids=str)
def test_the_same_on_postgresql(point, tmp_path, undisturbed, new_postgresql):
    kill = point.kill(undisturbed["commands"])
    server = run.Server(tmp_path, new_postgresql())
    try:
        check(*conduct(tmp_path, server, str(point), "random", kill), undisturbed)
    finally:
        server.kill()

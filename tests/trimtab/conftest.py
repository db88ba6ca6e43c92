"""An agent of a made-up application, which answers the optimizer as `servo` does, and sessions to serve it."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from trimtab.catalog import Database
from trimtab.optimizer.session_document import Session
from trimtab.optimizer.session_spec import SessionSpec
from trimtab.optimizer.sessions import Sessions
from trimtab.store import Inspections, InspectionStore

APPLICATION = "example.com/shop"
BASELINE = {"web.cpu": 2.0, "web.workers": 2}
DESCRIPTOR = {
    "application": {
        "components": {
            "web": {
                "settings": {
                    "cpu": {
                        "type": "range",
                        "min": 1.0,
                        "max": 4.0,
                        "step": 0.5,
                        "value": 2.0,
                        "unit": "cores",
                    },
                    "workers": {"type": "range", "min": 1, "max": 8, "step": 1, "value": 2},
                }
            }
        }
    },
    "measurement": {"metrics": {"throughput": {"unit": "rps"}, "latency": {"unit": "ms"}}},
}
EVENTS = {"DESCRIBE": "DESCRIPTION", "ADJUST": "ADJUSTMENT", "MEASURE": "MEASUREMENT"}


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch):
    """No test reads the settings, or the database, of whoever runs it."""
    for name in [each for each in os.environ if each.startswith("TRIMTAB_") and "TEST" not in each]:
        monkeypatch.delenv(name)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def database_url(request, tmp_path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'trimtab.sqlite'}"
    return request.getfixturevalue("new_postgresql")()


@pytest.fixture
def open_database() -> Iterator[Callable[[str], Database]]:
    """Opens databases, and closes them at the end."""
    opened: list[Database] = []

    def open_(url: str) -> Database:
        opened.append(Database(url))
        return opened[-1]

    yield open_
    for each in opened:
        each.close()


@pytest.fixture
def database(tmp_path, open_database) -> Database:
    return open_database(f"sqlite:///{tmp_path / 'trimtab.sqlite'}")


@dataclass
class Clock:
    """A clock that tests put forward."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(database, clock) -> Sessions:
    return Sessions(database, nap=7.0, clock=clock)


@pytest.fixture
def make_spec() -> Callable[..., SessionSpec]:
    """A specification whose search is quick."""

    def make(**changes: Any) -> SessionSpec:
        values = {
            "application": APPLICATION,
            "goal": {"objective": "maximize throughput", "slos": ["latency <= 200ms"]},
            "budget": {"trials": 6},
            "control": {"duration": 10, "warmup": 2, "settlement": 1},
            "strategy": "random",
        }
        return SessionSpec.model_validate(values | changes)

    return make


@pytest.fixture
def session(sessions, make_spec) -> Session:
    return sessions.create(make_spec())


@pytest.fixture
def trials(sessions) -> Callable[[Session], list[dict[str, Any]]]:
    """The trials of a session, as its document has them."""
    return lambda session: sessions.export(session.id)["trials"]


def measure(point: dict[str, Any]) -> dict[str, Any]:
    """Deterministic metrics of a point, best at 3 cores and 5 workers."""
    throughput = 100 - 5 * (point["web.cpu"] - 3) ** 2 - (point["web.workers"] - 5) ** 2
    return {"throughput": {"unit": "rps", "value": throughput}, "latency": {"unit": "ms", "value": 50.0}}


@dataclass
class Agent:
    """What `servo run` does, one message at a time.

    Args:
        handle: Takes an application and a message, and replies.
        uid: Of the agent.
        settings: What the application has now.
        seen: Every point it ever had, in order.
    """

    handle: Callable[[str, dict[str, Any]], dict[str, Any]]
    uid: str | None = "agent-1"
    application: str = APPLICATION
    descriptor: dict[str, Any] = field(default_factory=lambda: DESCRIPTOR)
    settings: dict[str, Any] = field(default_factory=lambda: dict(BASELINE))
    seen: list[dict[str, Any]] = field(default_factory=list)

    def post(self, event: str, param: dict[str, Any] | None = None) -> dict[str, Any]:
        return self.handle(self.application, {"event": event, "param": param, "servo_uid": self.uid})

    def hello(self) -> dict[str, Any]:
        return self.post("HELLO", {"agent": "test", "telemetry": {}})

    def next(self) -> dict[str, Any]:
        return self.post("WHATS_NEXT")

    def result(self, command: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """The param of a successful result, after doing what the command says."""
        param = {"status": "ok", "message": None, "reason": "success", "cmd_uid": command["cmd_uid"]}
        if command["cmd"] == "DESCRIBE":
            param["descriptor"] = self.descriptor
        elif command["cmd"] == "ADJUST":
            self.adjust(command)
        else:
            param["metrics"] = measure(self.settings)
        return param | changes

    def adjust(self, command: dict[str, Any]) -> None:
        components = command["param"]["state"]["application"]["components"]
        for component, each in components.items():
            for name, setting in each["settings"].items():
                self.settings[f"{component}.{name}"] = setting["value"]
        self.seen.append(dict(self.settings))

    def answer(self, command: dict[str, Any], **changes: Any) -> dict[str, Any]:
        return self.post(EVENTS[command["cmd"]], self.result(command, **changes))

    def refuse(self, command: dict[str, Any], status: str = "failed", **more: Any) -> dict[str, Any]:
        """Answer that it could not be done."""
        param = {"status": status, "message": "no", "reason": None, "cmd_uid": command["cmd_uid"]}
        return self.post(EVENTS[command["cmd"]], param | more)

    def step(self) -> dict[str, Any]:
        """Ask for a command and do it."""
        command = self.next()
        if command["cmd"] != "SLEEP":
            assert self.answer(command) == {"status": "ok"}
        return command

    def until(self, cmd: str) -> dict[str, Any]:
        """Do what is asked, up to the first command of this kind, which is left undone."""
        for _ in range(1000):
            command = self.next()
            if command["cmd"] == cmd:
                return command
            assert command["cmd"] != "SLEEP", f"the session is over before any {cmd}"
            self.answer(command)
        raise AssertionError("a session without end")

    def run(self) -> list[str]:
        """Do all that is asked; the commands in order."""
        done = []
        while (command := self.step())["cmd"] != "SLEEP" or len(done) == 0:
            done.append(command["cmd"])
            assert len(done) < 1000
        return done


@pytest.fixture
def make_agent(sessions) -> Callable[..., Agent]:
    def make(**fields: Any) -> Agent:
        return Agent(**({"handle": sessions.handle} | fields))

    return make


@pytest.fixture
def agent(make_agent) -> Agent:
    return make_agent()


@pytest.fixture
def repository() -> Path:
    return Path(__file__).parents[2]


class Page(HTMLParser):
    """A page as a browser reads it: which elements it has, its text, and what is closed out of turn."""

    VOID = frozenset({"meta", "br", "wbr", "img", "link", "input", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.seen: set[str] = set()
        self._texts: list[str] = []
        self.feed(text)

    @property
    def text(self) -> str:
        """What is to be read, with single blanks."""
        return " ".join(" ".join(self._texts).split())

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        self._texts.append(data)


@pytest.fixture
def read_page() -> Callable[[str], Page]:
    return Page


HWINFO = {
    "cpu_info": {"brand_raw": "Some CPU", "family": 6, "model": 85, "vendor_id_raw": "GenuineIntel"},
    "cpu_features": {"flags": ["avx", "avx2"], "l1_data_cache_size": 32768},
    "cpu_type": {"ncpus": 4},
    "platform": {"node": "somewhere", "release": "6.1"},
    "memory": {"total": 8 << 30},
}


def result_of(seconds: float = 1.0, item: int = 0, **changes: Any) -> dict[str, Any]:
    """The result document of a run that took so long."""
    return {
        "exit_code": 0,
        "signal": None,
        "timed_out": False,
        "duration": seconds,
        "start_datetime": f"2026-11-26T10:00:{item:02}.000000",
        "end_datetime": f"2026-11-26T10:00:{item:02}.900000",
        "stdout": {
            "name": "Pi",
            "component": "numpy",
            "@parameters": {"reps": 3},
            "@result": {"elapsed": seconds},
        },
        "stderr": "",
        "usage": {"ru_utime": seconds * 0.9, "ru_stime": 0.05, "ru_maxrss": 51200},
        "hwinfo": HWINFO,
        "packages": [{"name": "NumPy", "version": "1.26.4"}],
    } | changes


@pytest.fixture
def make_result() -> Callable[..., dict[str, Any]]:
    return result_of


@pytest.fixture
def keep_inspection() -> Callable[..., InspectionStore]:
    """Stores an inspection as the workflow does: results by item, and a report that tells of them."""

    def keep(
        inspections: Inspections,
        inspection_id: str,
        results: dict[int, dict[str, Any] | None],
        specification: dict[str, Any] | None = None,
        **report: Any,
    ) -> InspectionStore:
        stored = inspections[inspection_id]
        stored.build.store_build(b"one\ntwo\n", "FROM base\n")
        runs = []
        for item, result in results.items():
            state = "lost" if result is None else "failed" if result["exit_code"] else "succeeded"
            runs.append(
                {"item": item, "attempt": 1, "state": state, "lost": "gone" if result is None else None}
            )
            if result is not None:
                stored.results.store_run(item, result, hwinfo=result.get("hwinfo"))
        good = all(each["state"] == "succeeded" for each in runs)
        asked = {"base": "registry.example/python:3.11", "batch_size": len(results), "script": "#!/bin/sh\n"}
        told: Any = {
            "inspection_id": inspection_id,
            "state": "succeeded" if good else "failed",
            "owner": "",
            "engine": {
                "name": "process",
                "version": "3.11",
                "images": False,
                "cpu": "affinity",
                "memory": None,
            },
            "build": {
                "reference": "a",
                "digest": "sha256:0123",
                "cached": False,
                "seconds": 2.5,
                "left_out": [],
            },
            "runs": runs,
            "failure": None,
            "created": "2026-11-26T10:00:00+00:00",
            "started": "2026-11-26T10:00:00+00:00",
            "ended": "2026-11-26T10:01:00+00:00",
        }
        stored.conclude(asked | (specification or {}), told | report)
        return stored

    return keep

"""Every row of the table in docs/optimizer-protocol.md, over HTTP."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trimtab.optimizer.session_machine import MAX_ISSUES

PATH = "/accounts/example.com/applications/shop/servo"
DOCUMENT = Path(__file__).parents[3] / "docs" / "optimizer-protocol.md"
INVALID = {
    "status": "invalid",
    "reason": "unexpected cmd_uid",
    "message": "this command is not, or no longer, wanted",
}
ANSWERED = {"status": "ok", "message": "this command is already answered"}
ROWS: dict[str, Callable[..., None]] = {}


def row(function: Callable[..., None]) -> Callable[..., None]:
    ROWS[function.__name__.upper()] = function
    return function


class World:
    """A session, its agent over HTTP, and what is to be seen of both."""

    def __init__(self, sessions, session, agent, client, clock, make_spec, make_app, make_client) -> None:
        self.sessions = sessions
        self.session = session
        self.agent = agent
        self.client = client
        self.clock = clock
        self.make_spec = make_spec
        self.make_app = make_app
        self.make_client = make_client

    def state(self) -> Any:
        """Everything there is, but for when the agent was last heard of."""
        document = self.sessions.export(self.session.id)
        del document["exported_at"]
        for name in ("updated_at", "agent"):
            document["session"].pop(name)
        return document

    def unchanged(self, ask: Callable[[], Any]) -> Any:
        """The answer to something that changes nothing."""
        before = self.state()
        answer = ask()
        assert self.state() == before
        return answer

    def trials(self) -> list[dict[str, Any]]:
        return self.sessions.export(self.session.id)["trials"]

    def progress(self, command: dict[str, Any], event: str = "MEASUREMENT") -> dict[str, Any]:
        param = {"progress": 40.0, "runtime": 2.0, "cmd_uid": command["cmd_uid"], "message": "so far"}
        return self.agent.post(event, param)


@pytest.fixture
def world(sessions, make_spec, make_agent, client, clock, make_app, make_client):
    session = sessions.create(make_spec())

    def handle(application, body):
        assert application == "example.com/shop"
        response = client("POST", PATH, json=body)
        assert response.status_code == 200, response.text
        return response.json()

    return World(
        sessions, session, make_agent(handle=handle), client, clock, make_spec, make_app, make_client
    )


@row
def h1(world):
    command = world.agent.until("MEASURE")
    world.agent.uid = "another"
    assert world.agent.hello() == {"status": "ok"}
    assert world.sessions.get(world.session.id).agent.servo_uid == "another"
    assert world.agent.answer(command) == INVALID
    assert world.agent.next()["cmd"] == "DESCRIBE"


@row
def h2(world):
    world.agent.until("MEASURE")
    world.agent.hello()
    assert world.unchanged(world.agent.hello) == {"status": "ok"}
    assert world.trials()[0]["attempts"] == 2


@row
def h3(world):
    command = world.agent.until("MEASURE")
    world.agent.uid = "a check beside the agent"
    assert world.unchanged(lambda: world.agent.post("HELLO")) == {"status": "ok"}
    world.agent.uid = "agent-1"
    assert world.agent.next() == command


@row
def w1(world):
    world.agent.hello()
    command = world.agent.next()
    assert command == {"cmd": "DESCRIBE", "cmd_uid": f"{world.session.id}.1", "param": {"control": {}}}
    assert world.sessions.get(world.session.id).command.cmd == "DESCRIBE"


@row
def w2(world):
    for cmd in ("DESCRIBE", "ADJUST", "MEASURE"):
        command = world.agent.until(cmd)
        assert world.agent.next() == command
        world.agent.answer(command)


@row
def w3(world):
    world.agent.until("MEASURE")
    for _ in range(MAX_ISSUES - 1):
        world.agent.next()
    assert world.agent.next()["cmd"] == "ADJUST"
    assert world.trials()[0]["reason"] == "no-answer"


@row
def w4(world):
    world.agent.run()
    sleep = {"cmd": "SLEEP", "param": {"duration": 7.0, "data": {"reason": "the session is finished"}}}
    assert world.unchanged(world.agent.next) == sleep


@row
def w5(world):
    world.agent.until("MEASURE")
    world.sessions.cancel(world.session.id)
    assert world.agent.step()["cmd"] == "ADJUST"
    assert world.agent.settings == {"web.cpu": 2.0, "web.workers": 2}
    assert world.trials()[0]["status"] == "lost"


@row
def r1(world):
    for cmd in ("DESCRIBE", "ADJUST", "MEASURE"):
        assert world.agent.answer(world.agent.until(cmd)) == {"status": "ok"}
    assert world.trials()[0]["status"] == "ok"


@row
def r2(world):
    for cmd in ("DESCRIBE", "ADJUST", "MEASURE"):
        command = world.agent.until(cmd)
        world.agent.answer(command)
        assert world.unchanged(lambda command=command: world.agent.answer(command)) == ANSWERED


@row
def r3(world):
    late = world.agent.until("MEASURE")
    world.agent.answer(late)
    command = world.agent.next()
    other = {"throughput": {"value": 1.0}, "latency": {"value": 1.0}}
    assert world.unchanged(lambda: world.agent.answer(late, metrics=other)) == ANSWERED
    assert world.agent.next() == command


@row
def r4(world):
    command = world.agent.until("MEASURE")
    world.agent.hello()
    assert world.unchanged(lambda: world.agent.answer(command)) == INVALID


@row
def r5(world):
    command = world.agent.until("MEASURE")
    number = int(command["cmd_uid"].rpartition(".")[2])
    other = f"session-261121000000-0000000000000000.{number}"
    forms = [
        f"{world.session.id}.{number + 1}",
        f"{world.session.id}.0{number}",
        f"{world.session.id}.²",
        other,
    ]
    for uid in [*forms, "", "x" * 1000, None, 5, {"a": 1}]:
        assert world.unchanged(lambda uid=uid: world.agent.answer({**command, "cmd_uid": uid})) == INVALID


@row
def r6(world):
    command = world.agent.until("MEASURE")
    param = world.agent.result(command)
    for event in ("DESCRIPTION", "ADJUSTMENT"):
        answer = world.unchanged(lambda event=event: world.agent.post(event, param))
        assert answer == {"status": "unexpected-event", "message": "MEASUREMENT is expected"}


@row
def r7(world):
    assert world.agent.answer(world.agent.until("MEASURE"), metrics={"throughput": {"value": 1.0}}) == {
        "status": "ok"
    }
    assert (world.trials()[0]["status"], world.trials()[0]["reason"]) == ("failed", "invalid-measurement")


@row
def r8(world):
    for status in ("splendid", None, 7):
        assert world.agent.answer(world.agent.until("MEASURE"), status=status) == {"status": "ok"}
        assert (world.trials()[-1]["status"], world.trials()[-1]["reason"]) == ("failed", "unknown-status")


@row
def r9(world):
    command = world.agent.until("MEASURE")
    world.sessions.delete(world.session.id)
    world.session = world.sessions.create(world.make_spec())
    world.agent.post("GOODBYE")
    assert world.unchanged(lambda: world.agent.answer(command)) == INVALID


@row
def r10(world):
    command = world.agent.until("MEASURE")
    assert world.agent.refuse(command, "cancelled", reason="shutdown") == {"status": "ok"}
    (trial,) = world.trials()
    assert (trial["status"], trial["attempts"]) == (None, 2)
    assert [world.agent.step()["cmd"] for _ in range(2)] == ["ADJUST", "MEASURE"]
    assert world.trials()[0]["status"] == "ok"


@row
def p1(world):
    for cmd, event in (("DESCRIBE", "DESCRIPTION"), ("ADJUST", "ADJUSTMENT"), ("MEASURE", "MEASUREMENT")):
        command = world.agent.until(cmd)
        assert world.progress(command, event) == {"status": "ok"}
        progress = world.sessions.get(world.session.id).command.progress
        assert (progress.percent, progress.message) == (40.0, "so far")
        world.agent.answer(command)


@row
def p2(world):
    command = world.agent.until("MEASURE")
    world.sessions.cancel(world.session.id)
    world.progress(command)
    assert world.unchanged(lambda: world.progress(command))["status"] == "cancel"


@row
def p3(world):
    command = world.agent.until("MEASURE")
    world.clock.now += 3 * 12 + 300 + 1
    world.progress(command)
    assert world.unchanged(lambda: world.progress(command))["status"] == "cancel"


@row
def p4(world):
    command = world.agent.until("MEASURE")
    world.agent.answer(command)
    assert world.unchanged(lambda: world.progress(command)) == ANSWERED


@row
def p5(world):
    command = world.agent.until("MEASURE")
    assert world.unchanged(lambda: world.progress({"cmd_uid": "nobody's"})) == INVALID
    world.agent.hello()
    assert world.unchanged(lambda: world.progress(command)) == INVALID


@row
def p6(world):
    command = world.agent.until("MEASURE")
    assert world.unchanged(lambda: world.progress(command, "ADJUSTMENT"))["status"] == "unexpected-event"


@row
def g1(world):
    command = world.agent.until("MEASURE")
    assert world.agent.post("GOODBYE", {"reason": "SIGTERM"}) == {"status": "ok"}
    assert world.sessions.get(world.session.id).agent.goodbye == "SIGTERM"
    assert world.agent.next() == command


@row
def g2(world):
    world.agent.post("GOODBYE", {"reason": "SIGTERM"})
    assert world.unchanged(lambda: world.agent.post("GOODBYE", {"reason": "SIGINT"})) == {"status": "ok"}


@row
def a1(world):
    command = world.agent.until("MEASURE")
    for event in ("WHATS_NEXT", "DESCRIPTION", "MEASUREMENT", "ADJUSTMENT", "GOODBYE"):
        for uid in ("another", None):
            body = {
                "event": event,
                "param": {"cmd_uid": command["cmd_uid"], "status": "ok"},
                "servo_uid": uid,
            }
            response = world.unchanged(lambda body=body: world.client("POST", PATH, json=body))
            assert response.status_code == 410
            assert response.json() == {
                "detail": "unexpected servo_uid",
                "error": "unexpected servo_uid",
                "parameters": {"account": "example.com", "application": "shop"},
            }


@row
def a2(world):
    assert world.agent.next()["cmd"] == "DESCRIBE"
    assert world.sessions.get(world.session.id).agent.servo_uid == "agent-1"


@row
def a3(world):
    for path in (
        "/accounts/example.com/applications/none/servo",
        "/rest/optimize/co/v1/optimizers/none/servo",
    ):
        response = world.client("POST", path, json={"event": "WHATS_NEXT", "param": None, "servo_uid": None})
        assert response.status_code == 404
        assert "trimtab sessions create" in response.json()["error"]


@row
def a4(world):
    wrong = [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b'"HELLO"',
        b'{"event": "SING"}',
        b'{"event": ["HELLO"]}',
        b'{"event": "HELLO", "param": 5}',
        b'{"event": "HELLO", "param": {}, "servo_uid": 5}',
        b'{"event": "HELLO", "servo_uid": "' + b"x" * 201 + b'"}',
        b'{"event": "HELLO", "param": {"n": ' + b"1" * 5000 + b"}}",
    ]
    for body in wrong:
        response = world.unchanged(lambda body=body: _send(world, body))
        assert response.status_code == 400, body
        assert set(response.json()) == {"error", "parameters"}


@row
def a5(world):
    for depth in (40, 500_000):
        body = b'{"event": "HELLO", "param": {"a": ' + b"[" * depth + b"]" * depth + b"}}"
        assert world.unchanged(lambda body=body: _send(world, body)).status_code == 400
    shallow = b'{"event": "HELLO", "param": {"a": ' + b"[" * 25 + b"]" * 25 + b"}}"
    assert _send(world, shallow).status_code == 200


@row
def a6(world):
    world.client.app = world.make_app(max_body=2000)
    body = b'{"event": "HELLO", "param": {"agent": "' + b"x" * 2000 + b'"}}'
    response = world.unchanged(lambda: _send(world, body))
    assert (response.status_code, response.json()["error"]) == (413, "the body is larger than 2000 bytes")


@row
def a7(world):
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        response = world.unchanged(lambda kind=kind: _send(world, b'{"event": "HELLO", "param": {}}', kind))
        assert response.status_code == 415


@row
def a8(world):
    token = "0123456789abcdef0123"
    app = world.make_app(token=token)
    message = {"event": "HELLO", "param": {}, "servo_uid": None}
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": token}, {"X-SF-Token": "wrong"}):
        response = world.unchanged(
            lambda headers=headers: world.make_client(app, **headers)("POST", PATH, json=message)
        )
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert token not in response.text
    for headers in ({"Authorization": f"Bearer {token}"}, {"X-SF-Token": token}):
        assert world.make_client(app, **headers)("POST", PATH, json=message).status_code == 200


@row
def a9(world, monkeypatch):
    command = world.agent.until("MEASURE")
    with world.sessions.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE commands RENAME TO away")
    body = {"event": "MEASUREMENT", "param": world.agent.result(command), "servo_uid": "agent-1"}
    response = world.client("POST", PATH, json=body)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    with world.sessions.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO commands")
    assert world.trials()[0]["status"] is None
    assert world.client("POST", PATH, json=body).json() == {"status": "ok"}
    assert world.trials()[0]["status"] == "ok"


def _send(world, body: bytes, kind: str = "application/json") -> Any:
    return world.client("POST", PATH, content=body, headers={"Content-Type": kind} if kind else {})


@pytest.mark.parametrize("name", sorted(ROWS))
def test_row(name, world, request):
    function = ROWS[name]
    wanted = function.__code__.co_varnames[1 : function.__code__.co_argcount]
    function(world, **{each: request.getfixturevalue(each) for each in wanted})


def test_every_row_of_the_document_is_tested_and_every_test_has_its_row():
    assert set(re.findall(r"^\| ([A-Z]\d+) \|", DOCUMENT.read_text(), re.MULTILINE)) == set(ROWS)

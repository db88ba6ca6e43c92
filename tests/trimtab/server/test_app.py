"""The server's own routes, and what stands before all of them."""

import asyncio
import hashlib
import json
import re

import pytest

from trimtab.optimizer.session_machine import State
from trimtab.server.caller import ANYBODY
from trimtab.server.gate import LOOPBACK_HOSTS, Gate
from trimtab.server.tokens import TokenError, Tokens
from trimtab.settings import ServerSettings

TOKEN = "0123456789abcdef0123456789abcdef"
SPEC = {
    "application": "example.com/shop",
    "goal": {
        "objective": "maximize throughput / cost",
        "slos": ["latency <= 200ms"],
        "prices": {"web.cpu": 30},
    },
    "budget": {"trials": 4, "seconds": "2h"},
    "control": {"duration": "1m", "warmup": 5},
    "strategy": "random",
}


def test_health_and_readiness(client):
    assert client("GET", "/healthz").json() == {"status": "alive"}
    assert client("GET", "/readyz").json() == {"status": "ready"}


def test_a_server_without_its_tables_lives_but_is_not_ready(client, database):
    with database.write() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    assert client("GET", "/healthz").status_code == 200
    response = client("GET", "/readyz")
    assert (response.status_code, set(response.json())) == (503, {"error", "parameters"})


def test_a_session_is_created_shown_listed_cancelled_exported_and_deleted(client):
    created = client("POST", "/api/v1/sessions", json=SPEC)
    body = created.json()
    name = body["session_id"]
    assert (created.status_code, created.headers["Location"]) == (201, f"/api/v1/sessions/{name}")
    assert body["parameters"]["budget"] == {"trials": 4, "seconds": 7200.0}
    shown = client("GET", f"/api/v1/sessions/{name}").json()
    assert shown["parameters"] == {"session_id": name}
    assert shown["session"]["state"] == "waiting"
    listed = client("GET", "/api/v1/sessions", params={"active": True}).json()
    assert [each["id"] for each in listed["sessions"]] == [name]
    cancelled = client("POST", f"/api/v1/sessions/{name}/cancel")
    assert (cancelled.status_code, cancelled.json()["session"]["state"]) == (202, "cancelled")
    exported = client("GET", f"/api/v1/sessions/{name}/export").json()
    assert exported["document"]["session"]["id"] == name
    assert client("DELETE", f"/api/v1/sessions/{name}").json() == {"parameters": {"session_id": name}}
    assert client("GET", f"/api/v1/sessions/{name}").status_code == 404


def test_a_second_session_of_an_application_is_a_conflict(client):
    client("POST", "/api/v1/sessions", json=SPEC)
    response = client("POST", "/api/v1/sessions", json=SPEC)
    assert response.status_code == 409
    assert "unfinished session" in response.json()["error"]


def test_pages_follow_each_other(client):
    for number in range(5):
        client("POST", "/api/v1/sessions", json=SPEC | {"application": f"example.com/{number}"})
    pages = [client("GET", "/api/v1/sessions", params={"page": n, "limit": 2}).json() for n in (1, 2, 3, 4)]
    names = [[each["id"] for each in page["sessions"]] for page in pages]
    assert [len(each) for each in names] == [2, 2, 1, 0]
    assert len({each for page in names for each in page}) == 5


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_session_is_404_and_says_which(client, method):
    response = client(method, "/api/v1/sessions/session-1")
    assert response.status_code == 404
    assert response.json()["parameters"] == {"session_id": "session-1"}
    assert "session-1" in response.json()["error"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"application": "/shop"}, "organization/name"),
        ({"application": "../../etc"}, "organization/name"),
        ({"application": "example.com/shop\n"}, "organization/name"),
        ({"goal": {"objective": "maximize thr +"}}, "column 15"),
        ({"goal": {"objective": "maximize thr", "slos": ["latency"]}}, "goal"),
        ({"goal": {"objective": "maximize thr / cost"}}, "prices"),
        ({"goal": {"objective": "minimize cost", "prices": {"web.cpu": -1}}}, "goal.prices.web.cpu"),
        ({"budget": {"trials": 0}}, "budget.trials"),
        ({"budget": {"trials": 10**9}}, "budget.trials"),
        ({"control": {"duration": "5 parsecs"}}, "Invalid duration"),
        ({"control": {"duration": -1}}, "control.duration"),
        ({"strategy": "luck"}, "gaussian-process"),
        ({"seed": -1}, "seed"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_with_a_specification_is_said_with_its_place(client, change, problem):
    response = client("POST", "/api/v1/sessions", json=SPEC | change)
    assert response.status_code == 400
    assert problem in response.json()["error"]
    assert set(response.json()) == {"error", "parameters"}


@pytest.mark.parametrize(
    ("method", "path", "code"), [("GET", "/nowhere", 404), ("PUT", "/healthz", 405), ("GET", "/docs", 404)]
)
def test_errors_of_routing_have_our_shape(client, method, path, code):
    response = client(method, path)
    assert response.status_code == code
    assert set(response.json()) == {"error", "parameters"}


def test_a_defect_is_told_without_its_details(client, monkeypatch, sessions):
    monkeypatch.setattr(sessions, "get", lambda _: {}[TOKEN])
    response = client("GET", "/api/v1/sessions/session-1")
    assert response.status_code == 500
    assert "KeyError" in response.json()["error"]
    assert response.headers["X-Amun-Version"]
    assert TOKEN not in response.text


def test_only_health_and_the_description_are_open_without_the_token(make_app, make_client):
    client = make_client(make_app(token=TOKEN))
    for path in ("/healthz", "/readyz", "/openapi.json"):
        assert client("GET", path).status_code == 200
    for path in ("/metrics", "/api/v1/sessions", "/api/v1/sessions/x", "/nowhere"):
        refused = client("GET", path)
        assert (refused.status_code, "X-Amun-Version" in refused.headers) == (401, True)
    bearer = make_client(make_app(token=TOKEN), Authorization=f"bearer {TOKEN}")
    assert bearer("GET", "/metrics").status_code == 200


def test_tokens_of_a_file_in_clear_and_as_digests(tmp_path, make_app, make_client):
    other = "fedcba9876543210"
    file = tmp_path / "tokens"
    file.write_text(f"# ours\n\n{TOKEN}\nsha256:{hashlib.sha256(other.encode()).hexdigest()}\n")
    app = make_app(token_file=file)
    for token, code in ((TOKEN, 200), (other, 200), ("0" * 16, 401), (hashlib.sha256(b"").hexdigest(), 401)):
        assert make_client(app, Authorization=f"Bearer {token}")("GET", "/metrics").status_code == code


@pytest.mark.parametrize("content", [b"", b"# none\n", b"short\n", b"\xff\xfe"])
def test_a_token_file_without_a_usable_token_is_refused(tmp_path, content):
    file = tmp_path / "tokens"
    file.write_bytes(content)
    with pytest.raises(TokenError) as caught:
        Tokens.from_settings(ServerSettings(token_file=file))
    assert str(file) in str(caught.value)
    assert "short" not in str(caught.value).replace("too short", "")


def test_a_token_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(TokenError, match="cannot be read"):
        Tokens.from_settings(ServerSettings(token_file=tmp_path / "none"))


def test_tokens_are_kept_as_digests_alone(make_app):
    tokens = Tokens.from_settings(ServerSettings(token=TOKEN))
    assert tokens.caller(TOKEN) == ANYBODY
    assert tokens.caller(None) is None
    assert TOKEN not in repr(vars(tokens))
    assert TOKEN not in repr(ServerSettings(token=TOKEN))


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "127.0.0.1.evil.example:80"])
def test_a_server_on_loopback_without_token_answers_to_its_own_names_only(make_app, make_client, host):
    """A page of evil.example could resolve its own name to 127.0.0.1, and read what it gets."""
    app = make_app(hosts=LOOPBACK_HOSTS)
    assert make_client(app, Host=host)("GET", "/healthz").status_code == 400
    for own in ("localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "[::1]"):
        assert make_client(app, Host=own)("GET", "/healthz").status_code == 200


def gate(messages, **options):
    """What a gate answers to a request that comes in these pieces; None where the client is gone."""
    sent = []

    async def receive():
        if not messages:
            await asyncio.sleep(60)
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    async def behind(_scope, receive, send):
        body = (await receive())["body"]
        await answer(send, body)

    async def answer(send, body):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(Gate(behind, Tokens(), 10, **options)(scope, receive, send))
    return (sent[0]["status"], sent[1]["body"]) if sent else None


def test_a_body_in_pieces_is_put_together():
    pieces = [
        {"type": "http.request", "body": b"abc", "more_body": True},
        {"type": "http.request", "body": b"def"},
    ]
    assert gate(pieces) == (200, b"abcdef")


def test_a_body_that_grows_beyond_the_limit_is_refused_whatever_it_said_before():
    assert gate([{"type": "http.request", "body": b"abcdef", "more_body": True}] * 100)[0] == 413


def test_a_body_that_does_not_come_is_refused_in_time():
    assert gate([{"type": "http.request", "body": b"a", "more_body": True}], body_timeout=0.01)[0] == 408


def test_a_client_that_leaves_is_not_answered():
    assert (
        gate([{"type": "http.request", "body": b"a", "more_body": True}, {"type": "http.disconnect"}]) is None
    )


def test_metrics_count_sessions_trials_and_posts(client, sessions, make_agent):
    session = client("POST", "/api/v1/sessions", json=SPEC).json()["session_id"]

    def handle(application, body):
        return client(
            "POST", f"/accounts/{application.replace('/', '/applications/')}/servo", json=body
        ).json()

    agent = make_agent(handle=handle)
    agent.hello()
    agent.answer(agent.until("MEASURE"))
    handle("example.com/none", {"event": "WHATS_NEXT"})
    handle("example.com/shop", {"event": "\u0000" * 50})
    lines = client("GET", "/metrics").text.splitlines()
    for line in (
        'trimtab_sessions{state="running"} 1.0',
        'trimtab_sessions{state="finished"} 0.0',
        'trimtab_trials{status="ok"} 1.0',
        'trimtab_posts_total{event="HELLO",status="ok"} 1.0',
        'trimtab_posts_total{event="WHATS_NEXT",status="MEASURE"} 1.0',
        'trimtab_posts_total{event="WHATS_NEXT",status="404"} 1.0',
        'trimtab_posts_total{event="unknown",status="400"} 1.0',
        "trimtab_database_up 1.0",
    ):
        assert line in lines
    assert sessions.get(session).state is State.running


def test_metrics_name_routes_by_their_pattern_so_that_there_is_an_end_to_them(client):
    for number in range(5):
        client("GET", f"/api/v1/sessions/session-{number}")
        client("GET", f"/nowhere/{number}")
    routes = set(
        re.findall(
            r'trimtab_request_seconds_count{code="404",route="([^"]+)"}', client("GET", "/metrics").text
        )
    )
    assert routes == {"/api/v1/sessions/{session_id}", "none"}


def test_metrics_without_a_database_say_so(client, database):
    with database.write() as connection:
        connection.exec_driver_sql("DROP TABLE events")
        connection.exec_driver_sql("DROP TABLE commands")
        connection.exec_driver_sql("DROP TABLE trials")
        connection.exec_driver_sql("DROP TABLE sessions")
    response = client("GET", "/metrics")
    assert response.status_code == 200
    assert "trimtab_database_up 0.0" in response.text
    assert "trimtab_sessions{" not in response.text


def test_two_applications_count_for_themselves(make_app, make_client):
    first, second = make_client(make_app()), make_client(make_app())
    first("GET", "/healthz")
    assert 'route="/healthz"' not in second("GET", "/metrics").text


def test_the_log_has_a_line_for_each_request_and_no_secret(make_app, make_client):
    """Neither headers nor queries are logged; a line break in a path does not make a line."""
    from loguru import logger

    lines = []
    handler = logger.add(lambda line: lines.append(str(line)), level="DEBUG")
    try:
        client = make_client(make_app(token=TOKEN), Authorization=f"Bearer {TOKEN}")
        client("GET", f"/api/v1/sessions?application={TOKEN}")
        client("GET", "/nowhere%0Aforged%20line", headers={"X-SF-Token": TOKEN})
    finally:
        logger.remove(handler)
    assert len(lines) == 2
    assert "GET /api/v1/sessions 200" in lines[0]
    assert "GET /nowhere%0Aforged%20line 404" in lines[1]
    assert TOKEN not in "".join(lines)


def test_the_description_has_every_answer_that_there_is(client):
    paths = client("GET", "/openapi.json").json()["paths"]
    assert len(paths) == 17  # an application with sessions alone, as `trimtab tune` has it
    for operations in paths.values():
        for operation in operations.values():
            assert {"400", "401", "413"} <= set(operation["responses"])
            assert "422" not in operation["responses"]
            assert operation["description"]


def test_documents_hold_nothing_but_json(client, make_agent):
    name = client("POST", "/api/v1/sessions", json=SPEC).json()["session_id"]

    def handle(application, body):
        content = json.dumps(body)
        path = f"/accounts/{application.replace('/', '/applications/')}/servo"
        return client("POST", path, content=content, headers={"Content-Type": "application/json"}).json()

    agent = make_agent(handle=handle)
    command = agent.until("MEASURE")
    agent.answer(command, metrics={"throughput": {"value": float("nan")}, "latency": {"value": float("inf")}})
    document = client("GET", f"/api/v1/sessions/{name}/export").text
    json.loads(document, parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))
    assert json.loads(document)["document"]["trials"][0]["status"] == "failed"

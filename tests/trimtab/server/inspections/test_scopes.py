"""Who may do what: scopes of tokens, and whose inspections somebody sees."""

import re

import pytest

from trimtab.server.caller import ANYBODY, Scope
from trimtab.server.gate import OPEN
from trimtab.server.tokens import TokenError, Tokens
from trimtab.settings import ServerSettings

FIRST = "inspection-matmul-260101000000-0000000000000001"
SECOND = "inspection-matmul-260101000001-0000000000000002"
POST = {"event": "HELLO", "param": {}}
SERVO = "/accounts/example.com/applications/shop/servo"
READS = [
    "status",
    "specification",
    "build/log",
    "job/batch-size",
    "job/0/log",
    "job/0/result",
    "job/0/hwinfo",
]
READS += ["report", "containerfile", "statistics", "wait", f"compare/{FIRST}", "events"]


async def test_a_caller_sees_its_own_and_an_admin_all(callers, conclude):
    conclude(FIRST, owner="alice")
    conclude(SECOND, owner="bob")
    for name, found in (("alice", [FIRST]), ("bob", [SECOND]), ("watcher", []), ("root", [FIRST, SECOND])):
        assert (await callers[name].get("/api/v1/inspect")).json()["inspections"] == found
        rows = (await callers[name].get("/api/v1/inspections")).json()["inspections"]
        assert sorted(each["id"] for each in rows) == found


@pytest.mark.parametrize("name", READS)
async def test_what_is_somebody_elses_is_not_there(callers, conclude, name):
    """The same answer as for what does not exist: nobody learns which ids there are."""
    conclude(FIRST, owner="alice")
    path = f"/api/v1/inspect/{FIRST}/{name}"
    assert (await callers["alice"].get(path)).status_code == 200
    assert (await callers["root"].get(path)).status_code == 200
    foreign = await callers["bob"].get(path)
    unknown = await callers["bob"].get(path.replace(FIRST, SECOND))
    assert foreign.status_code == unknown.status_code
    assert foreign.text.replace(FIRST, "") == unknown.text.replace(SECOND, "").replace(FIRST, "")


@pytest.mark.parametrize(("method", "name"), [("POST", "/cancel"), ("POST", "/retry"), ("DELETE", "")])
async def test_what_is_somebody_elses_is_not_changed(callers, conclude, method, name):
    conclude(FIRST, owner="alice")
    path = f"/api/v1/inspect/{FIRST}{name}"
    assert (await callers["bob"].request(method, path)).status_code == 404
    assert (await callers["watcher"].request(method, path)).status_code == 403
    assert (await callers["alice"].get(f"/api/v1/inspect/{FIRST}/report")).status_code == 200


async def test_who_submits_is_the_owner(callers, place):
    name = (await callers["alice"].post("/api/v1/inspect", json={"base": "a"})).json()["inspection_id"]
    assert (await callers["alice"].get("/api/v1/inspect")).json()["inspections"] == [name]
    assert (await callers["bob"].get("/api/v1/inspect")).json()["inspections"] == []


@pytest.mark.parametrize(
    ("caller", "method", "path", "code"),
    [
        ("watcher", "GET", "/api/v1/inspect", 200),
        ("watcher", "GET", "/metrics", 200),
        ("watcher", "POST", "/api/v1/inspect", 403),
        ("watcher", "GET", "/api/v1/sessions", 403),
        ("watcher", "POST", SERVO, 403),
        ("alice", "POST", SERVO, 403),
        ("alice", "GET", "/api/v1/sessions", 403),
        ("shop", "POST", SERVO, 404),
        ("shop", "GET", "/api/v1/inspect", 403),
        ("shop", "GET", "/metrics", 403),
        ("root", "POST", SERVO, 404),
        ("root", "GET", "/api/v1/sessions", 200),
        ("nobody", "GET", "/api/v1/inspect", 401),
        ("nobody", "POST", "/api/v1/inspect", 401),
        ("nobody", "GET", "/api/v1/version", 200),
        ("nobody", "GET", "/api/v1", 200),
    ],
)
async def test_each_scope_opens_what_it_is_for(callers, caller, method, path, code):
    body = {"json": POST if path == SERVO else {"base": "a"}} if method == "POST" else {}
    response = await callers[caller].request(method, path, **body)
    assert response.status_code == code, response.text
    if code == 403:
        assert "scope" in response.json()["error"]


async def test_every_route_has_a_scope_or_is_open(callers):
    """A route that was forgotten would be open to every token: no other is for both of these."""
    paths = (await callers["nobody"].get("/openapi.json")).json()["paths"]
    asked = {(method.upper(), path) for path, each in paths.items() for method in each}
    assert len(asked) == 82
    for method, path in sorted(asked):
        filled = re.sub(r"\{\w+\}", "0", path)
        codes = {(await callers[name].request(method, filled)).status_code for name in ("watcher", "shop")}
        assert (403 in codes) is (path not in OPEN), (method, path, codes)


def test_lines_of_a_token_file(tmp_path):
    file = tmp_path / "tokens"
    file.write_text(
        "plain-0123456789abcdef\n"
        "alice:submit:token-0123456789abcdef\n"
        "alice:read:other-0123456789abcdef\n"
        "with:colons:but-no-scope-in-it\n"
        f"ci@example.com:read:sha256:{'a' * 64}\n"
    )
    tokens = Tokens.from_settings(ServerSettings(token_file=file))
    assert tokens.caller("plain-0123456789abcdef") == ANYBODY
    assert tokens.caller("with:colons:but-no-scope-in-it") == ANYBODY
    submit, read = tokens.caller("token-0123456789abcdef"), tokens.caller("other-0123456789abcdef")
    assert (submit.name, submit.scope) == ("alice", Scope.SUBMIT)
    assert (read.name, read.scope) == ("alice", Scope.READ)
    assert tokens.caller("alice:submit:token-0123456789abcdef") is None
    assert tokens.caller(None) is None


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("alice:submit:short", "fewer than 16"),
        ("alice:submit:0123456789abcdef\nbob:submit:0123456789abcdef", "another name"),
        ("alice:submit:0123456789abcdef\nalice:read:0123456789abcdef", "another name"),
    ],
)
def test_lines_that_cannot_be_used(tmp_path, lines, said):
    file = tmp_path / "tokens"
    file.write_text(lines)
    with pytest.raises(TokenError, match=said) as caught:
        Tokens.from_settings(ServerSettings(token_file=file))
    assert "0123456789abcdef" not in str(caught.value)


async def test_without_tokens_everybody_is_an_admin(serve, conclude):
    conclude(FIRST, owner="alice")
    async with serve(token_file=None) as callers:
        assert (await callers["nobody"].get("/api/v1/inspect")).json()["inspections"] == [FIRST]
        made = (await callers["nobody"].post("/api/v1/inspect", json={"base": "a"})).json()
        assert (await callers["nobody"].get("/api/v1/inspections")).json()["inspections"][0]["owner"] == ""
        assert made["inspection_id"]


async def test_no_web_page_is_let_in_unless_it_is_named(serve):
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    async with serve() as callers:
        response = await callers["root"].get("/api/v1/inspect", headers={"Origin": "https://app.example"})
        assert "Access-Control-Allow-Origin" not in response.headers
    async with serve(cors_origins=("https://app.example",)) as callers:
        response = await callers["root"].get("/api/v1/inspect", headers={"Origin": "https://app.example"})
        assert response.headers["Access-Control-Allow-Origin"] == "https://app.example"
        other = await callers["root"].get("/api/v1/inspect", headers={"Origin": "https://evil.example"})
        assert "Access-Control-Allow-Origin" not in other.headers
        preflight = await callers["nobody"].options("/api/v1/inspect", headers=asked)
        assert preflight.status_code == 200

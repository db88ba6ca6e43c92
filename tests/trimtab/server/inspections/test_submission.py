"""What is submitted: bounded, checked, with its script fetched."""

import json

import pytest

from trimtab.catalog import inspections as catalog

BODY = {"base": "registry.example/python:3.11"}
JSON = {"Content-Type": "application/json"}


def nested(depth):
    return b'{"base": "a", "x": ' + b"[" * depth + b"]" * depth + b"}"


@pytest.mark.parametrize("path", ["/api/v1/inspect", "/api/v1/_debug/generate-dockerfile"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b'{"base": "a"', "no JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[]", "JSON object"),
        (b"null", "JSON object"),
        (b'"text"', "JSON object"),
        (nested(100), "nested"),
        (nested(10_000), "nested"),
        (nested(100_000), "nested"),
        (b'{"base": NaN}', "NaN"),
        (b'{"base": "a", "x": "\\ud800"}', "surrogate"),
        (b'{"base": "a", "batch_size": ' + b"9" * 5000 + b"}", "more digits"),
        (b'{"base": "a", "batch_size": 1e400}', "NaN and infinity"),
        (b'{"base": "a", "base": ["b"]}', "base"),
        (json.dumps({"base": "a", "x": [0] * 300_000}).encode(), "more than 200000 values"),
    ],
)
async def test_what_is_no_specification_is_a_bad_request(root, path, content, said):
    response = await root.post(path, content=content, headers=JSON)
    assert response.status_code == 400
    assert said in response.json()["error"]
    assert set(response.json()) == {"error", "parameters"}


async def test_a_large_body_is_refused_before_it_is_read(root):
    async def pieces():
        for _ in range(100):
            yield b"x" * (1 << 20)

    response = await root.post("/api/v1/inspect", content=pieces(), headers=JSON)
    assert response.status_code == 413


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"])
async def test_a_form_of_a_web_page_is_no_submission(root, kind):
    """Browsers send these for any page, without asking."""
    response = await root.post("/api/v1/inspect", content=json.dumps(BODY), headers={"Content-Type": kind})
    assert response.status_code == 415


async def test_a_page_of_elsewhere_is_refused_on_loopback(serve):
    from trimtab.server.gate import LOOPBACK_HOSTS

    async with serve(token_file=None, hosts=LOOPBACK_HOSTS) as callers:
        path, own = "/api/v1/inspect", {"Origin": "http://localhost:8080"}
        for origin in ("https://evil.example", "null", "http://localhost.evil.example"):
            response = await callers["nobody"].post(path, json=BODY, headers={"Origin": origin})
            assert response.status_code == 403
        assert (await callers["nobody"].post(path, json=BODY, headers=own)).status_code == 202


async def test_the_problem_names_each_field(root):
    body = BODY | {"batch_size": 0, "update": "maybe"}
    error = (await root.post("/api/v1/inspect", json=body)).json()["error"]
    assert "batch_size" in error
    assert "update" in error


async def test_b9_a_script_that_cannot_be_had_is_a_bad_request(root):
    """The second key is `parameters`, without the colon that the original put there."""
    url = "http://127.0.0.1:1/script"
    response = await root.post("/api/v1/inspect", json=BODY | {"script": url})
    assert response.status_code == 400
    assert set(response.json()) == {"error", "parameters"}
    assert response.json()["error"].startswith(f"Failed to obtain script from {url} (")


async def test_a_script_is_fetched_when_it_is_submitted(serve, files, place):
    async with serve(script_hosts=("127.0.0.1",)) as callers:
        url = f"{files}/script"
        signed = f"{url}?signature=geheim#part"
        response = await callers["alice"].post("/api/v1/inspect", json=BODY | {"script": signed})
        assert "geheim" not in response.text
        assert response.status_code == 202
        with place.database.read() as connection:
            kept = catalog.specification(connection, response.json()["inspection_id"])
        assert (kept["script"], kept["@script_url"]) == ("#!/bin/sh\n", url)
        missing = await callers["alice"].post("/api/v1/inspect", json=BODY | {"script": f"{files}/none"})
        assert missing.json()["error"] == f"Failed to obtain script from {files}/none (HTTP status: 404)"


async def test_with_a_key_of_its_own_a_caller_that_asks_twice_asks_once(callers):
    async def submit(name, key):
        asked = {"Idempotency-Key": key}
        return (await callers[name].post("/api/v1/inspect", json=BODY, headers=asked)).json()["inspection_id"]

    first = await submit("alice", "one")
    assert await submit("alice", "one") == first
    assert len({first, await submit("alice", "two"), await submit("bob", "one")}) == 3
    response = await callers["alice"].post(
        "/api/v1/inspect", json=BODY, headers={"Idempotency-Key": "x" * 201}
    )
    assert response.status_code == 400


async def test_nothing_is_fetched_to_show_what_would_be_built(serve, files):
    async with serve() as callers:
        body = BODY | {"script": f"{files}/script"}
        response = await callers["alice"].post("/api/v1/_debug/generate-dockerfile", json=body)
        assert response.status_code == 200


@pytest.fixture
def files():
    import threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            found = self.path.partition("?")[0] == "/script"
            body = b"#!/bin/sh\n" if found else b""
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()

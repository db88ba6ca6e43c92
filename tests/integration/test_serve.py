"""`trimtab serve` as a process: where it listens, how it ends, and what it says."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

TRIMTAB = Path(sys.executable).parent / "trimtab"
TOKEN = "0123456789abcdef0123"
pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


@pytest.fixture
def serve(tmp_path):
    """Starts servers, and ends them."""
    started = []

    def start(*arguments, **environment):
        log = (tmp_path / f"{len(started)}.log").open("w+")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TRIMTAB_")}
        process = subprocess.Popen(
            [TRIMTAB, "serve", *arguments],
            env=kept | {"TRIMTAB_HOME": str(tmp_path / "home"), "TRIMTAB_PORT": "0"} | environment,
            stdout=log,
            stderr=log,
        )
        started.append((process, log))
        process.read = lambda: Path(log.name).read_text()
        return process

    yield start
    for process, log in started:
        process.kill()
        process.wait()
        log.close()


def port(process):
    for _ in range(1000):
        if found := re.search(r"running on http://\S+:(\d+)", process.read()):
            return int(found[1])
        assert process.poll() is None, process.read()
        time.sleep(0.05)
    raise AssertionError("the server did not start")


def get(url, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_it_listens_on_loopback_and_ends_gracefully(serve, tmp_path):
    process = serve()
    at = port(process)
    assert get(f"http://127.0.0.1:{at}/readyz")[0] == 200
    assert get(f"http://127.0.0.1:{at}/readyz", Host="evil.example")[0] == 400
    with socket.socket() as other, pytest.raises(OSError, match="refused"):
        # Another address of this machine, on which nothing listens.
        other.connect(("127.0.0.2", at))
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert (tmp_path / "home" / "trimtab.sqlite").exists()


@pytest.mark.parametrize("how", ["option", "environment"])
def test_it_refuses_other_addresses_without_a_token(serve, how):
    process = serve("--host", "0.0.0.0") if how == "option" else serve(TRIMTAB_HOST="0.0.0.0")
    assert process.wait(60) == 2
    assert "trimtab token" in process.read()
    assert "--token-file" in process.read()


def test_with_a_token_it_listens_anywhere_and_never_shows_it(serve, tmp_path):
    (tmp_path / "tokens").write_text(TOKEN)
    process = serve("--host", "0.0.0.0", "--token-file", str(tmp_path / "tokens"), "--log-level", "TRACE")
    url = f"http://127.0.0.1:{port(process)}/api/v1/sessions"
    assert get(url)[0] == 401
    status, body = get(f"{url}?application={TOKEN}", Authorization=f"Bearer {TOKEN}")
    assert (status, json.loads(body)["sessions"]) == (200, [])
    arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode()
    process.send_signal(signal.SIGINT)
    process.wait(30)
    assert "GET /api/v1/sessions 200" in process.read()
    assert TOKEN not in process.read() + arguments


def test_an_option_wins_over_the_environment(serve):
    process = serve("--port", "0", TRIMTAB_PORT="nonsense")
    assert get(f"http://127.0.0.1:{port(process)}/healthz")[0] == 200


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "said"),
    [
        (["--port", "70000"], {}, 2, "--port"),
        (["--engine", "moon"], {}, 2, "--engine"),
        (["--engine", "process"], {}, 2, "--allow-process-engine"),
        ([], {"TRIMTAB_CORS_ORIGINS": "*"}, 2, "TRIMTAB_CORS_ORIGINS"),
        ([], {"TRIMTAB_SCRIPT_HOSTS": "10.1.2.3/8"}, 2, "TRIMTAB_SCRIPT_HOSTS"),
        ([], {"TRIMTAB_STORE_URL": "ftp://x/y"}, 1, "ftp"),
        ([], {"TRIMTAB_PORT": "x"}, 2, "TRIMTAB_PORT"),
        (["--token-file", "/nowhere"], {}, 2, "/nowhere"),
        ([], {"TRIMTAB_TOKEN": "short"}, 2, "TRIMTAB_TOKEN"),
        ([], {"TRIMTAB_DATABASE_URL": "mysql://root:geheim@x/y"}, 1, "not supported"),
        ([], {"TRIMTAB_DATABASE_URL": "postgresql://root:geheim@127.0.0.1:1/y"}, 1, "cannot be used"),
    ],
)
def test_what_is_wrong_at_the_start_is_one_message(serve, arguments, environment, code, said):
    process = serve(*arguments, **environment)
    assert process.wait(60) == code
    assert said in process.read()
    assert "Traceback" not in process.read()
    assert "geheim" not in process.read()
    assert "short" not in process.read().replace("shorter", "")


def test_a_port_that_is_taken_is_a_failure(serve):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = serve("--port", str(taken.getsockname()[1]))
        assert process.wait(60) == 1
        assert "in use" in process.read()
        assert "Traceback" not in process.read()


def test_a_request_under_way_is_answered_before_the_end(serve):
    """SIGTERM while a body is still on its way: the request is finished, then the server."""
    process = serve()
    at = port(process)
    with socket.create_connection(("127.0.0.1", at), timeout=30) as client:
        body = b'{"event": "HELLO", "param": null}'
        head = (
            b"POST /accounts/example.com/applications/shop/servo HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n"
        )
        client.sendall(head + body[:5])
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        client.sendall(body[5:])
        assert client.recv(4096).startswith(b"HTTP/1.1 404")
    assert process.wait(30) == 0

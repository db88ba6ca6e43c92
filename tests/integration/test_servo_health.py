"""``servo run --health``: what a cluster asks the agent, on a real process."""

import re
import time
import urllib.error
import urllib.request

import pytest
import yaml

pytestmark = pytest.mark.integration


@pytest.fixture
def configured(tmp_path):
    def write(base_url):
        document = {
            "optimizer": {"id": "example.com/app", "token": "T", "base_url": base_url},
            "connectors": ["wait"],
            "wait": {"measure_enabled": True},
        }
        (tmp_path / "servo.yaml").write_text(yaml.safe_dump(document))

    return write


def ask(address: str, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def address_of(program) -> str:
    program.wait_for_line("health and metrics are served on ")
    return re.search(r"served on (\S+)", program.log.read_text())[1]


def test_a_servo_is_ready_once_its_optimizer_knows_it(servo_start, configured, scripted_optimizer):
    configured(scripted_optimizer.url)
    program = servo_start("run", "--health", "127.0.0.1:0")
    where = address_of(program)
    scripted_optimizer.wait_for("WHATS_NEXT")
    assert ask(where, "/healthz") == (200, "ok\n")
    deadline = time.monotonic() + 10
    while ask(where, "/readyz") != (200, "ok\n"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    status, metrics = ask(where, "/metrics")
    assert status == 200
    assert 'servo_connected{servo="example.com/app"} 1' in metrics
    assert ask(where, "/")[0] == 404
    program.process.terminate()
    assert program.end()[0] == 0


def test_a_servo_without_its_optimizer_lives_and_is_not_ready(servo_start, configured, unused_tcp_port):
    configured(f"http://127.0.0.1:{unused_tcp_port}")
    program = servo_start("run", "--health", "127.0.0.1:0")
    where = address_of(program)
    assert ask(where, "/healthz") == (200, "ok\n")
    assert ask(where, "/readyz") == (503, "not connected to their optimizers: example.com/app\n")
    assert 'servo_connected{servo="example.com/app"} 0' in ask(where, "/metrics")[1]
    program.process.terminate()
    program.end()


@pytest.mark.parametrize("address", ["9101", "127.0.0.1:", ":9101", "127.0.0.1:x", "127.0.0.1:70000"])
def test_what_is_no_address_is_refused(servo_run, configured, address):
    configured("http://127.0.0.1:9")
    result = servo_run("run", "--health", address)
    assert result.returncode == 2
    assert "is no address" in result.stderr


def test_an_address_that_is_taken_is_said(servo_run, configured, scripted_optimizer):
    configured(scripted_optimizer.url)
    taken = scripted_optimizer.url.removeprefix("http://").rstrip("/")
    result = servo_run("run", "--health", taken)
    assert result.returncode == 1
    assert f"cannot listen on {taken}" in result.stderr

"""`servo check`: new, in place of the command that the original dropped; `run --check` uses the same checks."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest


class Agreeable(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "16")
        self.end_headers()
        self.wfile.write(b'{"status": "ok"}')

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def address():
    server = HTTPServer(("127.0.0.1", 0), Agreeable)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _configured(config, address):
    config(
        f"optimizer: {{id: example.com/app, token: T, base_url: '{address}'}}\n"
        "connectors: {checked: checkedconn.CheckedConnector}\nchecked: {}\nchecks: {wait: '0', progressive: false}\n"
    )


@pytest.fixture
def names(servo):
    """Run the checks, and give back their names and the exit code."""

    def run(*args):
        result = servo("check", *args, "--output", "json")
        return {check["name"]: check["passed"] for check in json.loads(result.stdout)}, result.exit_code

    return run


def test_when_all_pass_the_exit_code_is_zero(servo):
    result = servo("check")
    assert result.stdout.splitlines() == [
        "CONNECTOR        STATUS    ERRORS",
        "checked          √ PASSED",
        "example.com/app  √ PASSED",
    ]
    assert result.exit_code == 0


def test_a_failure_is_told_and_the_exit_code_is_one(servo, tmp_path):
    (tmp_path / "mute").touch()
    result = servo("check")
    assert "checked          X FAILED  (1/1) Answers: as asked" in result.stdout.splitlines()
    assert result.exit_code == 1


def test_a_warning_does_not_fail(servo, tmp_path):
    (tmp_path / "slow").touch()
    result = servo("check", "--verbose")
    assert "! WARNING" in result.stdout
    assert result.exit_code == 0


def test_checks_are_chosen_by_id_tag_and_connector(names):
    assert names("--id", "check_answers") == ({"Answers": True}, 0)
    assert names("--tag", "web") == ({"Answers": True, "Is quick": True}, 0)
    assert names("--tag", "speed", "--tag", "bogus") == ({"Is quick": True}, 0)
    assert names("checked")[0].keys() == {"Is there", "Answers", "Is quick"}


def test_what_was_required_and_failed_is_shown_though_not_asked_for(names, tmp_path):
    (tmp_path / "gone").touch()
    assert names("--id", "check_answers") == ({"Is there": False}, 1)


def test_a_critical_failure_halts_unless_told_otherwise(names, tmp_path):
    (tmp_path / "gone").touch()
    assert names("checked") == ({"Is there": False}, 1)
    assert names("checked", "--halt-on", "never")[0].keys() == {"Is there", "Answers", "Is quick"}


@pytest.mark.parametrize("option", [["--id", "bogus"], ["--tag", "bogus"]])
def test_no_such_check_is_a_usage_error(servo, option):
    result = servo("check", *option)
    assert result.exit_code == 2
    assert "there are no such checks" in result.stderr


def test_progressive_does_as_the_configuration_says(servo, tmp_path):
    assert servo("check", "--progressive").exit_code == 0
    (tmp_path / "mute").touch()
    result = servo("check", "--progressive")
    assert result.exit_code == 1
    assert result.stdout.startswith("CONNECTOR")


def test_a_dry_run_ends_with_the_checks(servo, tmp_path):
    assert servo("run", "--dry-run").exit_code == 0
    (tmp_path / "mute").touch()
    result = servo("run", "--dry-run")
    assert result.exit_code == 1
    assert result.stderr.endswith(
        "Error: the servo is not ready: see the checks above, or `servo check --verbose`\n"
    )


def test_the_checks_of_several_servos_are_told_apart(servo, config, address):
    document = (
        "name: {0}\noptimizer: {{id: example.com/{0}, token: T, base_url: '" + address + "'}}\n"
        "connectors: {{checked: checkedconn.CheckedConnector}}\nchecked: {{}}\n"
    )
    config(document.format("one") + "---\n" + document.format("two"))
    result = servo("check")
    assert [line for line in result.stdout.splitlines() if line in {"one", "two"}] == ["one", "two"]
    assert json.loads(servo("check", "--output", "json").stdout).keys() == {"one", "two"}

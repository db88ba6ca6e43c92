"""The original's recorded output and exit codes, replayed (versions, and what the reference marks B, aside)."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _configured(config):
    config()


@pytest.fixture
def replay(servo, recording):
    """Run a command, and give back its result beside the recording."""

    def run(name, *args):
        return servo(*args), recording(name)

    return run


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("adjust", ["adjust", "web.cpu=1.5", "web.replicas=3"]),
        ("describe", ["describe"]),
        ("list", ["list"]),
        ("measure", ["measure"]),
        ("show-components", ["show", "components"]),
        ("show-events", ["show", "events"]),
        ("show-metrics", ["show", "metrics"]),
        ("validate", ["validate", "-f", "servo.yaml"]),
        ("adjust-malformed", ["adjust", "web=3"]),
        ("unknown-command", ["nonsense"]),
    ],
)
def test_output_and_exit_code_are_byte_for_byte_those_of_the_original(replay, name, args):
    result, (stdout, stderr, code) = replay(name, *args)
    assert result.stdout == stdout
    # The log goes to stderr as well; what the command itself says there is at its end.
    assert result.stderr.endswith(stderr)
    assert result.exit_code == code


def without_versions(text):
    return re.sub(r"\b(25\.3\.0|0\.1\.0)( *)", "VERSION ", text)


def test_show_connectors(replay):
    result, (stdout, _, code) = replay("show-connectors", "show", "connectors")
    assert without_versions(result.stdout) == without_versions(stdout)
    assert result.exit_code == code


def test_version(replay):
    result, (stdout, _, code) = replay("version", "version")
    release = re.compile(r'v[\d.]+ "[\w ]+"')
    assert release.sub("", result.stdout) == release.sub("", stdout)
    assert result.exit_code == code


def test_version_as_json(replay):
    result, (stdout, _, code) = replay("version-json", "version", "-f", "json")
    ours, theirs = json.loads(result.stdout), json.loads(stdout)
    assert list(ours) == list(theirs)
    assert {key: ours[key] for key in ours if key not in {"version", "cryptonym"}} == {
        key: theirs[key] for key in theirs if key not in {"version", "cryptonym"}
    }
    assert result.exit_code == code


def masked(text):
    """Reference 6.1 #10: the original printed the token in clear."""
    return text.replace("00000000-0000-0000-0000-000000000000", "**********")


def test_config(replay):
    result, (stdout, _, code) = replay("config", "config")
    assert result.stdout.replace("'", "") == masked(stdout)
    assert result.exit_code == code


def test_config_with_secrets_is_that_of_the_original(replay):
    result, (stdout, _, code) = replay("config", "config", "--show-secrets")
    assert (result.stdout, result.exit_code) == (stdout, code)


def test_config_as_json(replay):
    result, (stdout, _, code) = replay("config-json", "config", "-f", "json")
    assert json.loads(result.stdout) == json.loads(masked(stdout))
    assert result.stdout.count("\n") == stdout.count("\n")
    assert result.exit_code == code


def test_connectors_have_the_columns_of_the_original_and_are_sorted(replay):
    """Reference 2.2 B: the order was random."""
    result, (stdout, _, code) = replay("connectors-verbose", "connectors", "-v")
    assert result.stdout.splitlines()[0].split() == stdout.splitlines()[0].split()
    names = [line.split()[0] for line in result.stdout.splitlines()[1:] if line]
    assert names == sorted(names)
    assert {"wait", "scripts", "servo"} <= set(names)
    assert result.exit_code == code


def test_connectors_describe_those_that_exist_in_both_alike(replay):
    result, (stdout, _, _) = replay("connectors-verbose", "connectors", "-v")
    theirs = next(line for line in stdout.splitlines() if line.startswith("servo "))
    ours = next(line for line in result.stdout.splitlines() if line.startswith("servo "))
    assert re.split(r" {2,}", ours)[2:] == re.split(r" {2,}", theirs)[2:]


def test_generate(replay, tmp_path):
    result, (stdout, _, code) = replay("generate-wait", "generate", "-f", "gen.yaml", "--force", "wait")
    assert result.stdout == stdout.replace("/app/gen.yaml", "gen.yaml")
    assert result.exit_code == code
    assert (tmp_path / "gen.yaml").read_text() == stdout.partition("\n\nGenerated")[0] + "\n"


def test_generate_with_aliases(replay):
    result, (stdout, _, code) = replay(
        "generate-alias", "generate", "-f", "gen2.yaml", "--force", "one:wait", "two:vegeta"
    )
    assert (result.stdout, result.exit_code) == (stdout.replace("/app/", ""), code)


def test_show_events_of_all_connectors(replay):
    result, (stdout, _, code) = replay("show-events-all", "show", "events", "--all", "--by-connector")

    def groups(table):
        found, current = {}, None
        for line in table.splitlines()[1:]:
            if line.strip():
                current = line[:13].strip() or current
                found.setdefault(current, []).append(line[13:].strip())
        return found

    ours, theirs = groups(result.stdout), groups(stdout)
    shared = {"Fake", "Servo", "Wait"}
    assert {name: ours[name] for name in shared} == {name: theirs[name] for name in shared}
    assert set(ours["Scripts"]) >= set(theirs["Scripts"])
    assert result.stdout.splitlines()[0].split() == stdout.splitlines()[0].split()
    assert result.exit_code == code


def test_schema(replay):
    result, (stdout, _, code) = replay("schema-wait", "schema", "wait")
    ours, theirs = json.loads(result.stdout), json.loads(stdout)
    assert ours["title"] == theirs["title"]
    assert ours["required"] == theirs["required"]
    assert ours["additionalProperties"] is False
    assert ours["properties"]["measure_enabled"].items() >= theirs["properties"]["measure_enabled"].items()
    assert {name: it["env_names"] for name, it in ours["properties"].items()} == {
        name: it["env_names"] for name, it in theirs["properties"].items()
    }
    assert result.exit_code == code


def test_an_adjustment_that_is_rejected_is_a_message_and_no_traceback(replay):
    """Reference 2.2 B: a connector's error was a traceback."""
    result, (stdout, _, code) = replay("adjust-rejected", "adjust", "web.cpu=3.0")
    assert (result.stdout, result.exit_code) == (stdout, code)
    assert result.stderr.splitlines()[-1] == "Error: no node fits 3 cores"
    assert "Traceback" not in result.stderr


class Agreeable(BaseHTTPRequestHandler):
    """The optimizer that was there when the original was recorded: it agrees to everything."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "16")
        self.end_headers()
        self.wfile.write(b'{"status": "ok"}')

    def log_message(self, *args):
        pass


@pytest.fixture
def address():
    server = HTTPServer(("127.0.0.1", 0), Agreeable)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_dry_run_says_nothing_if_all_is_well(replay, config, address):
    file = config()
    file.write_text(file.read_text().replace("http://127.0.0.1:18999", address))
    result, (stdout, stderr, code) = replay("run-dry", "run", "--dry-run")
    assert (result.stdout, result.exit_code) == (stdout, code)
    assert stderr == ""


def test_every_recording_is_replayed(recordings):
    """A recording without a replay holds nothing; `help` is replayed where the help is tested."""
    replays = "".join(
        (Path(__file__).parent / f"test_{name}.py").read_text() for name in ("recordings", "help")
    )
    names = {file.stem for file in recordings.glob("*.txt")}
    assert len(names) > 20
    assert {name for name in names if f'"{name}"' not in replays} == set()

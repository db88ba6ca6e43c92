"""A servo command line on the recorded connector."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from servo import logging

HERE = Path(__file__).parent
RECORDINGS = HERE.parents[3] / "shared" / "data" / "servo-cli"

ONE = """
optimizer:
  id: example.com/app
  token: 00000000-0000-0000-0000-000000000000
  base_url: http://127.0.0.1:18999
connectors:
  fake: fakeconn.FakeConnector
fake: {}
"""


@pytest.fixture(autouse=True)
def _clean(monkeypatch, tmp_path):
    """Start in an empty directory, with no variables that the command line reads."""
    for name in list(os.environ):
        if name.startswith(("SERVO_", "OPSANI_", "APPD_")) or name == "NO_COLOR":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setenv("COLUMNS", "80")
    yield
    logging.unconfigure()


@pytest.fixture
def runner():
    return CliRunner()


@pytest.fixture
def servo(runner):
    """Run ``servo`` with arguments, and give back what it printed."""
    from servo.cli import ServoCLI

    def run(*args, typed=None, env=None):
        return runner.invoke(
            ServoCLI(), list(args), input=typed, env=env, prog_name="servo", terminal_width=78
        )

    return run


@pytest.fixture
def config(tmp_path):
    """Write a servo.yaml, by default that of the recordings, and give back its path."""

    def write(text=ONE, name="servo.yaml"):
        file = tmp_path / name
        file.write_text(text)
        return file

    return write


@pytest.fixture
def recordings():
    """Where the recordings are."""
    if not RECORDINGS.exists():
        pytest.skip(f"the recordings of the original are not here: {RECORDINGS}")
    return RECORDINGS


@pytest.fixture
def recording():
    """Read a recording: what was printed, on stdout and stderr, and the exit code."""

    def read(name):
        file = RECORDINGS / f"{name}.txt"
        if not file.exists():
            pytest.skip(f"the recordings of the original are not here: {file}")
        _command, _, rest = file.read_text().partition("\n")
        stdout, _, tail = rest.rpartition("[exit ")
        code, _, stderr = tail.partition("]\n")
        return stdout, stderr.removeprefix("[stderr]\n"), int(code.rstrip("]\n"))

    return read

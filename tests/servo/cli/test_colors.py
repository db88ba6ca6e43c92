"""What a terminal is shown: colours unless they are not wanted. With a real one, for nothing else has them."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ESCAPE = b"\x1b"


@pytest.fixture
def terminal(config, tmp_path):
    """Run `servo` on a terminal, and give back what that received."""
    config()

    def run(*args, **variables):
        master, slave = pty.openpty()
        program = "import sys; from servo.cli import main; sys.exit(main())"
        environment = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(HERE), **variables}
        with os.fdopen(master, "rb", buffering=0) as shown:
            child = subprocess.Popen(
                [sys.executable, "-c", program, *args],
                stdin=slave,
                stdout=slave,
                stderr=slave,
                env=environment,
                cwd=tmp_path,
            )
            os.close(slave)
            received = b"".join(iter(lambda: read(shown), b""))
            assert child.wait() == 0, received
        return received

    return run


def read(shown):
    try:
        return shown.read(65536)
    except OSError:  # how Linux tells that nobody has the other end any more
        return b""


def test_a_terminal_is_shown_a_coloured_log(terminal):
    """So that the others can fail: this is the same terminal."""
    assert ESCAPE in terminal("measure")


@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}, {"SERVO_NO_COLOR": "1"}], ids=str)
def test_nothing_is_coloured_where_that_is_not_wanted(terminal, variables):
    args = [] if variables else ["--no-color"]
    assert ESCAPE not in terminal(*args, "measure", **variables)


@pytest.mark.parametrize(
    ("command", "expected"), [(["config"], b"fakeconn.FakeConnector"), (["schema", "wait"], b'"properties"')]
)
@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}], ids=str)
def test_configuration_and_schema_are_not_highlighted(terminal, command, expected, variables):
    """Reference 2.1: with ``--no-color`` and ``NO_COLOR`` both were highlighted all the same."""
    args = [] if variables else ["--no-color"]
    shown = terminal(*args, *command, **variables)
    assert expected in shown
    assert ESCAPE not in shown

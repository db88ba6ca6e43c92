"""Which result is taken, why something failed, and how an inspection ends."""

from datetime import UTC, datetime, timedelta

import pytest

from trimtab.engines import (
    BuildFailedError,
    EngineLostError,
    EngineUnavailableError,
    FailureKind,
    RefusedError,
    Run,
    UnmetError,
)
from trimtab.inspection.wrapper.proof import sealed
from trimtab.workflows import Patience
from trimtab.workflows.ending import state_of
from trimtab.workflows.failures import is_transient, of_build, of_run
from trimtab.workflows.outcome import FORGED, MISSING, result_of

TOKEN = "0123456789abcdef"


@pytest.fixture
def ended(tmp_path):
    began = datetime(2026, 11, 26, tzinfo=UTC)

    def make(exit_code=0, **changes):
        facts = {"signal": None, "oom_killed": False, "timed_out": False, "lost": None} | changes
        end = began + timedelta(seconds=2)
        return Run(exit_code, started=began, ended=end, log=tmp_path / "output.log", **facts)

    return make


def write(directory, token=TOKEN):
    pieces = sealed(iter([b'{\n  "exit_code": 0']), token)
    (directory / "result").write_bytes(b"".join(pieces))


def test_the_wrappers_result_is_taken(tmp_path, ended):
    write(tmp_path)
    assert result_of(ended(), tmp_path, TOKEN)["exit_code"] == 0


@pytest.mark.parametrize("token", ["", "of another run"])
def test_a_result_that_the_script_wrote_is_not_taken(tmp_path, ended, token):
    write(tmp_path, token)
    found = result_of(ended(1), tmp_path, TOKEN)
    assert (found["exit_code"], found["error"], found["proof"]) == (1, FORGED, None)


def test_a_link_to_a_file_of_this_machine_is_not_followed(tmp_path, ended):
    write(tmp_path)
    (tmp_path / "result").rename(tmp_path / "elsewhere")
    (tmp_path / "result").symlink_to(tmp_path / "elsewhere")
    assert result_of(ended(), tmp_path, TOKEN)["error"] == FORGED


def test_without_a_result_there_is_what_the_engine_knows(tmp_path, ended):
    found = result_of(ended(137, signal=9), tmp_path, TOKEN)
    assert (found["exit_code"], found["signal"], found["error"]) == (137, 9, MISSING)
    assert found["end_datetime"] == "2026-11-26T00:00:02"


def test_a_lost_run_has_no_result(tmp_path, ended):
    write(tmp_path)
    assert result_of(ended(None, lost="the engine went away"), tmp_path, TOKEN) is None


def written(**fields):
    """A result as the wrapper leaves it."""
    return {"exit_code": 0, "stdout": {}, "stderr": "", "proof": "of the wrapper", **fields}


def test_a_run_that_went_well_has_no_failure(ended):
    assert of_run(ended(), written()) is None


@pytest.mark.parametrize(
    ("ending", "result", "kind", "reason"),
    [
        ({"exit_code": None, "lost": "gone"}, None, "infrastructure", "gone"),
        ({"exit_code": 1}, written(exit_code=1, stderr="ValueError: no\n"), "script", "exit code 1"),
        ({"exit_code": 1}, written(exit_code=1, stderr="ImportError: no\n"), "stack", "cannot be imported"),
        ({"exit_code": 143, "timed_out": True}, written(exit_code=143, timed_out=True), "infrastructure", "run.timeout"),
        ({"exit_code": 137, "oom_killed": True}, written(exit_code=137), "infrastructure", "run.requests.memory"),
        ({"exit_code": 139}, written(exit_code=-11, signal=11), "stack", "SIGSEGV"),
        ({"exit_code": 137, "oom_killed": True}, {"error": MISSING}, "infrastructure", "run.requests.memory"),
        ({"exit_code": 0}, {"exit_code": 0, "error": FORGED}, "script", "not the wrapper's"),
        ({"exit_code": 0}, written(exit_code="none"), "script", "no result"),
    ],
)  # fmt: skip
def test_the_cause_of_a_runs_failure(ended, ending, result, kind, reason):
    found = of_run(ended(**ending), result)
    assert found["kind"] == kind
    assert reason in found["reason"]


def test_a_failure_has_the_lines_that_matter(ended):
    assert of_run(ended(1), written(exit_code=1, stderr="oh\n\nno\n"))["lines"] == ["oh", "no"]


@pytest.mark.parametrize(
    ("error", "kind", "passing"),
    [
        (BuildFailedError(FailureKind.STACK, 1, "no such version"), "stack", False),
        (BuildFailedError(FailureKind.OOM, 137, ""), "infrastructure", False),
        (BuildFailedError(FailureKind.TIMEOUT, None, ""), "infrastructure", True),
        (BuildFailedError(FailureKind.NETWORK, 1, "timed out"), "infrastructure", True),
        (BuildFailedError(FailureKind.BASE, 125, "manifest unknown"), "stack", False),
        (EngineLostError("gone"), "infrastructure", True),
        (EngineUnavailableError("gone"), "infrastructure", True),
        (RefusedError("process", ("no packages",)), "stack", False),
        (UnmetError("process", ("there is no GPU",)), "infrastructure", False),
    ],
)
def test_the_cause_of_a_builds_failure_and_whether_it_is_tried_again(error, kind, passing):
    assert of_build(error)["kind"] == kind
    assert is_transient(error) is passing


def test_the_last_attempt_of_each_run_decides():
    lost = {"item": 0, "attempt": 1, "state": "lost"}
    good = {"item": 0, "attempt": 2, "state": "succeeded"}
    built = {"build": {}}
    assert state_of(built, [lost, good]) == "succeeded"
    assert state_of(built, [lost]) == "failed"
    assert state_of(built, []) == "succeeded"
    assert state_of({"failure": {}}, []) == "build_failed"


def test_the_pause_grows_and_the_first_attempt_does_not_wait():
    patience = Patience(pause=1.0)
    assert [patience.before(attempt) for attempt in (1, 2, 3, 4)] == [0, 1, 2, 4]

"""Failures of runs."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from trimtab.engines.request import Run
from trimtab.inspection.failure import FailureClass, of_run
from trimtab.inspection.result import RunResult

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STACK, SCRIPT, INFRASTRUCTURE = FailureClass.STACK, FailureClass.SCRIPT, FailureClass.INFRASTRUCTURE


def run(exit_code=0, **told):
    values = {"signal": None, "oom_killed": False, "timed_out": False, "lost": None} | told
    return Run(exit_code, started=NOW, ended=NOW, log=Path("/dev/null"), **values)


def result(exit_code=1, **told):
    return RunResult.load({"exit_code": exit_code} | told)


def test_a_run_that_went_well_is_no_failure():
    assert of_run(run(), result(0)) is None
    assert of_run(None, result(0)) is None


@pytest.mark.parametrize(
    ("ended", "reason", "kind", "retry"),
    [
        (run(None, lost="the engine went away"), "lost", INFRASTRUCTURE, True),
        (run(137, oom_killed=True), "out-of-memory", INFRASTRUCTURE, False),
        (run(None, signal=9, timed_out=True), "timeout", INFRASTRUCTURE, False),
        (run(73), "disk", INFRASTRUCTURE, True),
        (run(127), "no-shell", STACK, False),
        (run(137), "no-document", INFRASTRUCTURE, True),
        (None, "no-document", INFRASTRUCTURE, True),
    ],
)
def test_a_run_without_a_document_has_a_reason(ended, reason, kind, retry):
    failure = of_run(ended, None)
    assert (failure.reason, failure.kind, failure.retry) == (reason, kind, retry)


def test_a_lost_run_is_lost_whatever_it_left():
    assert of_run(run(None, lost="gone"), result(0)).reason == "lost"


def test_a_document_without_the_proof_is_not_believed():
    failure = of_run(run(), result(0), proved=False)
    assert (failure.reason, failure.kind) == ("unproved", SCRIPT)


@pytest.mark.parametrize(
    ("document", "reason", "kind", "retry"),
    [
        ({"exit_code": -15, "timed_out": True}, "timeout", INFRASTRUCTURE, False),
        ({"exit_code": 0, "timed_out": True}, "timeout", INFRASTRUCTURE, False),
        ({"exit_code": -9, "cgroup": {"memory": {"oom_kills": 1}}}, "out-of-memory", INFRASTRUCTURE, False),
        ({"exit_code": -15, "interrupted_by": 15}, "interrupted", INFRASTRUCTURE, True),
        ({"exit_code": -9}, "killed", INFRASTRUCTURE, True),
        ({"exit_code": -4}, "illegal-instruction", STACK, False),
        ({"exit_code": -11}, "crash", STACK, False),
        ({"exit_code": -13}, "signal", SCRIPT, False),
        ({"exit_code": 127, "error": "there is no script"}, "not-started", SCRIPT, False),
        (
            {"exit_code": 127, "error": "the script is Python's, and no Python 3 was found"},
            "not-started",
            STACK,
            False,
        ),
        ({"exit_code": 3, "stderr": "usage: x"}, "exit-code", SCRIPT, False),
        ({"exit_code": 1, "stderr": "libcuda.so.1: cannot open shared object file"}, "library", STACK, False),
    ],
)
def test_a_document_has_a_reason(document, reason, kind, retry):
    failure = of_run(None, RunResult.load(document))
    assert (failure.reason, failure.kind, failure.retry) == (reason, kind, retry)


TRACE = 'Traceback (most recent call last):\n  File "/home/amun/script", line 3, in <module>\n    {}\n{}{}\n'


def test_a_package_that_cannot_be_imported_is_the_stacks():
    missing = TRACE.format("import numpy", "", "ModuleNotFoundError: No module named 'numpy'")
    inner = '  File "/venv/lib/python3.11/site-packages/six.py", line 9, in <module>\n    x.y\n'
    broken = TRACE.format("from a import b", inner, "AttributeError: module 'x' has no attribute 'y'")
    for stderr in (missing, "warning\n" + broken):
        failure = of_run(None, result(stderr=stderr))
        assert (failure.reason, failure.kind) == ("import", STACK)
    assert failure.lines[0] == "Traceback (most recent call last):"
    assert failure.lines[-1] == "AttributeError: module 'x' has no attribute 'y'"


def test_an_error_of_the_script_is_the_scripts():
    failure = of_run(None, result(stderr=TRACE.format("main()", "", "ZeroDivisionError: division by zero")))
    assert (failure.reason, failure.kind) == ("exit-code", SCRIPT)
    assert failure.lines[-1] == "ZeroDivisionError: division by zero"


def test_a_long_traceback_keeps_its_ends():
    frames = "".join(f'  File "a.py", line {n}, in f\n    f()\n' for n in range(500))
    lines = of_run(None, result(stderr=TRACE.format("f()", frames, "RecursionError: deep"))).lines
    assert len(lines) == 12
    assert (lines[0], lines[-1]) == ("Traceback (most recent call last):", "RecursionError: deep")


def test_without_standard_error_the_output_tells():
    assert of_run(None, result(stdout="it went wrong\n")).lines == ("it went wrong",)

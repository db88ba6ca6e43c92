"""Logs of real tools, each with a parse beside it that was reviewed by hand."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

from trimtab.buildlogs import FailureClass, parse

_spec = importlib.util.spec_from_file_location("reviewed", Path(__file__).with_name("reviewed.py"))
reviewed = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(reviewed)
LOGS = sorted(reviewed.CORPUS.glob("*/*.log"))
FAILURES = {
    "hash-mismatch": "hash-mismatch", "compile-error": "missing-native", "missing-library": "missing-native", "missing-backend": "missing-build-dependency",
    "killed": "killed", "disk-full": "disk-full", "refused": "connection", "unresolvable": "name-resolution", "apt-unresolvable": "name-resolution", "wrong-platform": "unsupported-platform",
    "lock-out-of-date": "lock-out-of-date", "command-not-found": "command-not-found", "apt-no-package": "system-package", "step-fails": "step-failed",
    "syntax": "bad-instruction", "setup-error": "package-build",
}  # fmt: skip


@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_log_says_what_was_reviewed(path):
    """The expected parse was written by the parser once, and then read beside the log, line by line."""
    assert reviewed.summary(path.read_bytes()) == json.loads(path.with_suffix(".json").read_text())


@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_was_made_to_fail_fails_and_what_was_made_to_go_well_does(path):
    """The recording script knows what it did; this does not depend on what was reviewed."""
    summary = reviewed.summary(path.read_bytes())
    if path.stem in {"success", "sdist-success", "multi-stage", "sync", "apt-success"}:
        assert summary["outcome"] == "successful"
        assert not summary["build_breaker"]
    elif path.stem != "conflict":  # pip before 20.3 installs conflicting packages, and says so
        assert summary["outcome"] == "failed"


@pytest.mark.parametrize("name", sorted(FAILURES))
def test_a_failure_has_the_same_class_whatever_tool_tells_it(name):
    """Each failure that was made is found by its cause in at least one log, and in all but those reviewed to say something else."""
    found = [
        (path.parent.name, json.loads(path.with_suffix(".json").read_text())["build_breaker"])
        for path in LOGS
        if path.stem == name
    ]
    right = [tool for tool, breaker in found if breaker and f": {FAILURES[name]} " in breaker]
    assert found
    assert len(right) >= len(found) * 0.7, {tool: breaker for tool, breaker in found if tool not in right}


def test_no_log_names_a_host_but_those_for_examples():
    for path in LOGS:
        hosts = set(re.findall(r"https?://([\w.-]+)", path.read_text(errors="replace")))
        assert {
            each for each in hosts if not each.endswith((".example", ".invalid", "localhost"))
        } == set(), path


PAGE = Path(__file__).parents[3] / "docs" / "buildlogs.md"


@pytest.mark.parametrize("failure", list(FailureClass))
def test_each_class_has_an_example_in_the_page_that_is_recognised_as_it(failure):
    """The table of the page is no promise of its own: its lines are read."""
    row = next(line for line in PAGE.read_text().splitlines() if line.startswith(f"| `{failure}` |"))
    _, kind, example, _ = row.strip("| ").split(" | ")
    errors = parse(example.removeprefix("`").removesuffix("`").strip("`")).document["errors"]
    assert str(failure) in {each["class"] for each in errors}
    assert kind == failure.kind

"""Logs of real tools, each with a parse beside it that was reviewed by hand."""

import hashlib
import importlib.util
import json
import re
from pathlib import Path

import pytest
import yaml

from trimtab.buildlogs import FailureClass, parse

_spec = importlib.util.spec_from_file_location("reviewed", Path(__file__).with_name("reviewed.py"))
reviewed = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(reviewed)
LOGS = sorted(reviewed.CORPUS.glob("*/*.log"))
GOOD = {
    "sdist-success", "multi-stage", "sync", "apt-success", "pip-success", "pip-failure-that-is-survived", "cached", "upgrade", "upgrade-success",
    "verbose-success", "directory-success", "nothing-to-do", "verbose-lock",
}  # fmt: skip
# pip before 20.3 installs conflicting packages, and says so; it has no last line for what is there, nor has podman for a push.
# And micropipenv 1.0 keeps what pip says to itself.
UNTOLD = {
    "conflict",
    "incompatible",
    "satisfied",
    "push-success",
    "micropipenv-1.0.0/success",
    "micropipenv-1.0.0/sdist-success",
}
JUDGED = yaml.safe_load(Path(__file__).with_name("reviewed.yaml").read_text())
FAILURES = {
    "hash-mismatch": "hash-mismatch", "compile-error": "missing-native", "missing-library": "missing-native", "missing-backend": "missing-build-dependency",
    "killed": "killed", "disk-full": "disk-full", "refused": "connection", "unresolvable": "name-resolution", "apt-unresolvable": "name-resolution", "wrong-platform": "unsupported-platform",
    "lock-out-of-date": "lock-out-of-date", "command-not-found": "command-not-found", "apt-no-package": "system-package", "step-fails": "step-failed",
    "syntax": "bad-instruction", "setup-error": "package-build",
}  # fmt: skip


def test_every_log_was_read_by_somebody_as_it_is():
    """`reviewed.yaml` says what a reader judged, and of which bytes: a log recorded anew, or a new one, fails here until it is read."""
    there = {_name(path): hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in LOGS}
    assert {name: entry["log"] for name, entry in JUDGED.items()} == there


@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_log_says_what_its_reader_judged(path):
    """What the build came to, what broke it, and what became of which packages comes from no parser.

    Everything else (lines, steps, versions of tools) was written by it, and is read when it changes.
    """
    summary, judged = reviewed.summary(path.read_bytes()), JUDGED[_name(path)]
    assert summary["outcome"] == judged["outcome"]
    assert _breaker(summary["build_breaker"]) == judged.get("breaker")
    assert summary["exit_code"] == judged.get("exit_code")
    for key, words in (("failed", slice(None)), ("installed", slice(2)), ("packages", slice(1, None))):
        if key in judged:
            assert sorted(" ".join(each.split()[words]) for each in summary[key]) == judged[key]
    assert summary == json.loads(path.with_suffix(".json").read_text())


def _name(path):
    return f"{path.parent.name}/{path.stem}"


def _breaker(text):
    """`line 3: conflict (stack) anchor None` as it is judged: `conflict anchor`."""
    if text is None:
        return None
    failure, package, version = re.fullmatch(r"line \d+: (\S+) \(\w+\) (\S+) (\S+)", text).groups()
    return " ".join(each for each in (failure, package, version) if each != "None")


def test_what_was_made_to_fail_is_judged_a_failure_and_what_was_made_to_go_well_is_not():
    """The recording script knows what it did; this does not depend on who read the log."""
    for path in LOGS:
        judged, made = JUDGED[_name(path)], path.stem
        if UNTOLD & {made, _name(path)}:
            continue
        if made in GOOD or made.startswith("success"):
            assert (judged["outcome"], judged.get("breaker")) == ("successful", None), path
        else:
            assert judged["outcome"] == "failed", path


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

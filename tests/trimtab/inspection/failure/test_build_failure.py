"""Failures of builds by their logs."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.engines.errors import (
    BuildFailedError,
    EngineLostError,
    EngineUnavailableError,
    FailureKind,
    RefusedError,
)
from trimtab.inspection.failure import FailureClass, of_build, of_log
from trimtab.inspection.failure.classes import LINES, lines_of

LOGS = Path(__file__).parents[5] / "shared" / "data" / "buildlogs"
RECORDED = [
    ("micropipenv-1.10-pip-23.2/hash-mismatch.log", "hash-mismatch", "idna==3.7"),
    ("micropipenv-1.10-pip-26.3/hash-mismatch.log", "hash-mismatch", "idna"),
    ("micropipenv-1.10-pip-23.2/no-matching-version.log", "no-such-version", "click==99.0.0"),
    ("micropipenv-1.10-pip-23.2/sdist-metadata-failure.log", "package-build", "mysqlclient"),
    ("micropipenv-1.10-pip-21.3.1/sdist-metadata-failure.log", "package-build", "mysqlclient"),
    ("s2i-micropipenv/sample_error.log", "hash-mismatch", ""),
]


@pytest.mark.skipif(not LOGS.is_dir(), reason="the recorded logs are not beside this repository")
@pytest.mark.parametrize(("name", "reason", "word"), RECORDED)
def test_recorded_logs_are_the_stacks_with_the_lines_that_matter(name, reason, word):
    failure = of_log((LOGS / name).read_text())
    assert (failure.kind, failure.reason, failure.retry) == (FailureClass.STACK, reason, False)
    assert any(word in line for line in failure.lines)


@pytest.mark.parametrize(
    ("log", "kind", "reason", "retry"),
    [
        ("STEP 9\nPushing image reg/x:latest ...\nerror: build error: Failed to push image: unauthorized", "infrastructure", "push", True),
        ("Warning: Failed to pull image x: ImagePullBackOff", "infrastructure", "pull", True),
        ("Error: initializing source docker://reg/none: manifest unknown", "stack", "base-image", False),
        ("0/3 nodes are available: 3 Insufficient memory.", "infrastructure", "no-node", False),
        ("The node was low on resource: memory. Container was using...", "infrastructure", "evicted", True),
        ("ERROR: Could not install packages: [Errno 28] No space left on device", "infrastructure", "disk", True),
        ("WARNING: Retrying after connection broken by NewConnectionError\nERROR: Max retries exceeded with url", "infrastructure", "network", True),
        ("gcc: fatal error: Killed signal terminated program cc1plus\nerror: exit status 137", "infrastructure", "out-of-memory", False),
        ("error: context deadline exceeded", "infrastructure", "timeout", True),
        ("ERROR: ResolutionImpossible: for help visit", "stack", "conflict", False),
        ("error: No solution found when resolving dependencies\n  cause: Because none-such was not found in the package registry and you require none-such==1.0, we can conclude", "stack", "no-such-version", False),
        ("  \u00d7 No solution found when resolving dependencies:\n  \u2570\u2500\u25b6 Because there is no version of six==99 and you require six==99, we can conclude", "stack", "no-such-version", False),
        ("  \u00d7 No solution found when resolving dependencies:\n  \u2570\u2500\u25b6 Because a==1 depends on b>2 and you require b==1, we can conclude", "stack", "conflict", False),
        ("error: The requested interpreter resolved to Python 3.11.2, which is incompatible with the `pylock.toml`'s", "stack", "python-version", False),
        ("E: Unable to locate package libnone-dev", "stack", "system-package", False),
        ("/bin/sh: 1: micropipenv: not found", "stack", "no-installer", False),
        ("  \u00d7 Failed to build `mysqlclient==2.2.7`", "stack", "package-build", False),
        ("ERROR: something else", "stack", "error", False),
        ("silence", "stack", "unknown", False),
        ("", "stack", "unknown", False),
    ],
)  # fmt: skip
def test_logs_are_told_apart(log, kind, reason, retry):
    failure = of_log(log)
    assert (failure.kind, failure.reason, failure.retry) == (kind, reason, retry)


def test_a_network_that_recovered_was_not_the_reason():
    log = (
        "Retrying: Connection refused\n"
        + "Collecting a\n" * 100
        + "ERROR: No matching distribution found for b\n"
    )
    assert of_log(log).reason == "no-such-version"


@pytest.mark.parametrize(
    ("error", "reason", "retry"),
    [
        (EngineLostError("podman went away"), "engine-lost", True),
        (EngineUnavailableError("no podman; install it"), "engine-unavailable", True),
        (BuildFailedError(FailureKind.TIMEOUT, None, "Collecting a"), "timeout", True),
        (BuildFailedError(FailureKind.OOM, 137, "ERROR: exit code 1"), "out-of-memory", False),
        (BuildFailedError(FailureKind.NETWORK, 1, "nothing that is known"), "network", True),
        (OSError("defect"), "internal", False),
    ],
)
def test_what_the_engine_knows_is_the_infrastructures(error, reason, retry):
    failure = of_build(error)
    assert (failure.kind, failure.reason, failure.retry) == (FailureClass.INFRASTRUCTURE, reason, retry)


def test_a_refusal_names_its_reasons():
    failure = of_build(RefusedError("process", ("it has no images",)))
    assert (failure.kind, failure.lines) == (FailureClass.STACK, ("it has no images",))


def test_the_log_says_more_than_a_failed_instruction():
    error = BuildFailedError(FailureKind.STACK, 1, "error: exit status 1")
    assert (
        of_build(error, "ERROR: No matching distribution found for b\nexit status 1").reason
        == "no-such-version"
    )
    assert of_build(error).kind is FailureClass.STACK


def test_as_json_it_says_class():
    assert of_log("").to_dict() == {
        "class": "stack", "reason": "unknown", "message": "The build failed, and its log does not say why.", "lines": [],
        "retry": False,
    }  # fmt: skip


def test_lines_are_bounded_and_plain():
    assert lines_of("\x1b[31mred\x1b[0m\n\nold\rnew\n" + "x" * 1000) == ["red", "new", "x" * 400 + "…"]
    assert len(lines_of("a\n" * 1_000_000)) <= 128 * 1024


@given(st.text())
def test_any_log_has_a_class(log):
    assert len(of_log(log).lines) <= LINES


LACKING = (
    "trimtab: this image has no pipenv: it comes from the index\n"
    "{}trimtab: the Python of this image (/usr/bin/python3) has neither pip nor ensurepip: add its package of pip\n"
    'Error: building at STEP "RUN": while running runtime: exit {} {}'
)


@pytest.mark.parametrize(("prefix", "word"), [("", "status"), ("#7 0.123 ", "code:")])
def test_what_the_image_lacks_is_said_by_the_last_line_of_our_installer(prefix, word):
    """By podman's log and by BuildKit's; the exit code tells it from a line that was only for information."""
    log = LACKING.format(prefix, word, 78)
    for failure in (of_log(log), of_build(BuildFailedError(FailureKind.STACK, 78, log))):
        assert (failure.kind, failure.reason, failure.retry) == (FailureClass.STACK, "image-lacks", False)
        assert failure.message.startswith("The Python of this image (/usr/bin/python3) has neither pip")
        assert failure.lines[0].endswith("add its package of pip")
    other = of_build(BuildFailedError(FailureKind.STACK, 1, LACKING.format(prefix, word, 1)))
    assert other.reason != "image-lacks"
    assert of_build(BuildFailedError(FailureKind.STACK, 78, "silence")).reason == "instruction"

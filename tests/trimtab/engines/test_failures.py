"""Why a build failed is read from the builder's last lines."""

import pickle

import pytest

from trimtab.engines import BuildFailedError, FailureKind, RefusedError
from trimtab.engines.failures import build_failure


@pytest.mark.parametrize(
    ("code", "text", "kind", "exit_code"),
    [
        (
            1,
            'Error: building at STEP "RUN false": while running runtime: exit status 3',
            FailureKind.STACK,
            3,
        ),
        (1, "executor failed running [/bin/sh -c false]: exit code: 4", FailureKind.STACK, 4),
        (1, "The command '/bin/sh -c x' returned a non-zero code: 5", FailureKind.STACK, 5),
        (137, "while running runtime: exit status 137", FailureKind.OOM, 137),
        (
            125,
            "Error: creating build container: initializing source docker://x: unauthorized",
            FailureKind.BASE,
            125,
        ),
        (1, "failed to solve with frontend dockerfile.v0: pull access denied for x", FailureKind.BASE, 1),
        (1, "write /x: no space left on device", FailureKind.DISK, 1),
        (1, "Temporary failure in name resolution\nexit status 1", FailureKind.NETWORK, 1),
        (2, "ERROR: No matching distribution found for nope==9", FailureKind.STACK, 2),
        (None, "", FailureKind.STACK, None),
    ],
)
def test_kinds(code, text, kind, exit_code):
    error = build_failure(code, text)
    assert (error.kind, error.exit_code) == (kind, exit_code)


def test_an_instruction_that_speaks_of_images_is_the_stacks_failure():
    assert build_failure(1, "no such image in the test data\nexit status 1").kind is FailureKind.STACK


def test_errors_travel_between_processes():
    failed = pickle.loads(pickle.dumps(BuildFailedError(FailureKind.OOM, 137, "text")))
    assert (failed.kind, failed.exit_code, failed.excerpt) == (FailureKind.OOM, 137, "text")
    refused = pickle.loads(pickle.dumps(RefusedError("process", ("one", "two"))))
    assert refused.reasons == ("one", "two")
    assert str(refused) == "the engine 'process' cannot do this: one; two"

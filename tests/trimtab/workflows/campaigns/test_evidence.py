"""What inspections' documents say of stacks."""

import pytest

from trimtab.stacks import Evidence, Failure, Space, Stack, Variable, Verdict
from trimtab.workflows.campaigns import evidence_of
from trimtab.workflows.campaigns.conclusion import is_hopeless
from trimtab.workflows.campaigns.evidence import is_transient

ID = "inspection-260101000000-0000000000000001"
STACK = Stack("web==1.0\napi-client==2.0\n")
HWINFO = {"cpu_info": {"brand_raw": "Xeon", "family": 6, "model": 85}, "cpu_type": {"ncpus": 4}}


def result(seconds, elapsed):
    return {
        "exit_code": 0,
        "duration": seconds,
        "stdout": {"name": "x", "@result": {"elapsed": elapsed, "parts": {"a": 1}}, "score": 3},
        "stderr": "",
        "usage": {"ru_maxrss": 2048},
    }


@pytest.fixture
def conclude(place):
    def conclude_(state, failure=None, results=(), **report):
        stored = place.inspections[ID]
        for item, each in enumerate(results):
            stored.results.store_run(item, each, hwinfo=HWINFO, log=b"")
        document = {"inspection_id": ID, "state": state, "runs": [], "failure": failure, **report}
        stored.conclude({"base": "a"}, document)
        return stored

    return conclude_


def test_a_stack_that_passed_has_its_figures_by_run(conclude):
    stored = conclude("succeeded", results=[result(1.0, 5.0), result(2.0, 6.0)])
    found = evidence_of(stored, STACK)
    assert (found.verdict, found.failure, found.inspection) == (Verdict.PASS, None, ID)
    assert found.figures["duration"] == (1.0, 2.0)
    assert found.figures["result.elapsed"] == (5.0, 6.0)
    assert found.figures["result.parts.a"] == (1.0, 1.0)
    assert found.figures["result.score"] == (3.0, 3.0)
    assert found.figures["memory"] == (2048 * 1024.0,) * 2
    assert len(found.hardware) == 64


def test_the_size_of_what_was_built_is_a_figure_of_each_run(conclude):
    size = 3 << 30
    stored = conclude("succeeded", results=[result(1.0, 5.0)] * 2, build={"size": size})
    assert evidence_of(stored, STACK).figures["size"] == (float(size),) * 2


def test_no_size_is_made_up(conclude):
    stored = conclude("succeeded", results=[result(1.0, 5.0)], build={"size": None, "seconds": 1.0})
    assert "size" not in evidence_of(stored, STACK).figures


@pytest.mark.parametrize(
    ("state", "kind", "verdict", "phase"),
    [
        ("failed", "script", Verdict.FAIL, "run"),
        ("failed", "stack", Verdict.FAIL, "run"),
        ("build_failed", "stack", Verdict.FAIL, "build"),
        ("build_failed", "infrastructure", Verdict.UNKNOWN, "build"),
        ("failed", "infrastructure", Verdict.UNKNOWN, "run"),
        ("cancelled", None, Verdict.UNKNOWN, "run"),
        ("expired", None, Verdict.UNKNOWN, "run"),
    ],
)
def test_whose_failure_it_is_decides_the_verdict(conclude, state, kind, verdict, phase):
    failure = kind and {
        "kind": kind,
        "reason": "A package cannot be imported.",
        "lines": ["Traceback", "ImportError: cannot import name 'x' from 'api_client' ", ""],
    }
    found = evidence_of(conclude(state, failure), STACK)
    assert found.verdict is verdict
    if failure:
        message = "ImportError: cannot import name 'x' from 'api_client'"
        assert found.failure == Failure(kind, phase, message, "api-client")


def test_an_inspection_that_is_not_over_says_nothing(place):
    assert evidence_of(place.inspections[ID], STACK) is None


def test_a_limit_that_was_met_would_be_met_again():
    assert is_transient({"state": "failed", "runs": [{"state": "lost"}]})
    assert not is_transient({"state": "failed", "runs": [{"timed_out": True}]})
    assert not is_transient({"state": "failed", "runs": [{"oom_killed": True}]})
    assert not is_transient({"state": "cancelled", "runs": []})


def failing(pins, message="oh"):
    stack = Stack("".join(f"{name}=={version}\n" for name, version in pins.items()))
    return Evidence(stack, Verdict.FAIL, failure=Failure("script", "run", message))


def test_it_is_hopeless_only_where_no_version_is_common_to_all_failures():
    space = Space((Variable("a", ("1", "2")), Variable("b", ("1", "2")), Variable("c", ("1",))), {}, {})
    alike = [failing({"a": str(1 + n % 2), "b": str(1 + n // 3), "c": "1"}) for n in range(6)]
    assert is_hopeless(space, alike)
    assert not is_hopeless(space, alike[:5])
    assert not is_hopeless(space, [failing({"a": "1", "b": str(1 + n % 2), "c": "1"}) for n in range(6)])
    assert not is_hopeless(space, [*alike[:5], failing({"a": "2", "b": "2", "c": "1"}, "another")])
    assert not is_hopeless(space, [*alike, Evidence(alike[0].stack, Verdict.PASS)])

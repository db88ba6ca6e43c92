"""Two planted pairs of versions among 19 683 valid stacks are found and named, with real packages and real inspections."""

import json

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]


def test_the_pair_that_breaks_and_the_pair_that_is_slow_are_found_within_40_inspections(
    trimtab, files, planted
):
    requirements, context = files()
    done = trimtab(
        *("campaigns", "run", requirements, "--context", context, "--engine", "process"),
        *("--plan", "breakers", "--find", 2, "--slower", 2, "--metric", "result.share"),
        *("--seed", 1, "--output", "json"),
        check=0,
    )
    report = json.loads(done.stdout)
    assert report["space"]["combinations"] == len(planted.VERSIONS) ** len(planted.NAMES) >= 10_000
    assert report["counts"]["inspections"] <= 40
    found = {each["symptom"]: each for each in report["conclusion"]["breakers"]}
    assert found["fails"]["packages"] == planted.BREAKS
    assert found["slow"]["packages"] == planted.SLOW
    assert not found["fails"]["beside"]
    assert not found["slow"]["beside"]
    failed = [each for each in report["candidates"] if each["verdict"] == "fail"]
    for each in report["candidates"]:
        has = planted.BREAKS.items() <= each["packages"].items()
        assert (each["verdict"] == "fail") is has
    assert {each["failure"]["message"] for each in failed} == {
        "ImportError: grove 1.2 does not go with birch 1.1"
    }
    assert {each["failure"]["package"] for each in failed} == {"grove"}
    assert "birch 1.1 with grove 1.2 fails" in report["reason"]
    counts = report["counts"]
    assert counts["candidates"] == counts["pass"] + counts["fail"] + counts["unknown"] + counts["open"]
    assert counts["unknown"] == counts["open"] == 0

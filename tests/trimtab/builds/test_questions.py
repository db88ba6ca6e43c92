"""The questions, as values of JSON; recording, and tables of observations."""

import json

import pytest

from trimtab.builds import (
    QuestionError,
    UnknownError,
    ask,
    frame,
    observation_rows,
    record_analysis,
    record_build,
)
from trimtab.builds.questions import QUESTIONS

BASE = "registry.example/python:3.11"


def log(number, version, *, broke):
    error = {
        "class": "compile-error",
        "kind": "stack",
        "package": "lib_a",
        "version": version,
        "message": "no",
        "line": 3,
    }
    result = {
        "outcome": "failed" if broke else "successful",
        "installation": [
            {"package_name": "lib_a", "package_version": version, "is_successful": not broke},
            {"package_name": "six", "package_version": "1.16.0", "is_successful": True},
        ],
        "errors": [error] if broke else [],
        "build_breaker": error if broke else None,
    }
    return {"metadata": {"document_id": f"buildlog-parser-{number}", "timestamp": number}, "result": result}


def build(number, *, broke):
    return {
        "analysis_id": f"build-analysis-{number}",
        "created_at": number,
        "base_image": {"reference": BASE, "digest": None, "analysis_id": None},
        "output_image": None,
        "build_log": {"document_id": f"log-{number}", "analysis_id": f"buildlog-parser-{number}"},
        "build": {"phase": "failed" if broke else "complete"},
    }


@pytest.fixture
def taught(database):
    """Twelve builds with 1.0, which succeeded, and six with 2.0, which broke; one of each pair of documents comes late."""
    for number in range(18):
        broke = number >= 12
        documents = [
            (record_analysis, log(number, "2.0" if broke else "1.0", broke=broke)),
            (record_build, build(number, broke=broke)),
        ]
        for record, document in documents[:: -1 if number % 2 else 1]:
            record(database, document)
    return database


PARAMETERS = {
    "first-bad-version": {"package": "lib_a"},
    "drift": {"before": "a", "after": "b"},
    "neighbours": {"build": "build-analysis-12"},
    "observations": {"document": "buildlog-parser-12"},
}


def test_first_bad_version(taught):
    found = ask(taught, "first-bad-version", package="Lib.A", base=BASE)
    assert (found["bad"]["specifier"], found["verdict"], found["classes"]) == (
        ">=2.0",
        "fails",
        {"compile-error": 6},
    )
    assert (found["bad"]["inside"]["n"], found["bad"]["inside"]["m"]) == (6, 6)
    assert found["sources"] == tuple(f"build-analysis-{number}" for number in range(12, 17))


def test_only_in_failures_and_breakers(taught):
    (only,) = ask(taught, "only-in-failures")["items"]
    assert (only["name"], only["version"], only["verdict"], only["broke"]) == ("lib-a", "2.0", "breaks", 6)
    (breaker,) = ask(taught, "breakers", by="version", base=BASE)["items"]
    assert (breaker["name"], breaker["failures"]["n"], breaker["failures"]["m"]) == ("lib-a", 6, 6)
    (by_class,) = ask(taught, "breakers", by="class")["items"]
    assert (by_class["failure_class"], by_class["failure_kind"]) == ("compile-error", "stack")


def test_neighbours(taught):
    found = ask(taught, "neighbours", build="buildlog-parser-12", base=BASE)
    assert (found["breaker"], found["complete"]) == ("lib-a==2.0", True)
    (near,) = found["items"]
    assert near["differences"] == ({"name": "lib-a", "failing": "2.0", "good": "1.0"},)
    assert (near["builds"]["n"], near["same"], near["bases"]) == (12, 1, (BASE,))
    assert ask(taught, "neighbours", package=["lib_a==2.0", "six==1.16.0"])["items"] == found["items"]


def test_rules_are_a_document(taught):
    found = ask(taught, "rules")
    (rule,) = found["rules"]
    assert found["schema"] == "trimtab/candidate-rules/1"
    assert (rule["base"], rule["package"], rule["versions"]) == (
        BASE,
        {"type": "pypi", "name": "lib-a"},
        ">=2.0",
    )
    assert (rule["inside"]["failed"], rule["inside"]["builds"], rule["outside"]["builds"]) == (6, 6, 12)
    assert rule["sources"] == [f"build-analysis-{number}" for number in range(12, 18)]
    assert ask(taught, "rules", any_base=True)["rules"][0]["base"] is None
    assert ask(taught, "rules", least=7)["rules"] == []


@pytest.mark.parametrize("question", sorted(QUESTIONS.keys() - {"drift"}))
def test_answers_are_json(taught, question):
    found = ask(taught, question, **PARAMETERS.get(question, {}))
    assert json.loads(json.dumps(found))


@pytest.mark.parametrize("question", sorted(QUESTIONS))
def test_who_knows_nothing_says_so(database, question):
    """An answer without builds, or that nothing is known: no error of ours."""
    parameters = PARAMETERS.get(question, {})
    if question in {"drift", "neighbours", "observations"}:
        with pytest.raises(UnknownError, match="known"):
            ask(database, question, **parameters)
    else:
        found = ask(database, question, **parameters)
        assert [found.get(name) for name in ("items", "rules", "bad") if found.get(name)] == []


@pytest.mark.parametrize(
    ("question", "parameters", "problem"),
    [
        ("weather", {}, "there is no question 'weather'"),
        ("neighbours", {}, "name a build"),
        ("neighbours", {"package": ["numpy>=1"]}, "pins no version"),
        ("images", {"package": "numpy>=?"}, "no version specifier"),
    ],
)
def test_what_cannot_be_understood_is_told(database, question, parameters, problem):
    with pytest.raises(QuestionError, match=problem):
        ask(database, question, **parameters)


def test_a_frame_has_a_row_for_each_observation(taught):
    table = frame(taught, relations=["failed", "ended"])
    assert table.num_rows == 24
    assert set(table.column("how").to_pylist()) == {"observed"}
    rows = list(observation_rows(taught, kinds=["compile-error"]))
    assert {(row["subject_kind"], row["name"], row["value"]) for row in rows} == {("build", "lib-a", "2.0")}
    assert len({row["digest"] for row in rows}) == 6
    assert {str(row["subject"]) for row in rows} == {f"build-analysis-{number}" for number in range(12, 18)}

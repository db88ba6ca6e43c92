"""Questions as documents, the ground of a search, and plans made of both."""

import json

import pytest
from pydantic import ValidationError

from trimtab.stacks import (
    Adaptive,
    Evidence,
    Exclusion,
    Ground,
    PlanName,
    Question,
    Space,
    Stack,
    Survey,
    Variable,
    Verdict,
    Vulnerability,
    plan_of,
    read_osv,
)

ENTRY = {
    "id": "OSV-1",
    "summary": "bad",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "Web"},
            "versions": ["1.0"],
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1.2"}, {"last_affected": "1.4"}]}],
        }
    ],
}


@pytest.fixture
def ground():
    variables = (Variable("web", ("1.10", "1.9", "1.2")), Variable("api", ("2.0", "1.0")))
    exclusion = Exclusion("yanked", {"db": "3"}, "it broke")
    space = Space(variables, {"db": "!=3"}, {"log": "1"}, (exclusion,))
    return Ground(Survey(space, Stack("web==1.10\napi==2.0\n")), None)


def test_a_ground_survives_json(ground):
    again = Ground.load(json.loads(json.dumps(ground.document())))
    assert again == ground
    between = Ground(None, {"web": ("1.9", "1.2")})
    assert Ground.load(json.loads(json.dumps(between.document()))) == between


@pytest.mark.parametrize(
    "name",
    sorted(set(PlanName) - {PlanName.bisect, PlanName.adaptive}),
)
def test_the_same_ground_and_question_make_the_same_plan(ground, name):
    question = Question(requirements=("web", "api"), plan=name, seed=3, pins={"web": "1.9", "api": "1.0"})
    reasons = []
    for _ in range(2):
        plan = plan_of(question, ground)
        proposals = [plan.propose() for _ in range(3)] if plan.window > 1 else [plan.propose()]
        reasons.append(proposals)
    assert reasons[0] == reasons[1]
    assert reasons[0][0] is not None


def test_a_question_survives_json():
    question = Question(
        requirements=("web>=1",),
        plan="breakers",
        find=1,
        slower=2.0,
        index_date="2026-01-31T00:00:00Z",
        sieves={"rules": [{"packages": {"web": "<1"}, "reason": "old"}]},
    )
    document = json.loads(json.dumps(question.model_dump(mode="json", exclude_defaults=True)))
    assert Question.model_validate(document) == question


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"requirements": []}, "requirements"),
        ({"requirements": ["web @ file:///etc"]}, "has a URL"),
        ({"requirements": ["-r other.txt"]}, "is no requirement"),
        ({"plan": "best"}, "plan"),
        ({"plan": "bisect"}, "needs good and bad"),
        ({"plan": "adaptive"}, "needs an objective"),
        ({"find": 1}, "find is for the plan breakers"),
        ({"index_date": "2026-01-31T00:00:00"}, "timezone"),
        ({"unknown": 1}, "unknown"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(changes, problem):
    with pytest.raises(ValidationError, match=problem):
        Question.model_validate({"requirements": ["web"], **changes})


def test_vulnerabilities_survive_json(tmp_path):
    path = tmp_path / "osv.json"
    path.write_text(json.dumps(ENTRY))
    (found,) = read_osv(path)["web"]
    again = Vulnerability.load(json.loads(json.dumps(found.document())))
    assert again == found


class Searcher:
    """Suggests what it is told to, and keeps what it observes."""

    def __init__(self, *suggestions):
        self.suggestions, self.observed = list(suggestions), []

    def suggest(self, number):
        return self.suggestions[min(number, len(self.suggestions) - 1)]

    def observe(self, combination, loss):
        self.observed.append((dict(combination), loss))


def adaptive(ground, *suggestions):
    searcher = Searcher(*suggestions)
    return searcher, Adaptive(ground.survey.space, searcher, lambda each: each.figures["duration"][0])


def told(plan, pins, verdict=Verdict.PASS, seconds=1.0):
    proposal = plan.propose()
    stack = Stack("".join(f"{name}=={version}\n" for name, version in pins.items()))
    plan.resolved(proposal, stack)
    assert plan.propose() is None, "the verdict is awaited"
    plan.tell(Evidence(stack, verdict, figures={"duration": (seconds,)}))
    return proposal


def test_an_adaptive_search_observes_what_was_really_tried(ground):
    searcher, plan = adaptive(ground, {"web": "1.2", "api": "2.0"}, {"web": "1.9", "api": "1.0"})
    assert told(plan, {"web": "1.10", "api": "2.0"}).reason == "the newest"
    assert told(plan, {"web": "1.2", "api": "1.0"}, seconds=2.0).constraints["web"] == "==1.2"
    told(plan, {"web": "1.9", "api": "1.0"}, Verdict.FAIL)
    assert searcher.observed == [
        ({"web": "1.10", "api": "2.0"}, 1.0),
        ({"web": "1.2", "api": "1.0"}, 2.0),
        ({"web": "1.9", "api": "1.0"}, None),
    ]
    assert plan.propose() is None, "all that is suggested was tried"


def test_an_adaptive_search_learns_nothing_of_infrastructure_and_that_there_is_no_such_stack(ground):
    searcher, plan = adaptive(ground, {"web": "1.2", "api": "2.0"})
    told(plan, {"web": "1.10", "api": "2.0"}, Verdict.UNKNOWN)
    plan.resolved(plan.propose(), None)
    assert searcher.observed == [({"web": "1.2", "api": "2.0"}, None)]

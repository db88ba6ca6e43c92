"""The report of a campaign: what it says, that it runs nothing, and that what comes from outside is only text."""

import json
import random
from html.parser import HTMLParser

import pytest
from planted import draw, failing, holds, passing

from trimtab.stacks.answers import Objective, answer
from trimtab.stacks.locking import LockFile
from trimtab.stacks.report import Heading, write

BREAKS = {"p1": {"1.3"}, "p2": {"1.4"}}
SLOW = {"p0": {"1.2"}, "p3": {"1.1"}}
EVIL = "<script>alert(1)</script>"


def campaign(seed=1):
    """Stacks of which a pair breaks, a pair is three times slower, and one package matters."""
    generator = random.Random(seed)
    drawn = [draw(generator, 5, 6) for _ in range(70)]
    drawn += [
        draw(generator, 5, 6) | {name: next(iter(each)) for name, each in cause.items()}
        for cause in (BREAKS, SLOW)
        for _ in range(5)
    ]
    evidence = []
    for pins in drawn:
        if holds(BREAKS, pins):
            evidence.append(failing(pins, f"ImportError: {EVIL}"))
            continue
        seconds = (3 if holds(SLOW, pins) else 1) * (1.3 if pins["p4"] >= "1.3" else 1)
        figures = {
            "duration": [seconds * generator.lognormvariate(0, 0.03) for _ in range(4)],
            "memory": [2**27 * generator.lognormvariate(0, 0.1)] * 4,
            "size": [2**28 * generator.lognormvariate(0, 0.3)],
        }
        evidence.append(passing(pins, **{name: tuple(each) for name, each in figures.items()}))
    return evidence


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    evidence = campaign()
    baseline = next(each.stack.digest for each in evidence if each.figures)
    answers = answer(evidence, Objective("duration"), baseline=baseline)
    heading = Heading(
        f"shop {EVIL}",
        "5 requirements",
        {"seed": "7", "requirements": EVIL},
        "The budget of 80 stacks was spent.",
    )
    lock = LockFile("requirements.txt", evidence[0].stack.lock)
    return write(answers, heading, tmp_path_factory.mktemp("report") / "new", lock)


class Elements(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs


def test_the_json_has_the_planted_truths(written):
    document = json.loads(written.json.read_text())
    assert document["schema"] == "trimtab/answers/1"
    (breaker,) = document["breakers"]
    assert breaker["causes"][0]["packages"] == {"p1": "==1.3", "p2": "==1.4"}
    assert breaker["sure"] is True
    (outliers,) = document["outliers"]
    assert outliers["breakers"][0]["causes"][0]["packages"] == {"p0": "==1.2", "p3": "==1.1"}
    assert any(each["package"] == "p4" for each in document["importance"]["effects"])
    assert document["best"][0]["verdict"] in {"best", "among the first"}
    first = document["best"][0]["ranking"][0]["stack"]
    assert document["packages"][first]["p4"] < "1.3"
    assert document["pareto"][0]["metrics"] == ["size", "duration", "memory"]


def test_the_page_says_it_and_has_the_plots(written):
    page = written.html.read_text()
    assert "p1==1.3 with p2==1.4 breaks" in page
    assert "p0==1.2 with p3==1.1" in page
    assert "p4&gt;=1.3" in page
    assert Elements(page).tags.count("figure") == 4


def test_nothing_in_the_page_runs_or_is_loaded(written):
    elements = Elements(written.html.read_text())
    assert not {"script", "iframe", "img", "link", "object"} & set(elements.tags)
    assert not any(name.startswith("on") for name, _ in elements.attributes)
    assert any(value and value.startswith("default-src 'none'") for _, value in elements.attributes)
    assert EVIL not in written.html.read_text()


def test_the_lock_is_beside_it(written):
    assert written.lock is not None
    assert written.lock.name == "requirements.txt"
    assert "--hash=" in written.lock.read_text()


def test_of_nothing_there_is_a_report_too(tmp_path):
    written = write(answer([], Objective("duration")), Heading("empty"), tmp_path / "empty")
    assert "Nothing was tried" in written.html.read_text()
    assert json.loads(written.json.read_text())["stacks"] == 0


def test_what_is_not_separable_says_which_stack_would_tell(tmp_path):
    evidence = [failing({"a": "2", "b": "2"}), passing({"a": "1", "b": "1"})]
    written = write(answer(evidence, Objective("duration")), Heading("two"), tmp_path / "two")
    page = written.html.read_text()
    assert "Not separable yet" in page
    assert "This stack would tell" in page

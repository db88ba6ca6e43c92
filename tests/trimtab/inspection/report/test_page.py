"""The page of an inspection: what it says, and that nothing in it can do harm."""

import hashlib
import html
import json
import re
import xml.etree.ElementTree as ET
from base64 import b64encode

import pytest

from trimtab.inspection import report
from trimtab.store import Inspections, NotFoundError, Store

ID = "inspection-a-210101000000-0123456789abcdef"
ATTACK = '</script><script>alert(1)</script>"><img src=x onerror=alert(2)>'


@pytest.fixture
def inspections(tmp_path):
    return Inspections(Store.open(str(tmp_path / "store")), "test")


@pytest.fixture
def render(inspections, keep_inspection):
    """Stores an inspection, and gives its page."""

    def make(results, specification=None, **told):
        return report.render(report.read(keep_inspection(inspections, ID, results, specification, **told)))

    return make


@pytest.fixture
def results(make_result):
    return {item: make_result(1 + item / 10, item) for item in range(6)}


def test_says_how_it_ended_what_was_measured_and_how_sure_that_is(render, results, read_page):
    text = read_page(render(results, {"identifier": "shop"})).text
    assert "All 6 runs succeeded" in text
    assert "Elapsed time, as the script says: 1.25 s in the median of 6 runs" in text
    assert "% confidence" in text
    assert "6 of 6 runs in 1 min" in text
    assert "shop on registry.example/python:3.11" in text


def test_says_what_was_asked_built_and_with_what(render, results, read_page):
    asked = {
        "environment": [{"name": "OMP_NUM_THREADS", "value": "1"}],
        "run": {"requests": {"cpu": "2", "memory": "1Gi"}, "timeout": 90, "warmup": 1},
        "python": {"lock": {"requirements.txt": "six==1.16.0 --hash=sha256:0\n"}},
        "packages": ["which"],
        "script": "#!/bin/sh\necho hello\n",
    }
    build = {"digest": "sha256:abc", "seconds": 75, "cached": True, "left_out": ["the package which"]}
    text = read_page(render(results, asked, build=build)).text
    for said in (
        "OMP_NUM_THREADS=1",
        "cpu 2, memory 1Gi, at most 1 min 30 s",
        "after 1 to warm up",
        "requirements.txt",
        "echo hello",
        "sha256:abc",
        "1 min 15 s",
        "the package which",
        "FROM base",
        "six 1.16.0",
        "NumPy 1.26.4",
        "not enforced",
        "affinity",
        "Some CPU",
        "8 GiB",
    ):
        assert said in text, said


def test_has_the_plots_that_the_runs_allow(render, results, make_result):
    page = render(results)
    assert page.count("<figure") == page.count("<svg xmlns") == 4


def test_many_runs_are_drawn_as_bars_and_one_is_no_spread(render, make_result):
    page = render({item: make_result(1 + item % 7, item) for item in range(40)})
    assert page.count("<figure") == 4


def test_one_run_has_no_spread(render, make_result):
    assert render({0: make_result()}).count("<figure") == 3


def test_runs_on_several_kinds_of_machine_are_told_apart(render, make_result, read_page):
    other = {"cpu_info": {"brand_raw": "Other CPU", "family": 6, "model": 1}, "cpu_type": {"ncpus": 8}}
    results = {item: make_result(1.0 + item, item) for item in range(4)}
    results |= {item: make_result(5.0 + item, item, hwinfo=other) for item in range(4, 8)}
    text = read_page(render(results)).text
    assert "2 kinds of machines" in text
    assert "Machine 2: Other CPU, 8 processors" in text


def test_warnings_of_the_statistics_are_there(render, make_result, read_page):
    rising = {item: make_result(1.0 + item, item) for item in range(6)}
    assert "rises over the order of the runs" in read_page(render(rising)).text


def test_failures_say_whose_they_are_with_the_lines_that_matter(render, make_result, read_page):
    failure = {"kind": "script", "reason": "it ended with exit code 3", "lines": ["ZeroDivisionError: 1/0"]}
    runs = [
        {
            "item": 0,
            "attempt": 1,
            "state": "lost",
            "lost": "the engine went away",
            "failure": {"kind": "infrastructure", "reason": "the engine went away", "lines": []},
        },
        {"item": 0, "attempt": 2, "state": "failed", "exit_code": 3, "failure": failure},
        {"item": 1, "attempt": 1, "state": "failed", "exit_code": 3, "failure": failure},
        {"item": 2, "attempt": 1, "state": "succeeded", "exit_code": 0, "failure": None},
    ]
    results = {0: make_result(exit_code=3), 1: make_result(exit_code=3), 2: make_result()}
    text = read_page(render(results, runs=runs)).text
    assert "2 of 3 runs failed" in text
    assert "Run 1 (attempt 1) infrastructure" in text
    assert "says nothing of stack or script" in text
    assert "Runs 1 (attempt 2) and 2 script" in text
    assert "ZeroDivisionError: 1/0" in text
    assert "attempt 2" in text


def test_a_build_that_failed_says_why_and_shows_the_end_of_its_log(render, read_page):
    failure = {"kind": "stack", "reason": "there is no package foo", "lines": ["No matching distribution"]}
    text = read_page(render({}, state="build_failed", build=None, failure=failure)).text
    for said in (
        "The build failed",
        "The build stack",
        "there is no package foo",
        "No matching distribution",
        "one two",
    ):
        assert said in text, said


@pytest.mark.parametrize(
    ("state", "said"), [("cancelled", "Cancelled"), ("expired", "It waited too long"), ("succeeded", "Built")]
)
def test_an_inspection_without_runs_has_a_report_too(render, read_page, state, said):
    assert said in read_page(render({}, {"script": None, "batch_size": 1}, state=state)).text


def test_runs_that_were_all_lost_are_said_to_be(render, read_page):
    assert "2 of 2 runs were lost" in read_page(render({0: None, 1: None})).text


def test_what_is_not_over_has_none(inspections):
    with pytest.raises(NotFoundError):
        report.read(inspections[ID])


def test_the_original_data_set_has_a_report(originals, read_page):
    stored = Inspections(Store.open(str(originals / "amun-inspection")), None)
    page = report.render(report.read(stored["inspection-rhtf-conv2d-0f845f38"]))
    text = read_page(page).text
    assert "All 3 runs succeeded" in text
    assert "Intel Xeon Processor (Skylake, IBRS)" in text
    assert "tensorflow" in text


def test_is_well_formed_and_loads_and_runs_nothing(render, results, read_page):
    page = render(results)
    read = read_page(page)
    assert (read.wrong, read.open) == ([], [])
    assert "script" not in read.seen
    assert not re.search(r'(src|href)="(?!#)', page)
    assert "url(http" not in page
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in html.unescape(page)
    assert 'style="' not in page


def test_the_drawings_are_well_formed_with_colours_of_the_style_sheet_alone(render, results):
    page = render(results)
    ids = []
    for svg in re.findall(r"<svg xmlns.*?</svg>", page, re.DOTALL):
        ids += [each.attrib["id"] for each in ET.fromstring(svg).iter() if "id" in each.attrib]
        colours = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]+)"', svg))
        assert colours <= set(re.findall(r'\[fill="(#[0-9a-f]+)"\]', page))
    assert len(ids) == len(set(ids))


def poisoned(value):
    """The same with every text replaced by one that would run."""
    if isinstance(value, dict):
        return {key: poisoned(each) for key, each in value.items()}
    if isinstance(value, list):
        return [poisoned(each) for each in value]
    return ATTACK if isinstance(value, str) else value


def test_texts_and_names_from_outside_are_shown_and_never_run(render, make_result, read_page):
    """Specification, report, results, names of measures and of packages: all is a stranger's."""
    result = poisoned(make_result(exit_code=0)) | {"start_datetime": None, "end_datetime": None}
    result["stdout"] = {ATTACK: 1.0, "@result": {"elapsed": 1.0, ATTACK: 2.0}}
    result["notes"] = [ATTACK]
    asked = {
        "base": ATTACK,
        "identifier": ATTACK,
        "script": ATTACK,
        "packages": [ATTACK],
        "files": [{"path": ATTACK, "content": ATTACK}],
        "environment": [{"name": ATTACK, "value": ATTACK}],
        "python": {"requirements_locked": {"default": {ATTACK: {"version": ATTACK, "index": ATTACK}}}},
    }
    failure = {"kind": ATTACK, "reason": ATTACK, "lines": [ATTACK]}
    runs = [
        {"item": item, "attempt": 1, "state": ATTACK, "failure": failure, "notes": [ATTACK]}
        for item in (0, 1)
    ]
    told = {
        "runs": runs,
        "engine": {"name": ATTACK, "cpu": ATTACK, "warnings": [ATTACK]},
        "build": {"digest": ATTACK, "left_out": [ATTACK]},
        "failure": failure,
    }
    page = render({0: result, 1: result}, asked, **told)
    read = read_page(page)
    assert not read.seen & {"script", "img"}
    assert (read.wrong, read.open) == ([], [])
    assert "alert(1)" in read.text


@pytest.mark.parametrize(
    "told",
    [
        {"runs": None, "engine": None, "build": None},
        {"runs": "no", "engine": [], "build": 3, "failure": 5},
        {
            "runs": [None, 3, {}, {"item": "x"}, {"item": 0, "failure": 3, "notes": 3}],
            "state": 7,
            "ended": [],
        },
    ],
)
def test_documents_of_strangers_make_a_page_whatever_is_in_them(render, make_result, told, read_page):
    asked = {"packages": 3, "files": "x", "environment": {"a": 1}, "run": 3, "build": [], "python": 7}
    assert (
        "Trimtab inspected"
        in read_page(render({0: make_result(usage=3, stdout=None, packages=3)}, asked, **told)).text
    )


def test_a_password_in_the_url_of_an_index_is_not_shown(render, results):
    lock = {"default": {"six": {"version": "==1", "index": "https://me:secret@pypi.example/simple"}}}
    page = render(results, {"python": {"requirements_locked": lock}})
    assert "secret" not in page
    assert "pypi.example" in page


def test_is_written_beside_its_data(inspections, keep_inspection, results, tmp_path):
    stored = keep_inspection(inspections, ID, results)
    written = report.write(report.read(stored), tmp_path / "new" / "folder")
    document = json.loads(written.json.read_text())
    assert document["statistics"]["primary"] == "stdout__@result__elapsed"
    assert document["report"]["state"] == document["state"] == "succeeded"
    assert written.html.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    "values",
    [[0.0] * 6, [-1.0, 1.0, 2.0], [1e150, 1e-150, 1.0], [5.0] * 25, [1.0, float("inf"), 2.0], [1e-9] * 3],
)
def test_whatever_was_measured_is_drawn(render, make_result, values):
    """No value of a script makes a plot that cannot be drawn."""
    results = {
        item: make_result(1.0, item, stdout={"@result": {"elapsed": each}})
        for item, each in enumerate(values)
    }
    results = {
        item: {**each, "usage": {"ru_maxrss": 1 << 60, "ru_utime": 0, "ru_stime": 0}}
        for item, each in results.items()
    }
    if float("inf") in values:
        results[1]["stdout"] = {"@result": {"elapsed": None}}
    page = render(results)
    assert page.count("<svg xmlns") >= 3
    assert "NaN" not in page

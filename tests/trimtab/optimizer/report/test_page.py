"""The page: what it says, and that nothing in it can do harm."""

import copy
import html
import re
import xml.etree.ElementTree as ET

import pytest

from trimtab.optimizer import report

ATTACK = '</script><script>alert(1)</script>"><img src=x onerror=alert(2)>'


@pytest.fixture
def page(document):
    return report.render(report.read(document))


def test_says_what_was_gained_how_sure_that_is_and_what_to_set(page, read_page):
    text = read_page(page).text
    assert "60 % better" in text
    assert "latency_mean went from 10 to 4 (less is better)" in text
    assert "Between +50 % and +70 %, with 95 % confidence" in text
    assert "3 readings of the baseline and 2 of the candidate" in text
    assert "4 MiB" in text
    assert "The recommended settings are in place." in text
    assert "8 of 8 trials in 1 min 30 s (2 baseline, 3 search, 3 verify)" in text


def test_shows_every_trial_with_its_status_and_reason_and_every_broken_slo(page):
    for text in (
        "rejected",
        "no room",
        "breaks an SLO",
        "memory_peak is 4e8",
        "1 trial did not come up",
        "85.8 MiB",
    ):
        assert text in page


def test_has_the_four_plots_and_the_machine(page):
    assert page.count("<figure") == page.count("<svg xmlns") == 4
    assert "Some CPU" in page


def test_is_well_formed(page, read_page):
    parser = read_page(page)
    assert parser.wrong == []
    assert parser.open == []


def test_the_drawings_are_well_formed_and_their_ids_unique(page):
    ids = []
    for svg in re.findall(r"<svg xmlns.*?</svg>", page, re.DOTALL):
        root = ET.fromstring(svg)
        ids += [each.attrib["id"] for each in root.iter() if "id" in each.attrib]
        used = set(re.findall(r"url\(#([^)]+)\)", svg))
        assert used <= set(ids)
    assert len(ids) == len(set(ids))


def test_loads_and_runs_nothing(page, read_page):
    assert "script" not in read_page(page).seen
    assert not re.search(r'(src|href)="(?!#)', page)
    assert "default-src 'none'" in html.unescape(page)
    assert "@import" not in page
    assert "url(http" not in page


def test_the_policy_allows_exactly_the_style_that_is_there(page):
    import hashlib
    from base64 import b64encode

    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in html.unescape(page)
    assert 'style="' not in page


def test_colours_come_from_the_style_sheet_alone(page):
    for svg in re.findall(r"<svg xmlns.*?</svg>", page, re.DOTALL):
        colours = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]+)"', svg))
        assert colours <= set(re.findall(r'\[fill="(#[0-9a-f]+)"\]', page))


def _poisoned(value, depth=0):
    """The same with every text replaced by one that would run."""
    if isinstance(value, dict):
        return {key: _poisoned(each, depth + 1) for key, each in value.items()}
    if isinstance(value, list):
        return [_poisoned(each, depth + 1) for each in value]
    return ATTACK if isinstance(value, str) else value


def test_texts_from_outside_are_shown_and_never_run(document, read_page):
    poisoned = _poisoned(document)
    poisoned["trials"] = [
        _poisoned(each) | {"status": "ok", "purpose": "search"} for each in document["trials"]
    ]
    poisoned["session"]["result"]["recommendation"] = document["session"]["result"]["recommendation"]
    parser = read_page(report.render(report.read(poisoned)))
    assert not parser.seen & {"script", "img"}
    assert parser.wrong == []


def test_names_from_outside_are_shown_and_never_run(document, read_page):
    bad = "web.<b onmouseover=alert(1)>"
    text = repr(document).replace("web.cache", bad)
    poisoned = eval(text, {"__builtins__": {}})  # our own literal
    poisoned["trials"][0]["metrics"][bad] = 1.0
    page = report.render(report.read(poisoned))
    assert "b" not in read_page(page).seen
    assert "&lt;b onmouseover" in page


def test_no_improvement_is_said_with_what_is_known(document):
    found = document["session"]["result"]["recommendation"]
    found |= {"verdict": "no improvement shown", "interval": [-0.1, 0.2], "point": document["baseline"]}
    page = report.render(report.read(document))
    assert "No improvement shown" in page
    assert "\N{MINUS SIGN}10 % to +20 %, which may be chance" in page
    assert "The baseline was put back." in page


def test_nothing_measured_is_said_with_the_reason(document):
    document["session"]["result"] = None
    document["trials"] = document["trials"][4:5]
    page = report.render(report.read(document))
    assert "Nothing was measured" in page
    assert "The last trial did not come up: no room" in page


def test_a_session_that_has_just_begun_has_a_report_too(document):
    bare = {"session": {"id": "session-1", "state": "waiting"}, "trials": []}
    assert "Nothing was measured" in report.render(report.read(bare))
    unfinished = copy.deepcopy(document)
    unfinished["session"] |= {"state": "running", "result": None}
    unfinished["commands"] = []
    assert "continue it with" in report.render(report.read(unfinished))


def test_readings_over_orders_of_magnitude_are_drawn_on_a_logarithmic_axis(document):
    document["trials"][0]["value"] = 5000.0
    assert "figure" in report.render(report.read(document))


@pytest.mark.parametrize("wrong", [{}, {"session": 3, "trials": []}, {"session": {}, "trials": None}])
def test_what_is_no_document_is_refused_with_the_remedy(wrong):
    with pytest.raises(report.ReportError, match="trimtab sessions export"):
        report.read(wrong)


def test_is_written_beside_its_data_and_replaces_what_was_there(document, tmp_path):
    import json

    folder = tmp_path / "new" / "folder"
    first = report.write(document, folder)
    second = report.write(document, folder)
    assert first == second
    assert json.loads(second.json.read_text()) == document
    assert second.html.read_text().startswith("<!doctype html>")
    assert sorted(each.name for each in folder.iterdir()) == ["report.html", "report.json"]


def test_the_machine_card_names_neither_user_nor_host():
    import getpass
    import platform

    card = report.machine_card()
    assert card["Cores"]
    assert card["Python"].startswith("CPython 3")
    text = " ".join(card.values())
    assert platform.node() not in text.split()
    assert getpass.getuser() not in text.split()

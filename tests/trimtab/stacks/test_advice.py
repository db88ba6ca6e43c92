"""Advice from what is remembered: inspections and builds are rows of a catalog, the resolver is uv over a local index."""

import pytest

from trimtab.builds import record_analysis, record_build
from trimtab.catalog import Documents, RunDocuments, record
from trimtab.stacks.advice import advise, recall

BASE = "registry.example/python:3.11"


@pytest.fixture
def remember(database):
    """Note an inspection of a stack."""
    made = []

    def note(
        pins,
        state="succeeded",
        reason="A package cannot be imported.",
        kind="stack",
        base=BASE,
        script="import web",
        seconds=1,
    ):
        number = len(made)
        name = f"inspection-shop-260101000000-{number:016x}"
        made.append(name)
        lock = "".join(f"{each}=={version} --hash=sha256:{'0' * 64}\n" for each, version in pins.items())
        specification = {
            "base": base,
            "script": script,
            "identifier": "shop",
            "python": {"lock": {"requirements.txt": lock}},
        }
        report = {
            "inspection_id": name,
            "state": state,
            "owner": "",
            "created": "2026-01-01T00:00:00+00:00",
            "runs": [],
        }
        if state != "succeeded":
            report["failure"] = {"kind": kind, "reason": reason, "lines": []}
        times = {"start_datetime": "2026-01-01T00:00:00", "end_datetime": f"2026-01-01T00:00:{seconds:02}"}
        run = RunDocuments(0, {"exit_code": 0, **times})
        with database.write() as connection:
            record(connection, Documents(name, specification, report, (run,) if state == "succeeded" else ()))
        return name

    return note


def log(number, name, version, *, broke):
    error = {
        "class": "compile-error",
        "kind": "stack",
        "package": name,
        "version": version,
        "message": "no",
        "line": 3,
    }
    result = {
        "outcome": "failed" if broke else "successful",
        "installation": [{"package_name": name, "package_version": version, "is_successful": not broke}],
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
def advised(opened, database):
    """The advice for a project."""

    async def ask(text, **wanted):
        async with opened(text, surveyed=False) as search:
            first = await search.oracle.first()
            memory = recall(database, first.pins.keys(), **wanted)
            return await advise(search.oracle, search.releases, memory, search.sieves)

    return ask


def of(advice, name):
    return next(each for each in advice.packages if each.name == name)


async def test_without_a_memory_it_is_the_newest_and_says_that_nothing_is_known(advised):
    advice = await advised("web\ndb\n")
    assert advice.stack.pins == {"core": "2.4", "db": "0.7", "web": "1.9"}
    assert not any(each.reasons for each in advice.packages)
    assert any("no inspection of just these versions" in each for each in advice.unknown)
    assert any("3 of 3 versions" in each for each in advice.unknown)


async def test_a_version_that_broke_inspections_is_held_back_with_the_reason(advised, remember):
    for version in range(10):
        for other in ("0.7", "0.6", "0.0"):
            state = "failed" if version == 9 else "succeeded"
            remember({"web": f"1.{version}", "db": other, "core": "2.4"}, state)
    advice = await advised("web\ndb\n")
    assert advice.stack.pins["web"] == "1.8"
    web = of(advice, "web")
    assert (web.newest, web.passed, web.failed) == ("1.9", 3, 0)
    assert "1.9: web==1.9 failed in 3 inspections of shop" in web.reasons[0]
    assert "cannot be imported" in web.reasons[0]
    assert "inspection-shop-" in web.reasons[0]
    assert any("Just this stack passed" in each for each in advice.known)


async def test_two_versions_that_break_together_are_parted_and_one_stays_new(advised, remember):
    for web in ("1.9", "1.8", "1.0"):
        for db in ("0.7", "0.6", "0.0"):
            for ui in ("0.7", "0.0"):
                bad = (web, db) == ("1.9", "0.7")
                remember({"web": web, "db": db, "ui": ui, "core": "2.4"}, "failed" if bad else "succeeded")
    advice = await advised("web\ndb\nui\n")
    pins = advice.stack.pins
    assert (pins["web"], pins["db"]) in {("1.8", "0.7"), ("1.9", "0.6")}
    held = next(each for each in advice.packages if each.reasons)
    assert "web==1.9 with db==0.7" in held.reasons[0] or "db==0.7 with web==1.9" in held.reasons[0]


async def test_a_stack_that_failed_is_not_advised_even_if_nobody_knows_why(advised, remember):
    remember({"web": "1.9", "db": "0.7", "core": "2.4"}, "failed")
    advice = await advised("web\ndb\n")
    assert dict(advice.stack.pins) != {"web": "1.9", "db": "0.7", "core": "2.4"}
    assert any("just this stack failed" in why for each in advice.packages for why in each.reasons)


async def test_what_the_infrastructure_lost_counts_for_nothing(advised, remember):
    remember({"web": "1.9", "db": "0.7", "core": "2.4"}, "failed", "The network was away.", "infrastructure")
    assert (await advised("web\ndb\n")).stack.pins["web"] == "1.9"


async def test_a_script_that_fails_with_every_stack_says_nothing_of_any(advised, remember):
    remember({"web": "1.9", "db": "0.7", "core": "2.4"}, "failed", "It ended with 1.", "script")
    assert (await advised("web\ndb\n")).stack.pins["web"] == "1.9"


async def test_other_base_images_are_left_out_if_one_is_named(advised, remember):
    for version in range(10):
        for other in ("0.7", "0.6", "0.0"):
            state = "failed" if version == 9 else "succeeded"
            remember(
                {"web": f"1.{version}", "db": other, "core": "2.4"}, state, base="registry.example/other:1"
            )
    assert (await advised("web\ndb\n", base=BASE)).stack.pins["web"] == "1.9"


async def test_what_builds_taught_is_heeded(advised, database):
    for number in range(18):
        broke = number >= 12
        record_analysis(database, log(number, "web", "1.9" if broke else "1.8", broke=broke))
        record_build(database, build(number, broke=broke))
    advice = await advised("web\ndb\n", base=BASE)
    web = of(advice, "web")
    assert web.version == "1.8"
    assert web.built == 12
    assert "it broke 6 of 6 builds" in web.reasons[0]


async def test_bounds_of_the_project_and_of_other_packages_are_reasons(advised):
    advice = await advised("web<1.9\napi==1.4\n")
    assert "asks for web<1.9" in of(advice, "web").reasons[0]
    held = of(advice, "core")
    assert held.version == "1.4"
    assert "api==1.4" in held.reasons[0], "uv says why"


async def test_an_effect_on_the_duration_is_told(advised, remember):
    for version in range(10):
        for other in ("0.7", "0.0"):
            seconds = 20 + version if version >= 5 else 10 + version
            remember({"web": f"1.{version}", "db": other, "core": "2.4"}, seconds=seconds)
    advice = await advised("web\ndb\n")
    assert advice.stack.pins["web"] == "1.9", "it says so, and leaves the choice to its reader"
    assert any("web>=1.5,<=1.9 changed the duration by +" in each for each in advice.known)


async def test_where_there_is_no_effect_none_is_told(advised, remember):
    for version in range(10):
        remember({"web": f"1.{version}", "db": "0.7", "core": "2.4"})
    advice = await advised("web\ndb\n")
    assert not any("duration" in each for each in advice.known)

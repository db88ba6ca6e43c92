"""`trimtab builds`: of this machine and of a server, with the same words."""

import json

import pytest
import yaml

from trimtab.catalog import analyses, submitted_builds
from trimtab.settings import Settings
from trimtab.store import BuildLogsParsedResultsStore
from trimtab.workflows import Place

BUILD, OTHER = (f"build-analysis-26112706150{each}-0123456789abcdef" for each in range(2))
LOG, BAD = (f"buildlog-parser-26112706150{each}-0123456789abcdef" for each in range(2))
HOSTILE = "<b>[red]x[/red]\x1b[31m\u202e"
FOUND = {"metadata": {"document_id": LOG}, "result": {"outcome": "failed", "name": HOSTILE}}


@pytest.fixture(params=["here", "server"])
def run(request, command, home, served):
    """Runs a command of the group, here or at a server; two builds were submitted, the second is under way."""
    with Place.open(Settings()) as place:
        fill(place)
    if request.param == "here":
        yield lambda *arguments, code=0, **more: command("builds", *arguments, code=code, **more)
        return
    with Place.open(Settings()) as place:
        server = served(place=place)
        yield lambda *arguments, code=0, **more: command("builds", *arguments, *server, code=code, **more)


def fill(place):
    deployment, at = place.deployment, 1_800_000_000.0
    with place.database.write() as connection:
        for name, key in ((LOG, "a"), (BAD, "b")):
            analyses.add(
                connection,
                {
                    "id": name,
                    "kind": "log",
                    "deployment": deployment,
                    "owner": "",
                    "cache_key": key,
                    "digest": f"buildlog-{key}",
                    "request": {"key": key, "log": f"buildlog-{key}", "parameters": {}},
                    "credentials": None,
                    "holder": None,
                    "created_at": at,
                },
            )
        analyses.finish(connection, LOG, analyses.AnalysisState.SUCCEEDED)
        for name, log in ((BUILD, LOG), (OTHER, BAD)):
            part = {"analysis_id": log, "cached": False}
            refused = {"error": HOSTILE, "parameters": {}}
            submitted_builds.add(
                connection,
                {
                    "id": name,
                    "deployment": deployment,
                    "owner": "",
                    "idempotency": None,
                    "base_id": None,
                    "output_id": None,
                    "log_id": log,
                    "document": {
                        "base_image": None,
                        "output_image": None,
                        "build_log": {"document_id": "buildlog-a", "analysis_id": log},
                        "missing": [{"part": "base_image", "reason": HOSTILE}],
                        "build": {"name": HOSTILE, "namespace": "team", "phase": "failed"},
                    },
                    "answer": {
                        "base_image_analysis": refused,
                        "output_image_analysis": None,
                        "buildlog_analysis": part,
                        "buildlog_document_id": "buildlog-a",
                    },
                    "created_at": at,
                },
            )
            submitted_builds.recorded(connection, name)
    BuildLogsParsedResultsStore(place.inspections.store, deployment).put_once(FOUND, LOG)


def test_builds_are_listed_and_shown(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    table = run("list").output
    assert table.index(OTHER) < table.index(BUILD)
    assert "team/<b>[red]x[/red]\\x1b[31m\\u202e" in table
    for output, load in (("json", json.loads), ("yaml", yaml.safe_load)):
        found = load(run("list", "--limit", "1", "-o", output).output)
        assert [each["analysis_id"] for each in found] == [OTHER]
        shown = load(run("show", BUILD, "-o", output).output)
        assert (shown["state"], shown["buildlog_analysis"]["state"]) == ("succeeded", "succeeded")
        assert load(run("show", LOG, "-o", output).output)["state"] == "succeeded"
        assert load(run("result", LOG, "-o", output).output) == FOUND
    shown = run("show", BUILD).output
    assert LOG in shown
    assert "refused" in shown
    assert run("log", BUILD).output.strip().endswith("succeeded")
    for each in (table, shown, run("result", LOG).output, run("show", OTHER).output):
        assert not {"\x1b", "\u202e"} & set(each)


def test_what_is_under_way_is_cancelled_and_deleted(run):
    assert "no result; it is pending" in run("result", BAD, code=1).output
    assert "cancel it first" in run("delete", "--yes", OTHER, code=1).output
    assert run("cancel", OTHER).output == f"cancelled {OTHER}\n"
    assert "is over" in run("cancel", OTHER, code=1).output
    assert json.loads(run("show", OTHER, "-o", "json").output)["state"] == "cancelled"
    assert run("delete", OTHER, input="n\n", code=1).output
    assert run("delete", "--yes", BUILD, OTHER).output == f"deleted {BUILD}\ndeleted {OTHER}\n"
    assert "No builds" in run("list").output
    assert "not found" in run("show", LOG, code=1).output


def test_what_is_no_id_or_not_there_is_said(run):
    for name in ("x", "../../etc/passwd", "build-analysis-0-0", "buildlog-parser-0-0"):
        for what in ("show", "log", "cancel", "result"):
            refused = run(what, name, code=1).output
            assert refused.startswith("Error: ")
            assert len(refused.splitlines()) == 1
    assert "has a result" in run("result", BUILD, code=1).output
    assert "no table" in run("result", LOG, "-o", "table", code=2).output

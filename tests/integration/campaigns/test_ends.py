"""How campaigns end: by budget, by bad input, by an answer that is clear, by somebody's wish."""

import json
import os
import signal
import time

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

HELLO = "#!/bin/sh\necho hello\n"
FAILING = "#!/bin/sh\necho it is the script >&2\nexit 3\n"


def test_a_budget_of_zero_is_refused_before_anything_is_done(trimtab, files):
    requirements, context = files()
    for option in ("--stacks", "--runs", "--parallel"):
        done = trimtab("campaigns", "run", requirements, "--context", context, option, 0, check=2)
        assert option in done.stderr
    done = trimtab("campaigns", "run", requirements, "--context", context, "--time", "0s", check=2)
    assert "budget.seconds" in done.stderr
    assert json.loads(trimtab("campaigns", "list", "--output", "json", check=0).stdout) == []


def test_fewer_runs_than_one_inspection_makes_are_refused(trimtab, files):
    requirements, context = files(batch_size=5)
    command = ("campaigns", "run", requirements, "--context", context, "--engine", "process")
    done = trimtab(*command, "--runs", 4, check=2)
    assert "one inspection makes 5 runs, and 4 are allowed" in done.stderr


def test_a_context_with_a_stack_of_its_own_is_refused(trimtab, files):
    requirements, context = files(python={"lock": {"requirements.txt": "six==1 --hash=sha256:00\n"}})
    done = trimtab("campaigns", "run", requirements, "--context", context, "--engine", "process", check=2)
    assert "context.python: the stacks are what is searched" in done.stderr


def test_unsatisfiable_requirements_are_told_in_uvs_words_and_the_campaign_is_over(trimtab, files):
    requirements, context = files("birch>=9\n")
    done = trimtab("campaigns", "run", requirements, "--context", context, "--engine", "process", check=1)
    assert "birch" in done.stdout
    assert "unsatisfiable" in done.stdout
    (only,) = json.loads(trimtab("campaigns", "list", "--output", "json", check=0).stdout)
    assert only["state"] == "failed"
    assert sum(only["counts"].values()) == 0


def test_a_plan_with_nothing_to_vary_is_told(trimtab, files):
    requirements, context = files("birch==1.0\n")
    done = trimtab(
        *("campaigns", "run", requirements, "--context", context, "--engine", "process"),
        *("--plan", "breakers"),
        check=1,
    )
    assert "needs 2 packages with a choice of versions" in done.stdout


def test_an_index_that_is_down_leaves_the_campaign_to_be_resumed(trimtab, files):
    requirements, context = files("birch\n", script=HELLO)
    command = ("campaigns", "run", requirements, "--context", context, "--engine", "process")
    done = trimtab(*command, "--plan", "all", check=1, UV_DEFAULT_INDEX="http://127.0.0.1:9/simple")
    assert "does not answer" in done.stderr
    assert "is kept as far as it came" in done.stderr
    resumed = trimtab("campaigns", "resume", "--output", "json", check=0)
    report = json.loads(resumed.stdout)
    assert report["counts"]["pass"] == report["counts"]["candidates"] == 3


def test_what_fails_alike_whatever_the_versions_ends_early_and_says_why(trimtab, files):
    requirements, context = files("birch\ngrove\ncedar\n", script=FAILING)
    done = trimtab(
        *("campaigns", "run", requirements, "--context", context, "--engine", "process"),
        *("--plan", "random", "--output", "json"),
        check=0,
    )
    report = json.loads(done.stdout)
    assert report["counts"]["fail"] == report["counts"]["candidates"] < 12
    assert "it is the script, the context, or a package that does not vary" in report["reason"]
    assert report["reason"].endswith("it is the script")


def test_a_budget_of_runs_ends_it(trimtab, files):
    requirements, context = files("birch\ngrove<1.2\n", script=HELLO, batch_size=2)
    done = trimtab(
        *("campaigns", "run", requirements, "--context", context, "--engine", "process"),
        *("--plan", "all", "--runs", 5, "--output", "json"),
        check=0,
    )
    report = json.loads(done.stdout)
    assert report["counts"]["candidates"] == 2
    assert report["reason"] == "the budget of 5 runs is spent"


def test_a_source_distribution_is_never_built_here(trimtab, files, tmp_path, planted):
    """Its setup.py would leave a mark wherever it is run."""
    from local_index import LocalIndex, Server

    mark = tmp_path / "built"
    index = LocalIndex(tmp_path / "malicious")
    index.wheel("birch", "1.0")
    index.sdist(
        "birch",
        "2.0",
        f"open({str(mark)!r}, 'w').close()\nfrom setuptools import setup\nsetup(name='birch', version='2.0')\n",
    )
    index.write()
    server = Server(index)
    try:
        requirements, context = files("birch\n", script=HELLO)
        command = ("campaigns", "run", requirements, "--context", context, "--engine", "process")
        done = trimtab(*command, "--plan", "all", "--output", "json", check=0, UV_DEFAULT_INDEX=server.url)
    finally:
        server.close()
    report = json.loads(done.stdout)
    assert [each["packages"] for each in report["candidates"]] == [{"birch": "1.0"}]
    assert any(
        each["packages"] == {"birch": "2.0"} and each["sieve"] == "platform" for each in report["exclusions"]
    )
    assert not mark.exists()


def test_the_same_seed_has_the_same_candidates_and_ids_of_its_own(trimtab, files):
    requirements, context = files("birch\ngrove<1.2\ncedar\n", script=HELLO)
    command = ("campaigns", "run", requirements, "--context", context, "--engine", "process")
    reports = [
        json.loads(trimtab(*command, "--seed", 5, "--stacks", 3, "--output", "json", check=0).stdout)
        for _ in range(2)
    ]
    stacks = [[each["stack"] for each in report["candidates"]] for report in reports]
    assert stacks[0] == stacks[1]
    inspections = {each["inspection"] for report in reports for each in report["candidates"]}
    assert len(inspections) == 6


def test_an_adaptive_campaign_finds_the_fast_version(trimtab, files):
    script = '#!/usr/bin/env python3\nimport json, cedar\nprint(json.dumps({"@result": {"elapsed": abs(int(cedar.__version__[-1]) - 1) + 1}}))\n'
    requirements, context = files("cedar\nbirch\n", script=script)
    done = trimtab(
        *("campaigns", "run", requirements, "--context", context, "--engine", "process"),
        *("--plan", "adaptive", "--objective", "minimize result.elapsed", "--stacks", 7, "--output", "json"),
        check=0,
    )
    report = json.loads(done.stdout)
    best = min(report["candidates"], key=lambda each: each["figures"]["result.elapsed"])
    assert best["packages"]["cedar"] == "1.1"
    assert report["candidates"][0]["reason"] == "the newest"


def test_ctrl_c_leaves_it_and_cancel_ends_it(trimtab, files, tmp_path):
    requirements, context = files("birch\ngrove<1.2\n", script="#!/bin/sh\nsleep 60\n")
    command = ("campaigns", "run", requirements, "--context", context, "--engine", "process")
    started = trimtab.start(*command, "--plan", "all")
    deadline = time.monotonic() + 200
    while not list((tmp_path / "home" / "work").glob("*/runs/0.1.begun")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.kill(started[0], signal.SIGINT)
    done = trimtab.wait(started)
    assert done.returncode == 130
    told = done.stderr
    assert "is kept as far as it came" in told
    (only,) = json.loads(trimtab("campaigns", "list", "--output", "json", check=0).stdout)
    assert (only["state"], only["counts"]["open"]) == ("running", 1)
    trimtab("campaigns", "delete", only["id"], check=1)
    cancelled = trimtab("campaigns", "cancel", only["id"], "--output", "json", check=0)
    report = json.loads(cancelled.stdout)
    assert report["state"] == "cancelled"
    (inspection,) = json.loads(trimtab("inspections", "list", "--output", "json", check=0).stdout)
    assert inspection["state"] == "cancelled"
    assert inspection["id"] == report["candidates"][0]["inspection"]
    assert not list((tmp_path / "home" / "work").glob("inspection-*"))
    trimtab("campaigns", "delete", only["id"], check=0)
    assert json.loads(trimtab("campaigns", "list", "--output", "json", check=0).stdout) == []

"""Each benchmark runs, and writes what `make bench` makes a page of; the numbers themselves are not judged here."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

REPOSITORY = Path(__file__).parents[2]
COLUMNS = {
    "dispatch": {"subject", "handlers", "best_us"},
    "startup": {"command", "median_ms", "ratio"},
    "scale": {"servos", "kib_per_servo", "cpu_us_per_poll"},
    "overhead": {"trials", "mean_ms"},
    "aa": {"noise", "runs", "false_alarms"},
    "image_scan": {"image", "files", "scan_mb_s", "share", "peak_mib"},
    "campaign": {"stacks", "way", "named", "median", "worst"},
    "load": {"load", "rps", "p99_us", "core_share"},
    "run_overhead": {"engine", "script", "by_hand_ms", "ours_ms", "share_ms", "cpu_share_ms"},
    "stacks": {"what", "questions_s", "candidates_s"},
    "watch": {"builds", "events_s", "floor_events_s", "peak_mib"},
    "environment": {"cache", "way", "build_ms", "import_ms", "ratio"},
    "adjust": {"what", "way", "median_s", "low_s", "high_s", "ratio"},
}
IN_A_CLUSTER = {"adjust"}


@pytest.fixture
def benchmarks(monkeypatch):
    """Imports a module of the benchmarks, which are no part of the installed package."""
    monkeypatch.syspath_prepend(str(REPOSITORY))
    return lambda name: importlib.import_module(f"benchmarks.{name}")


def check(result, benchmarks):
    """It has what the report needs, and says the same after JSON."""
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["name"]
    assert result["rows"]
    assert result["aims"]
    page = benchmarks("report").markdown([result])
    assert f"## {result['name']}" in page
    assert all(aim in page for aim in result["aims"])


@pytest.mark.parametrize("name", COLUMNS)
def test_a_benchmark_in_its_quick_mode_writes_rows_and_aims(name, tmp_path, benchmarks, request):
    if name in IN_A_CLUSTER:
        request.getfixturevalue("cluster")
    file = tmp_path / "result.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.measure", name, str(file)],
        cwd=REPOSITORY,
        env={**os.environ, "TRIMTAB_BENCH_QUICK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(file.read_text())
    assert result["name"] == name
    assert result["card"]
    assert all(COLUMNS[name] <= set(row) for row in result["rows"])
    assert f"# {name}" in done.stdout
    check(result, benchmarks)


def test_the_search_benchmark_compares_samplers_on_a_service(benchmarks):
    """Its quick mode takes a minute; this is one service, and what a campaign does with it."""
    campaign, summary = benchmarks("search.campaign"), benchmarks("search.summary")
    ours = benchmarks("search.runs").OURS
    tasks = [
        task
        for task in campaign.tasks(["services"], ["random", "tpe", ours], 1, (20,))
        if task.problem == "queueing" and task.noise == 0
    ]
    rows = summary.rows(campaign.carry_out(tasks, cache=None))
    assert {row["sampler"] for row in rows} == {"random", "tpe", ours}
    assert all(0 <= row["regret"] <= 1 and row["breaches"] >= 0 for row in rows)
    at_50 = [{**row, "trials": 50} for row in rows]  # what the aims are about
    check({"name": "search", "rows": rows, "aims": summary.aims(at_50)}, benchmarks)


def test_a_benchmark_whose_module_is_not_there_has_failed_and_is_named(
    benchmarks, monkeypatch, capfd, tmp_path
):
    main = benchmarks("__main__")
    monkeypatch.setattr(main, "NAMES", ["none_such"])
    monkeypatch.setattr(main, "RESULTS", tmp_path / "results")
    assert main.main([]) == 1
    said = capfd.readouterr().err
    assert said == "there is no module benchmarks/none_such.py\nfailed to run: none_such\n"


def test_a_benchmark_that_there_is_not_is_named_with_those_there_are(benchmarks, capsys):
    assert benchmarks("__main__").main(["dispach"]) == 2
    assert "dispach; there are dispatch" in capsys.readouterr().err

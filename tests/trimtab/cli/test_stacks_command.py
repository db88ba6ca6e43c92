"""`trimtab stacks`, over a local index."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from trimtab.cli import app

pytestmark = pytest.mark.timeout(
    300
)  # each asks the resolver many times, on a machine that does other things

_spec = importlib.util.spec_from_file_location(
    "local_index", Path(__file__).parents[1] / "stacks" / "local_index.py"
)
local_index = importlib.util.module_from_spec(_spec)
sys.modules.setdefault("local_index", local_index)
_spec.loader.exec_module(local_index)


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    server = local_index.Server(local_index.shop(tmp_path_factory.mktemp("shop") / "index"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def run(index, home, tmp_path, monkeypatch):
    """Run a command on requirements, with this index as the configured one."""
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_INDEX", "UV_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("UV_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)

    def run(command, text, *options, name="requirements.in"):
        path = tmp_path / name
        path.write_text(text)
        arguments = ["stacks", command, str(path), "--home", str(home), *map(str, options)]
        return CliRunner().invoke(app, arguments)

    return run


def test_count_says_how_many_and_that_it_is_exact(run):
    result = run("count", "web<1.7\napi<1.7\n", "--newest", 4)
    assert result.exit_code == 0, result.output
    assert "Combinations  16" in result.output
    assert "12, all of them resolved" in result.output


def test_count_says_how_sure_an_estimate_is(run):
    result = run("count", "web\napi\n", "--samples", 16, "--seed", 1, "--output", "json")
    found = json.loads(result.output)["count"]
    assert (found["combinations"], found["tried"], found["exact"], found["confidence"]) == (
        100,
        16,
        False,
        0.95,
    )
    assert found["low"] <= 75 <= found["high"]
    assert found["low"] <= found["estimate"] <= found["high"]


def test_the_table_of_candidates_says_what_each_is_for_and_what_became_of_the_others(run):
    result = run("candidates", "web<1.7\napi<1.7\n", "--plan", "all", "--newest", 4, "--count", 50)
    assert result.exit_code == 0, result.output
    assert "combination 1 of 16" in result.output
    assert "12 shown of 12 candidates from 16 proposals: 4 had no stack, 0 were kept out" in result.output


def test_the_same_seed_writes_the_same_locks(run, tmp_path):
    texts = []
    for name in ("one", "two"):
        result = run("candidates", "web\ndb\n", "--count", 3, "--seed", 5, "--directory", tmp_path / name)
        assert result.exit_code == 0, result.output
        texts.append([(tmp_path / name / str(each) / "requirements.txt").read_text() for each in (1, 2, 3)])
    assert texts[0] == texts[1]
    assert len(set(texts[0])) == 3


def test_a_directory_with_something_in_it_is_refused_before_anything_is_done(run, tmp_path):
    result = run("candidates", "web\n", "--directory", tmp_path)
    assert result.exit_code == 2
    assert "is not empty" in result.output


def test_json_is_enough_to_search_again(run):
    document = json.loads(
        run(
            "candidates",
            "web\ndb\n",
            "--count",
            2,
            "--seed",
            9,
            "--index-date",
            "2024-06-15",
            "--output",
            "json",
        ).output
    )
    assert document["plan"] == "random"
    assert document["seed"] == 9
    assert document["target"]["index_date"] == "2024-06-16T00:00:00+00:00"
    assert document["space"]["packages"]["web"] == ["1.5", "1.4", "1.3", "1.2", "1.1", "1.0"]
    assert [each["number"] for each in document["candidates"]] == [1, 2]
    assert {each["sieve"] for each in document["exclusions"]} == {"platform"}
    tally = document["tally"]
    assert (
        tally["proposed"] == tally["found"] + tally["unsatisfiable"] + tally["excluded"] + tally["duplicates"]
    )


def test_bisect_goes_on_with_each_verdict_until_the_culprit_is_named(run, tmp_path):
    good, bad, verdicts = (tmp_path / name for name in ("good.txt", "bad.txt", "verdicts.json"))
    good.write_text("web==1.5\ndb==0.0\ncore==2.0\n")
    bad.write_text("web==1.9\ndb==0.7\ncore==2.4\n")
    told = {}
    for _ in range(10):
        verdicts.write_text(json.dumps(told))
        options = (
            "--plan",
            "bisect",
            "--good",
            good,
            "--bad",
            bad,
            "--verdicts",
            verdicts,
            "--output",
            "json",
        )
        document = json.loads(run("candidates", "web\ndb\n", *options).output)
        if document["conclusion"]:
            break
        (asked,) = document["candidates"]
        told[asked["stack"][:12]] = "fail" if float(asked["packages"]["db"]) >= 0.4 else "pass"
    assert document["conclusion"] == {"culprits": [["db", "0.4"]], "alone": True}
    assert len(told) <= 5
    shown = run("candidates", "web\ndb\n", *options[:-2])
    assert shown.exit_code == 3
    assert "It breaks at db 0.4; it fails alone." in shown.output


def test_newest_ends_at_the_verdict_that_passes(run, tmp_path):
    verdicts = tmp_path / "verdicts.json"
    first = json.loads(
        run("candidates", "web\n", "--plan", "newest", "--count", 1, "--output", "json").output
    )
    verdicts.write_text(json.dumps({first["candidates"][0]["stack"]: "pass"}))
    result = run("candidates", "web\n", "--plan", "newest", "--verdicts", verdicts)
    assert "The newest that passes is" in result.output


def test_around_a_lock_says_what_each_changes(run, tmp_path):
    """What else the lock holds is no difference."""
    lock = tmp_path / "lock.txt"
    lock.write_text("web==1.6\ncore==2.1\ntool==1.0\n")
    result = run("candidates", "web\n", "--plan", "around", "--lock", lock, "--count", 2, "--output", "table")
    assert result.exit_code == 0, result.output
    assert "web 1.6 → 1.7  web 1.7" in result.output
    assert "web 1.6 → 1.5  web 1.5" in result.output
    assert "tool" not in result.output


@pytest.mark.parametrize(
    ("text", "options", "code", "message"),
    [
        ("web>=1.5\napi<1.5\n", (), 1, "uv explains:"),
        ("web>=\n", (), 2, "is no requirement"),
        ("", (), 2, "requires nothing"),
        ("web\n", ("--count", 0), 2, "--count"),
        ("web\n", ("--plan", "pairwise"), 2, "needs 2 packages with a choice of versions, and there are 1"),
        ("web\n", ("--plan", "bisect"), 2, "needs --good and --bad"),
        ("web\n", ("--good", "x"), 2, "are for --plan bisect"),
        ("web\n", ("--lock", "x"), 2, "--lock is for --plan around"),
        ("web\n", ("--plan", "around"), 2, "the lock has none of web"),
        ("web\n", ("--index-date", "tomorrow"), 2, "is no date"),
        ("web\n", ("--python", "2.7"), 2, "is no version of Python 3"),
        ("web\n", ("--vary", "nothing"), 2, "is in no stack"),
        ("web\n", ("--accept", "CVE-1"), 2, "give them by --osv"),
        ("web\n", ("--rules", "/nonexistent"), 2, "No such file"),
        ("web\n", ("--verdicts", "/nonexistent"), 2, "No such file"),
        ("web\n", ("--extra", "fast"), 2, "only a pyproject.toml has extras"),
    ],
)
def test_what_is_asked_wrongly_is_one_message_with_a_remedy(run, text, options, code, message):
    result = run("candidates", text, *options)
    assert result.exit_code == code
    assert message in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("text", ["[]", '{"abc": "pass"}', '{"0123456789abcdef": "good"}'])
def test_verdicts_that_are_none_are_refused(run, text, tmp_path):
    path = tmp_path / "verdicts.json"
    path.write_text(text)
    result = run("candidates", "web\n", "--verdicts", path)
    assert result.exit_code == 2
    assert "verdicts" in result.output


def test_help_has_examples():
    for command in ("count", "candidates"):
        shown = CliRunner().invoke(app, ["stacks", command, "--help"]).output
        assert "Examples:\n" in shown
        assert f"trimtab stacks {command} " in shown


def test_an_interrupted_search_ends_at_once_and_leaves_no_process(tmp_path):
    """Also while an index does not come to an end with its answer."""
    server = local_index.Server(local_index.LocalIndex(tmp_path / "index"))
    silent = threading.Event()
    server.answer = lambda *_: silent.wait() and None
    path = tmp_path / "requirements.in"
    path.write_text("web\n")
    environment = {**os.environ, "PIP_CONFIG_FILE": "/dev/null", "UV_DEFAULT_INDEX": server.url}
    command = ["stacks", "count", str(path), "--home", str(tmp_path / "home")]
    code = "import sys; from trimtab.cli import main; sys.argv = sys.argv[1:]; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "trimtab", *command], env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 120
        while not server.index.asked and time.monotonic() < deadline:
            time.sleep(0.05)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
        silent.set()
        server.close()
    assert process.returncode == 130
    assert said.strip() == "Error: interrupted"
    assert children
    assert not psutil.wait_procs(children, timeout=10)[1]

"""The example: thirty stacks of packages of the index that this machine is configured to use, inspected, and reported."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

EXAMPLE = Path(__file__).parents[3] / "examples" / "campaign"
STACKS = 30


def trimtab(home, *arguments):
    program = Path(sys.executable).with_name("trimtab")
    command = [program, *map(str, arguments), "--home", str(home)]
    return subprocess.run(command, capture_output=True, text=True, timeout=800, check=False)


def shape(document):
    """What a report has, whatever its figures are: its keys, and those of what is in its lists."""
    return {
        name: set(value[0])
        if isinstance(value, list) and value and isinstance(value[0], dict)
        else type(value)
        for name, value in document.items()
    }


def test_the_report_that_is_kept_tells_nothing_of_the_machine_it_was_made_on():
    texts = [(EXAMPLE / f"report.{suffix}").read_text() for suffix in ("html", "json")]
    for text in texts:
        assert len(text) < 1_000_000
        assert set(re.findall(r"https?://[^\"'<> ]+", text)) <= {"http://www.w3.org/2000/svg"}
        assert not re.search(r"/(root|work|tmp)/", text)
    assert json.loads(texts[1])["stacks"] == STACKS
    assert "jinja2&gt;=2.11.0,&lt;=2.11.3 breaks" in texts[0]


def test_thirty_stacks_of_real_packages_are_inspected_and_reported(tmp_path):
    assert json.loads((EXAMPLE / "context.json").read_text())["script"] == (EXAMPLE / "render.py").read_text()
    done = trimtab(
        tmp_path,
        *("campaigns", "run", EXAMPLE / "requirements.txt", "--context", EXAMPLE / "context.json"),
        *("--plan", "random", "--newest", 15, "--stacks", STACKS, "--engine", "process", "--output", "json"),
    )
    if done.returncode == 1 and "does not answer" in done.stderr:
        pytest.skip(f"no index with these packages: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    counts = report["counts"]
    assert counts["candidates"] == STACKS == counts["pass"] + counts["fail"]
    assert len({each["stack"] for each in report["candidates"]}) == STACKS
    # Jinja2 before 3.0 asks MarkupSafe for what later ones have not, and of earlier ones there is no wheel.
    for each in report["candidates"]:
        old = each["packages"]["jinja2"].startswith("2.")
        assert (each["verdict"] == "fail") is old
        assert not old or "soft_unicode" in each["failure"]["message"]
    written = trimtab(
        tmp_path,
        "campaigns",
        "report",
        report["id"],
        "--objective",
        "minimize result.seconds",
        "--directory",
        tmp_path / "report",
    )
    assert written.returncode == 0, written.stderr
    answers = json.loads((tmp_path / "report" / "report.json").read_text())
    assert (answers["passed"], answers["failed"]) == (counts["pass"], counts["fail"])
    assert (tmp_path / "report" / "requirements.txt").read_text().count("==") >= 5
    assert "<svg" in (tmp_path / "report" / "report.html").read_text()
    assert shape(answers) == shape(json.loads((EXAMPLE / "report.json").read_text()))
    (front,) = answers["pareto"]
    assert front["metrics"] == ["size", "duration", "memory"]

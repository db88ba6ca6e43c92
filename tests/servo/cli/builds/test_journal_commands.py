"""`servo builds list`, `show`, `retry` and `recover`: what the journal says, and to whom it does no harm."""

from __future__ import annotations

import json
import os
import sqlite3

import pytest

from servo.connectors.builds.build import Build, Image, Phase
from servo.connectors.builds.journal import records
from servo.connectors.builds.journal.schema import connect

HOSTILE = "\x1b]0;owned\x07<script>alert(1)</script>\x9b2J\u202e'; DROP TABLE builds; --\n$(id)"


def build(identity, **values):
    return Build(identity, **{"name": "app", "source": "list", "phase": Phase.failed, **values})


@pytest.fixture
def journal(tmp_path):
    """Write into the journal that the commands read."""
    db = connect(tmp_path / ".servo" / "builds.sqlite")
    yield db
    db.close()


@pytest.fixture
def listed(servo):
    def run(*args):
        result = servo("builds", "list", "--output", "json", *args)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    return run


def fill(db):
    records.see(db, [build("one"), build("two", phase=Phase.complete), build("three")], "list", None, 1e9)
    records.submitted(
        db, [(records.one(db, "one").sequence, '{"build_analysis": {"analysis_id": "b"}}')], 1e9
    )
    records.buried(db, "two", "400: no", 1e9)


def test_builds_are_listed_the_newest_first(journal, listed):
    fill(journal)
    assert [each["identity"] for each in listed()] == ["three", "two", "one"]
    assert [each["identity"] for each in listed("--limit", "2")] == ["three", "two"]
    assert [each["identity"] for each in listed("--state", "submitted")] == ["one"]
    assert listed("--state", "tombstone") == [
        {"identity": "two", "name": "app", "phase": "complete", "state": "tombstone", "seen": "2001-09-09T01:46:40+00:00", "attempts": 1, "reason": "400: no"}
    ]  # fmt: skip


def test_for_people_it_is_a_table(journal, servo):
    fill(journal)
    lines = servo("builds", "list").stdout.splitlines()
    assert lines[0].split() == ["IDENTITY", "NAME", "PHASE", "STATE", "SEEN", "ATTEMPTS", "REASON"]
    assert lines[2].split() == [
        "two",
        "app",
        "complete",
        "tombstone",
        "2001-09-09T01:46:40+00:00",
        "1",
        "400:",
        "no",
    ]


@pytest.fixture
def hostile(journal):
    records.see(journal, [build("evil", name=HOSTILE, labels={HOSTILE: HOSTILE}, base=Image(HOSTILE, None, HOSTILE))], "list", None, 1e9)  # fmt: skip
    records.buried(journal, "evil", HOSTILE, 1e9)
    return journal


@pytest.mark.parametrize(
    "command",
    [["list"], ["list", "--output", "json"], ["show", "evil"], ["retry", HOSTILE], ["show", HOSTILE]],
)
def test_what_a_stranger_called_a_build_moves_no_terminal(hostile, servo, command):
    result = servo("builds", *command)
    text = result.stdout + result.stderr
    assert [each for each in text if not each.isprintable() and each != "\n"] == []
    assert hostile.execute("SELECT count(*) FROM builds").fetchone() == (1,)


def test_and_programs_are_told_what_it_was(hostile, servo):
    told = json.loads(servo("builds", "show", "evil").stdout)
    assert told["build"]["name"] == HOSTILE
    assert told["build"]["labels"] == {HOSTILE: HOSTILE}
    assert told["reason"] == HOSTILE


def test_one_is_shown_with_all_that_is_known(journal, servo):
    fill(journal)
    told = json.loads(servo("builds", "show", "one").stdout)
    assert (told["state"], told["attempts"], told["due_at"]) == ("submitted", 1, None)
    assert told["answer"] == {"build_analysis": {"analysis_id": "b"}}
    assert told["build"] == {"identity": "one", "name": "app", "source": "list", "phase": "failed"}


def test_one_that_is_not_there_is_told(journal, servo):
    result = servo("builds", "show", "none")
    assert result.exit_code == 1
    assert result.stderr == "Error: there is no build none in the journal: see `servo builds list`\n"


def test_tombstones_are_tried_again_by_name_or_all(journal, servo, listed):
    fill(journal)
    records.buried(journal, "three", "400: no", 1e9)
    assert servo("builds", "retry", "two", "one").stdout == "1 will be tried again\n"
    assert [each["identity"] for each in listed("--state", "waiting")] == ["two"]
    assert servo("builds", "retry", "--all").stdout == "1 will be tried again\n"
    assert servo("builds", "retry", "--all").exit_code == 0  # none is left, and none was asked for by name
    assert servo("builds", "retry", "one").exit_code == 1


@pytest.mark.parametrize("args", [[], ["one", "--all"]])
def test_which_ones_has_to_be_said(journal, servo, args):
    result = servo("builds", "retry", *args)
    assert (result.exit_code, result.stderr) == (2, "Error: name builds, or give --all\n")


@pytest.mark.parametrize("command", [["list"], ["show", "x"], ["retry", "--all"]])
def test_a_journal_that_is_not_there_is_not_made(servo, tmp_path, command):
    result = servo("builds", *command)
    assert result.exit_code == 2
    assert "there is no journal .servo/builds.sqlite: name it with --journal" in result.stderr
    assert not (tmp_path / ".servo").exists()


def test_where_the_journal_is_may_be_said_in_three_ways(servo, config, tmp_path, monkeypatch):
    for name in ("option", "variable", "file"):
        db = connect(tmp_path / name)
        records.see(db, [build(name)], "list", None, 1.0)
        db.close()
    config("builds: {backend: {url: 'http://b.example'}, journal: file}")
    assert json.loads(servo("builds", "list", "--output", "json").stdout)[0]["identity"] == "file"
    monkeypatch.setenv("SERVO_BUILDS_JOURNAL", "variable")
    assert json.loads(servo("builds", "list", "--output", "json").stdout)[0]["identity"] == "variable"
    given = servo("builds", "list", "--output", "json", "--journal", "option")
    assert json.loads(given.stdout)[0]["identity"] == "option"


def test_what_is_left_of_a_truncated_journal_is_saved(servo, tmp_path, listed):
    path = tmp_path / ".servo" / "builds.sqlite"
    db = connect(path)
    db.execute("BEGIN")
    records.see(db, (build(f"b{number}") for number in range(3000)), "list", None, 1.0)
    db.execute("COMMIT")
    db.close()
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)
    result = servo("builds", "recover")
    assert result.exit_code == 0
    saved = int(result.stdout.split()[0])
    assert 300 < saved < 3000
    assert len(listed("--limit", "5000")) == saved
    assert (tmp_path / result.stdout.partition("the damaged file is ")[2].strip()).exists()


def test_recovering_what_is_not_there_fails(servo):
    result = servo("builds", "recover")
    assert (result.exit_code, "there is no journal" in result.stderr) == (1, True)


def test_a_journal_of_a_newer_version_is_told(servo, tmp_path):
    path = tmp_path / "newer"
    connect(path).close()
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA user_version = 99")
    db.close()
    result = servo("builds", "list", "--journal", str(path))
    assert result.exit_code == 1
    assert "update the agent" in result.stderr

"""The journal: on disk before anything else, over kills, versions, damage and full disks."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
import textwrap
import time

import pytest

from servo.connectors.builds.build import Image, Missing, Part, Phase
from servo.connectors.builds.errors import JournalError, JournalFullError
from servo.connectors.builds.journal import Copy, Journal, State, records, recover
from servo.connectors.builds.journal.schema import APPLICATION, VERSIONS, connect


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.sqlite"


@pytest.fixture
async def journal(path):
    made = Journal(path)
    yield made
    await made.aclose()


async def seen(journal, *builds, at=100.0, position=None):
    return await journal.write(records.see, builds, "list", position, at)


async def number_of(journal, identity):
    return (await journal.read(records.one, identity)).sequence


async def test_what_was_seen_is_read_as_it_was(journal, build):
    whole = build(
        exit_code=3, started_at=1.5, finished_at=2.5, phase=Phase.failed, namespace="team", labels={"ü": "\N{SNOWMAN}"},
        base=Image("r.example/a@sha256:" + 64 * "0", "containers-storage:1", "a"), missing=(Missing(Part.log, "gone"),),
    )  # fmt: skip
    assert await seen(journal, whole) == 1
    record = await journal.read(records.one, "one")
    assert record.build == whole
    assert (record.state, record.attempts, record.due_at) == (State.waiting, 0, 100.0)


async def test_what_is_seen_again_is_not_new(journal, build):
    assert await seen(journal, build(), build("two")) == 2
    assert await seen(journal, build(name="other"), build("three")) == 1
    assert (await journal.read(records.one, "one")).build.name == "app"


async def test_builds_and_position_are_written_together(journal, build):
    await seen(journal, build(), position="41")
    assert await journal.read(records.position, "list") == "41"
    await seen(journal, position="42")
    assert await journal.read(records.position, "list") == "42"
    assert await journal.read(records.position, "other") is None


async def test_who_waits_longest_is_due_first(journal, build):
    for number in range(5):
        await seen(journal, build(f"b{number}"), at=100.0 - number)
    await journal.write(records.postponed, "b4", 200.0, "away", 99.0)
    numbers = {each.build.identity: each.sequence for each in await journal.read(records.newest, None, 9)}
    due = await journal.read(records.due, 150.0, 10, {numbers["b3"]})
    assert [each.build.identity for each in due] == ["b2", "b1", "b0"]
    assert await journal.read(records.next_due, {numbers[each] for each in ("b3", "b2", "b1", "b0")}) == 200.0
    assert await journal.read(records.next_due, numbers.values()) is None


async def test_changes_that_come_at_the_same_time_are_one_commit(journal, build):
    await seen(journal, build("first"))
    before = journal.commits
    await asyncio.gather(*(seen(journal, build(f"b{number}")) for number in range(500)))
    assert journal.commits - before <= 3
    assert (await journal.read(records.waiting))[0] == 501


async def test_a_change_that_fails_takes_nobody_with_it_who_comes_later(journal, build):
    def broken(db):
        db.execute("INSERT INTO builds (identity) VALUES ('x')")

    with pytest.raises(JournalError):
        await journal.write(broken)
    assert await seen(journal, build()) == 1


async def test_only_who_has_built_or_runs_it_may_read_it(path, journal):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_tombstones_wait_again_when_they_are_revived(journal, build):
    await seen(journal, build(), build("two"))
    await journal.write(records.buried, "one", "refused", 101.0)
    await journal.write(records.buried, "two", "refused", 101.0)
    assert [each.build.identity for each in await journal.read(records.newest, State.tombstone, 9)] == [
        "two",
        "one",
    ]
    assert await journal.write(records.revived, ["one", "none such"], 102.0) == 1
    assert await journal.write(records.revived, None, 103.0) == 1
    assert [each.seen_at for each in await journal.read(records.newest, State.waiting, 9)] == [103.0, 102.0]


async def test_what_is_over_for_long_is_forgotten_and_what_waits_is_not(journal, build):
    await seen(journal, build(), build("two"), build("three"))
    await journal.write(records.submitted, [(await number_of(journal, "one"), "{}")], 110.0)
    await journal.write(records.buried, "two", "x", 210.0)
    assert await journal.write(records.pruned, 200.0, 10) == 1
    assert await journal.read(records.counts) == {"tombstone": 1, "waiting": 1}


async def test_an_event_of_an_engine_is_known_by_the_run_it_tells_of(journal, build):
    running = build("run-1", source="run", started_at=100.0, phase=Phase.error)
    await journal.write(records.begun, running, "podman", 100.0)
    assert await journal.write(records.wraps, "podman", "abc", 120.0) is None  # not known yet
    assert await journal.write(records.wraps, "docker", "abc", 120.0) is False
    over = build("run-1", source="run", started_at=100.0, finished_at=121.0, labels={"image_id": "abc"})
    assert await journal.write(records.ended, over, 121.0) is True
    assert await journal.write(records.ended, over, 121.0) is False
    assert await journal.write(records.wraps, "podman", None, 120.0) is False  # another one, that failed
    assert await journal.write(records.wraps, "podman", "abc", 120.0) is True
    assert (
        await journal.write(records.wraps, "podman", "abc", 120.0) is False
    )  # a second build of the same image


async def test_a_copy_is_shared_by_whoever_points_to_the_same_manifest(journal, build):
    await seen(journal, build(), build("two"))
    first = Copy("one", Part.output, "r.example/a:1", "sha256:1", 1.0, 10.0)
    other = Copy("two", Part.output, "r.example/a:2", "sha256:1", 1.0, 100.0)
    await journal.write(records.copied, first)
    await journal.write(records.copied, other)
    assert await journal.read(records.expired, 50.0, 9) == []  # its build waits
    await journal.write(records.submitted, [(await number_of(journal, "one"), "{}")], 20.0)
    assert await journal.read(records.expired, 50.0, 9) == [first]
    assert await journal.read(records.shared, first, 50.0) is True
    assert await journal.read(records.shared, first, 150.0) is False
    await journal.write(records.uncopied, first)
    assert await journal.read(records.copies, "one") == {}


@pytest.fixture(params=range(1, len(VERSIONS)))
def older(request, path, build):
    """A journal of an older version with two builds, one of which was sent."""
    db = sqlite3.connect(path, isolation_level=None)
    for statements in VERSIONS[: request.param]:
        for statement in statements:
            db.execute(statement)
    db.execute(f"PRAGMA user_version = {request.param}")
    db.execute(f"PRAGMA application_id = {APPLICATION}")
    records.see(db, [build(), build("two")], "list", "7", time.time())
    records.submitted(db, [(1, "{}")], time.time())
    db.close()
    return path


async def test_a_journal_of_an_older_version_is_brought_up_to_date(older):
    journal = Journal(older)
    assert (await journal.read(records.one, "two")).state is State.waiting
    assert await journal.read(records.copies, "one") == {}
    await journal.aclose()
    with sqlite3.connect(older) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == len(VERSIONS)
    db.close()


async def test_an_agent_goes_on_with_a_journal_of_an_older_version(
    older, agent, source, backend, build, until
):
    await agent()
    await until(lambda: source.positions == ["7"])
    source.show(build(), build("three"))
    await until(lambda: len(backend.taken) == 2)
    assert set(backend.taken) == {"two", "three"}


async def test_what_may_be_forgotten_is_found_without_reading_all(journal):
    """A journal remembers months; it is looked through each minute."""

    def plan(db):
        found = []
        db.set_trace_callback(found.append)
        records.pruned(db, 1.0, 10)
        db.set_trace_callback(None)
        return " ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {found[-1]}"))

    assert "builds_over" in await journal.write(plan)


def test_a_journal_of_a_newer_version_is_left_alone(path):
    connect(path).close()
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA user_version = 99")
    db.close()
    before = path.read_bytes()
    with pytest.raises(JournalError, match="of version 99, and this agent knows 3: update the agent"):
        Journal(path)
    assert path.read_bytes() == before


def test_another_database_is_left_alone(path):
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE mine (x)")
    db.commit()
    db.close()
    with pytest.raises(JournalError, match="no journal of builds"):
        Journal(path)


def test_a_text_is_no_journal(path):
    path.write_text("hello" * 1000)
    with pytest.raises(JournalError, match="servo builds recover"):
        Journal(path)


async def filled(path, build, count=3000):
    journal = Journal(path)
    await seen(journal, *(build(f"b{number}") for number in range(count)), position="9")
    await journal.aclose()


async def test_a_truncated_journal_is_noticed_and_what_is_left_is_saved(path, build):
    await filled(path, build)
    size = path.stat().st_size
    os.truncate(path, size * 2 // 3 // 4096 * 4096)
    with pytest.raises(JournalError, match="servo builds recover"):
        Journal(path, thorough=True)
    saved, kept = recover(path)
    assert kept.exists()
    assert 500 < saved < 3000
    journal = Journal(path, thorough=True)
    assert (await journal.read(records.waiting))[0] == saved
    assert await seen(journal, build("new")) == 1
    await journal.aclose()


def test_recovering_nothing_is_an_error(path):
    with pytest.raises(JournalError, match="there is no journal"):
        recover(path)


async def test_a_full_disk_is_waited_for(path, build, tmp_path):
    """In a process of its own, whose files may not grow; what was promised before is there afterwards."""
    program = textwrap.dedent(
        """
        import asyncio, resource, signal, sys
        from pathlib import Path
        from servo.connectors.builds.build import Build, Phase
        from servo.connectors.builds.errors import JournalFullError
        from servo.connectors.builds.journal import Journal, records

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

        def builds(start, count):
            return [Build(f"b{n}", "x" * 500, "list", Phase.failed) for n in range(start, start + count)]

        async def main(path):
            journal = Journal(path)
            soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, hard))
            written = 0
            try:
                while True:
                    await journal.write(records.see, builds(written, 100), "list", str(written), 1.0)
                    written += 100
            except JournalFullError as error:
                print("full", written, error)
            assert (await journal.read(records.waiting))[0] == written
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            await journal.write(records.see, builds(written, 100), "list", "later", 1.0)
            print("then", (await journal.read(records.waiting))[0] - written)
            await journal.aclose()

        asyncio.run(main(Path(sys.argv[1])))
        """
    )
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    full, then = done.stdout.splitlines()
    assert full.startswith("full ")
    assert "cannot be written just now" in full
    assert then == "then 100"


async def test_the_agent_goes_on_when_there_is_room_again(agent, source, backend, build, until):
    running = await agent()
    original, failing = running.journal._transaction, [True]

    def transaction(works):
        if failing[0]:
            raise JournalFullError("no room")
        return original(works)

    running.journal._transaction = transaction
    source.show(build())
    await until(lambda: running.metrics.total("build_watcher_journal_errors_total"))
    assert not backend.requests  # not sent before it is written down
    assert "no room" in running.trouble()
    failing[0] = False
    await until(lambda: backend.taken)
    await until(lambda: running.metrics.total("build_watcher_builds_total", outcome="submitted"))


async def test_what_was_sent_is_not_sent_again_because_the_disk_was_full(
    agent, source, backend, build, until
):
    running = await agent()
    original, failing = running.journal._transaction, [False]

    def transaction(works):
        if failing[0] and any(change is records.submitted for change, *_ in works):
            raise JournalFullError("no room")
        return original(works)

    running.journal._transaction = transaction
    failing[0] = True
    source.show(build())
    await until(lambda: running.metrics.total("build_watcher_journal_errors_total"))
    failing[0] = False

    async def submitted():
        return (await running.journal.read(records.counts)).get("submitted")

    await until(submitted)
    assert len(backend.requests) == 1

"""Who is alive: locks that end with their holder."""

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from trimtab.workflows.executors import Files, Sessions, executors

HOLDER = """
import sys, pathlib
from trimtab.workflows.executors import Files
files = Files(pathlib.Path(sys.argv[1]))
files.hold(sys.argv[2])
print("held", flush=True)
sys.stdin.read()
"""


def test_a_file_is_given_up_when_its_holder_is_killed(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path, "other"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        mine = Files(tmp_path)
        assert mine.hold("mine")
        assert mine.dead(["other", "mine", "unknown"]) == ["unknown"]
        holder.send_signal(signal.SIGKILL)
        holder.wait(30)
        assert mine.dead(["other", "mine"]) == ["other"]
    mine.close()
    assert list(tmp_path.iterdir()) == []


class Holders(RuleBasedStateMachine):
    """Some hold, some gave up: everybody sees of everybody else whether they live."""

    def __init__(self):
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.holders = {str(number): Files(self.directory) for number in range(3)}
        self.alive = set()

    @rule(name=st.sampled_from("012"))
    def hold(self, name):
        assert self.holders[name].hold(name)
        self.alive.add(name)

    @rule(name=st.sampled_from("012"))
    def close(self, name):
        self.holders[name].close()
        self.alive.discard(name)

    @invariant()
    def all_see_the_same(self):
        for each in self.holders.values():
            assert set(each.dead("012")) == set("012") - self.alive

    def teardown(self):
        for each in self.holders.values():
            each.close()
        shutil.rmtree(self.directory)


TestHolders = Holders.TestCase


@pytest.fixture
def engine(new_postgresql):
    url = sa.make_url(new_postgresql()).set(drivername="postgresql+psycopg")
    made = sa.create_engine(url, pool_pre_ping=True)
    yield made
    made.dispose()


@pytest.mark.integration
def test_a_session_gives_its_lock_up_when_it_ends_and_counts_as_dead_after_a_while(engine):
    first, second = Sessions(engine, 0.2), Sessions(engine, 0.2)
    assert first.hold("first")
    assert second.hold("second")
    assert first.dead(["second"]) == second.dead(["first"]) == []
    first.close()
    assert second.dead(["first"]) == []  # it may only have been cut off
    time.sleep(0.3)
    assert second.dead(["first"]) == ["first"]
    second.close()


@pytest.mark.integration
def test_who_was_cut_off_for_a_moment_is_not_dead(engine):
    first, second = Sessions(engine, 0.2), Sessions(engine, 0.2)
    assert first.hold("first")
    assert second.hold("second")
    end_sessions(engine)
    assert first.hold("first")
    assert second.hold("second")
    time.sleep(0.3)
    assert second.dead(["first"]) == first.dead(["second"]) == []
    first.close()
    second.close()


@pytest.mark.integration
def test_who_was_cut_off_itself_has_not_seen_others_missing(engine):
    """Their locks were free at the same time, for the same reason."""
    mine = Sessions(engine, 0.2)
    assert mine.hold("mine")
    assert mine.dead(["other"]) == []
    end_sessions(engine)
    time.sleep(0.3)
    assert mine.hold("mine")
    assert mine.dead(["other"]) == []
    mine.close()


def end_sessions(engine):
    with engine.connect() as connection:
        connection.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


@pytest.fixture
def database_of_each_kind(database_url, open_database):
    return open_database(database_url)


def test_each_kind_of_database_has_its_own(database_of_each_kind):
    held = executors(database_of_each_kind, 0.0)
    assert isinstance(held, Files if database_of_each_kind.is_sqlite else Sessions)
    assert held.hold("mine")
    assert held.dead(["mine", "other"]) == ["other"]
    held.close()

"""What is in the queue: kept, wished to end, and never begun once that is wished."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from trimtab.catalog import (
    TERMINAL,
    Database,
    Documents,
    InspectionState,
    RunDocuments,
    accept,
    advance,
    record,
    record_run,
    submissions,
)
from trimtab.catalog import inspections as catalog

ID = "inspection-261127011902-80ac6d5340ebe425"
SPECIFICATION = {"base": "fedora:40", "batch_size": 1, "script": "#!/bin/sh"}
GOING = [InspectionState.BUILDING, InspectionState.RUNNING]
ENDINGS = [InspectionState.CANCELLED, InspectionState.EXPIRED]


def put(connection, inspection_id=ID, created=1.0, deployment="test"):
    accept(connection, inspection_id, SPECIFICATION, created_at=created)
    submissions.keep(connection, inspection_id, deployment, {"id": inspection_id})


def end(connection, state):
    record(
        connection,
        Documents(ID, SPECIFICATION, {"state": state.value, "created": "2026-11-27T00:00:00+00:00"}),
    )


@pytest.fixture
def kept(any_database):
    with any_database.write() as connection:
        put(connection)
    return any_database


@pytest.fixture
def any_database(database_url, open_database):
    return open_database(database_url)


def test_what_is_kept_is_found_with_its_state_until_it_is_done(kept):
    with kept.write() as connection:
        row = submissions.by_id(connection, ID)
        assert (row["document"], row["state"], row["ending"]) == ({"id": ID}, "queued", None)
        put(connection)  # twice is once
        submissions.done(connection, ID)
        assert submissions.by_id(connection, ID) is None


def test_what_waits_is_found_by_its_age_and_of_ones_own_deployment(kept):
    with kept.write() as connection:
        put(connection, "inspection-261127011903-80ac6d5340ebe425", created=3.0)
        put(connection, "inspection-261127011904-80ac6d5340ebe425", deployment="other")
        assert list(submissions.late(connection, "test", 2.0)) == [ID]
        assert submissions.wish(connection, ID, InspectionState.EXPIRED, queued=True)
        assert list(submissions.late(connection, "test", 2.0)) == []
        assert [each["inspection_id"] for each in submissions.ended(connection, "test")] == [ID]


def test_who_makes_it_hears_of_the_wish_and_of_a_deletion(kept):
    with kept.write() as connection:
        assert submissions.endings(connection, [ID]) == {}
        submissions.wish(connection, ID, InspectionState.CANCELLED)
        assert submissions.endings(connection, [ID]) == {ID: InspectionState.CANCELLED}
        catalog.delete(connection, ID)
        assert submissions.endings(connection, [ID]) == {ID: None}
        assert submissions.by_id(connection, ID) is None


def test_what_no_queue_has_cannot_be_wished_to_end(any_database):
    with any_database.write() as connection:
        accept(connection, ID, SPECIFICATION, created_at=1.0)
        assert not submissions.wish(connection, ID, InspectionState.CANCELLED)
        assert not submissions.wish(connection, "unknown", InspectionState.CANCELLED)


def test_whoever_takes_over_finds_what_was_said_of_runs_and_later_nobody_does(kept):
    report = {"item": 0, "attempt": 1, "state": "running", "started": "2026-11-27T00:00:00+00:00"}
    with kept.write() as connection:
        record_run(connection, ID, RunDocuments(0, report=report))
        assert submissions.reports(connection, ID) == [report]
        end(connection, InspectionState.FAILED)
        assert submissions.reports(connection, ID) == []


class Course(RuleBasedStateMachine):
    """Whoever begins, wishes and concludes at the same time: it ends once, and is not begun when its end is wished."""

    def __init__(self):
        super().__init__()
        self.database = Database(f"sqlite:///{self.make_path()}")
        with self.database.write() as connection:
            put(connection)
        self.state, self.ending = InspectionState.QUEUED, None

    @rule(state=st.sampled_from(GOING))
    def advance(self, state):
        with self.database.write() as connection:
            went = advance(connection, ID, state)
        assert went == (self.state not in TERMINAL and self.ending is None)
        if went:
            self.state = state

    @rule(ending=st.sampled_from(ENDINGS), queued=st.booleans())
    def wish(self, ending, queued):
        with self.database.write() as connection:
            wished = submissions.wish(connection, ID, ending, queued=queued)
        possible = self.state not in TERMINAL and not (queued and self.state is not InspectionState.QUEUED)
        if possible:
            self.ending = self.ending or ending
        assert wished == (possible and self.ending is ending)

    @rule(state=st.sampled_from(sorted(TERMINAL)))
    def conclude(self, state):
        """The report decides, which the store keeps once: here, the first."""
        self.state = self.state if self.state in TERMINAL else state
        with self.database.write() as connection:
            end(connection, self.state)

    @invariant()
    def the_rows_say_so(self):
        with self.database.read() as connection:
            row = submissions.by_id(connection, ID)
        assert (row["state"], row["ending"]) == (self.state, self.ending)

    def teardown(self):
        self.database.close()


@pytest.fixture(autouse=True)
def _paths(tmp_path_factory):
    Course.make_path = staticmethod(lambda: tmp_path_factory.mktemp("course") / "trimtab.sqlite")


TestCourse = Course.TestCase
TestCourse.settings = settings(max_examples=20, stateful_step_count=12, deadline=None)

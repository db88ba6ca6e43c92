"""The queue: put in with the rows, taken once, given back, forgotten."""

import asyncio
import logging
import threading
import time
from contextlib import suppress

import pytest

from trimtab.workflows import Line
from trimtab.workflows.queue import Queue

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

FIRST, SECOND = "inspection-261127011902-80ac6d5340ebe425", "inspection-261127011903-80ac6d5340ebe425"


@pytest.fixture
def opened(database_url, open_database):
    database = open_database(database_url)
    queue = Queue(database)
    yield database, queue
    queue.close()


def put(opened, *ids):
    database, queue = opened
    with database.write() as connection:
        for each in ids:
            queue.put(connection, "inspection", "test/process", each)


class Taking:
    """Takes from the queue, and makes what is let through."""

    def __init__(self, queue, executor):
        self.queue, self.executor = queue, executor
        self.taken, self.through, self.changed = [], threading.Event(), threading.Condition()

    async def make(self, inspection_id):
        with self.changed:
            self.taken.append(inspection_id)
            self.changed.notify_all()
        if not await asyncio.to_thread(self.through.wait, 60):
            raise asyncio.CancelledError
        return "succeeded"

    def __enter__(self):
        self.queue.start(self.executor, {"inspection": self.make}, [Line("test/process", 1)])
        return self

    def until(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.taken) >= count, 60)

    def __exit__(self, *_):
        self.through.set()
        self.queue.stop()


def test_what_is_not_committed_was_not_put(opened):
    database, queue = opened
    with suppress(RuntimeError), database.write() as connection:
        queue.put(connection, "inspection", "test/process", FIRST)
        raise RuntimeError
    put(opened, SECOND)
    with Taking(queue, "mine") as taking:
        taking.until(1)
        assert taking.taken == [SECOND]


def test_it_is_taken_in_order_each_once_and_not_more_at_a_time_than_asked(opened):
    _, queue = opened
    put(opened, FIRST)
    put(opened, SECOND, FIRST)
    with Taking(queue, "mine") as taking:
        taking.until(1)
        assert queue.taken() == {"mine": [FIRST]}
        taking.through.set()
        taking.until(2)
    assert taking.taken == [FIRST, SECOND]


def test_what_the_dead_had_is_given_back_and_what_the_living_have_is_not(opened):
    _, queue = opened
    put(opened, FIRST)
    with Taking(queue, "dead") as taking:
        taking.until(1)
        queue.give_back("other", [FIRST])
        assert queue.taken() == {"dead": [FIRST]}
        queue.give_back("dead", [FIRST])
        assert queue.taken() == {}


def test_what_is_over_is_forgotten_and_can_be_put_again(opened):
    _, queue = opened
    put(opened, FIRST)
    with Taking(queue, "mine") as taking:
        taking.through.set()
        taking.until(1)
        while queue.taken():
            time.sleep(0.05)
        put(opened, FIRST)  # over, and known: nothing happens
        queue.sweep(-10)
        put(opened, FIRST)
        taking.until(2)
    assert taking.taken == [FIRST, FIRST]


def test_what_is_being_taken_when_it_stops_is_handed_over_and_not_dropped(opened, monkeypatch, caplog):
    import dbos._queue as dequeuing

    _, queue = opened
    begun, hand_over = threading.Event(), dequeuing.execute_dequeued_workflow

    def late(dbos, status, owner):
        begun.set()
        assert dbos.background_thread_stop_events[0].wait(60)
        loop, deadline = dbos._background_event_loop, time.monotonic() + 1
        while loop._running and time.monotonic() < deadline:  # as long as the end lets it
            time.sleep(0.01)
        return hand_over(dbos, status, owner)

    monkeypatch.setattr(dequeuing, "execute_dequeued_workflow", late)
    put(opened, FIRST)
    with Taking(queue, "one"):
        assert begun.wait(60)
    assert not [each.message for each in caplog.records if "Error executing" in each.message]
    assert queue.taken() in ({"one": [FIRST]}, {})


def test_a_thread_that_is_only_being_started_does_not_disturb_the_end(opened, monkeypatch):
    _, queue = opened
    unborn = threading.Thread(name="queue-worker-unborn")
    listed = threading.enumerate
    with Taking(queue, "mine"):
        monkeypatch.setattr(threading, "enumerate", lambda: [*listed(), unborn])
    assert queue.taken() == {}


def test_it_prints_nothing_and_leaves_no_thread(opened, capfd):
    _, queue = opened
    with Taking(queue, "mine"):
        pass
    assert [each.name for each in threading.enumerate() if "queue" in each.name or "dbos" in each.name] == []
    assert capfd.readouterr() == ("", "")
    assert all(type(each) is logging.NullHandler for each in logging.getLogger("dbos").handlers)


def test_what_is_in_the_database_is_json(opened):
    """A pickle would run as code of whoever may write there."""
    database, _ = opened
    put(opened, FIRST)
    table = "workflow_status" if database.is_sqlite else "dbos.workflow_status"
    with database.read() as connection:
        row = connection.exec_driver_sql(f"SELECT * FROM {table}").mappings().one()
    assert row["serialization"] == "portable_json"

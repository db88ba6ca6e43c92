"""Inspections in the queue: accepted, made, ended, taken over. With the process engine as it is."""

import asyncio
import json

import pytest

from trimtab.catalog import InspectionState, inspections
from trimtab.engines import EngineUnavailableError, ProcessEngine
from trimtab.inspection import Specification
from trimtab.store import Inspections, Store
from trimtab.workflows import Inspecting, Journal, Patience, Place, Submission

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

DOCUMENT = {
    "base": "registry.example/python:3.11",
    "batch_size": 2,
    "run": {"requests": {"cpu": "1", "memory": "256Mi"}, "timeout": 100},
    "script": "#!/bin/sh\necho hello\n",
}
SLOW = {"script": "#!/bin/sh\nexec sleep 1000\n", "batch_size": 1}


@pytest.fixture
def place(tmp_path, database_url, open_database):
    inspections_ = Inspections(Store.open(str(tmp_path / "store")), "test")
    return Place(open_database(database_url), inspections_, tmp_path / "home")


def submission(**changes):
    return Submission.of(Specification.parse(json.dumps(DOCUMENT | changes)), "process", deployment="test")


def worker(place, **options):
    options = {
        "engine": "process",
        "allow_process": True,
        "patience": Patience(3, 0.0),
        "grace": 0.5,
    } | options
    return Inspecting.alone(place, **options)


def rows(place, inspection_id):
    with place.database.read() as connection:
        row = inspections.by_id(connection, inspection_id)
        runs = inspections.runs_of(connection, inspection_id)
    return row["state"], [(each["item"], each["attempt"], each["state"]) for each in runs]


async def followed(worker, inspection_id, until=None):
    """The events up to the first of a kind, or all."""
    found = []
    async with asyncio.timeout(120):
        async for event in worker.follow(inspection_id):
            found.append((event.kind, event.item))
            if event.kind == until:
                break
    return found


async def test_what_is_submitted_is_made_once_and_told_of(place):
    async with worker(place) as working:
        asked = submission()
        assert await working.submit(asked) == asked.id
        assert await working.submit(asked) == asked.id
        events = await followed(working, asked.id)
    assert events[-1] == ("over", None)
    assert [item for kind, item in events if kind == "running"] == [0, 1]
    assert rows(place, asked.id) == ("succeeded", [(0, 1, "succeeded"), (1, 1, "succeeded")])
    assert place.inspections[asked.id].retrieve_report()["state"] == "succeeded"
    assert not (place.work / asked.id).exists()


async def test_cancelling_ends_what_runs_at_once(place):
    async with worker(place) as working:
        asked = submission(**SLOW)
        await working.submit(asked)
        await followed(working, asked.id, until="running")
        assert await working.cancel(asked.id)
        assert (await followed(working, asked.id))[-1] == ("over", None)
        assert not await working.cancel(asked.id)
        assert not await working.cancel("inspection-261127011902-80ac6d5340ebe425")
    assert rows(place, asked.id) == ("cancelled", [(0, 1, "lost")])
    assert place.inspections[asked.id].retrieve_report()["state"] == "cancelled"


async def test_who_does_not_work_accepts_and_ends_what_waits(place):
    async with worker(place, works=False) as accepting:
        asked, other = submission(), submission()
        await accepting.submit(asked)
        await accepting.submit(other)
        assert rows(place, asked.id) == ("queued", [])
        assert await accepting.cancel(asked.id)
        assert rows(place, asked.id) == ("cancelled", [])
    async with worker(place) as working:
        await followed(working, other.id)
    assert rows(place, other.id)[0] == "succeeded"
    assert place.inspections[asked.id].retrieve_report()["state"] == "cancelled"


async def test_what_waits_too_long_expires(place):
    async with worker(place, works=False) as accepting:
        asked = submission()
        object.__setattr__(asked, "created", asked.created - 100)
        await accepting.submit(asked)
    async with worker(place, longest_wait=50) as working:
        assert (await followed(working, asked.id))[-1] == ("over", None)
    assert rows(place, asked.id) == ("expired", [])
    assert place.inspections[asked.id].retrieve_report()["state"] == "expired"


async def test_what_is_asked_again_has_a_new_id(place):
    async with worker(place) as working:
        asked = submission(batch_size=1)
        await working.submit(asked)
        await followed(working, asked.id)
        again = await working.retry(asked.id, "somebody")
        await followed(working, again.id)
        with pytest.raises(LookupError, match="no inspection"):
            await working.retry("inspection-261127011902-80ac6d5340ebe425")
    assert again.id != asked.id
    assert again.owner == "somebody"
    assert rows(place, again.id) == ("succeeded", [(0, 1, "succeeded")])


async def test_a_second_worker_of_a_process_is_refused_and_disturbs_nothing(place):
    async with worker(place) as working:
        with pytest.raises(RuntimeError, match="one worker to a process"):
            async with worker(place):
                pass
        asked = submission(batch_size=1)
        await working.submit(asked)
        await followed(working, asked.id)
    assert rows(place, asked.id)[0] == "succeeded"


async def test_who_only_ends_inspections_opens_no_queue(place):
    async with worker(place, works=False) as ending:
        assert not await ending.cancel("inspection-261127011902-80ac6d5340ebe425")
        assert ending._worker._queue is None


async def test_without_an_engine_nothing_is_accepted(place):
    async with worker(place, allow_process=False) as working:
        with pytest.raises(EngineUnavailableError, match="process is not allowed"):
            await working.submit(submission())
        assert working.capabilities is None


async def test_a_worker_that_is_stopped_leaves_its_work_to_the_next_as_if_it_had_not_begun_it(place):
    """The run that was under way is not lost: nothing happened to it that the infrastructure did."""
    async with worker(place) as working:
        asked = submission(script="#!/bin/sh\nexec sleep 4\n", batch_size=1)
        await working.submit(asked)
        await followed(working, asked.id, until="running")
    assert rows(place, asked.id) == ("running", [])
    async with worker(place) as working:
        await followed(working, asked.id)
    assert rows(place, asked.id) == ("succeeded", [(0, 1, "succeeded")])


async def test_what_a_killed_command_line_left_is_taken_into_the_queue(place, make_work):
    work = make_work()
    with work.journal.held():
        work.journal.accept(work.submission)
    assert [each.directory.name for each in Journal.left(place.work)] == [work.id]
    async with worker(place) as working:
        async with asyncio.timeout(30):
            while True:
                with place.database.read() as connection:
                    if inspections.by_id(connection, work.id) is not None:
                        break
                await asyncio.sleep(0.1)
        await followed(working, work.id)
    assert rows(place, work.id)[0] == InspectionState.SUCCEEDED
    assert not work.journal.directory.exists()


async def test_another_process_wishes_an_end_and_it_comes_at_once(place):
    """The one that accepts stands for any other: all it shares with the one that works is the database."""
    async with worker(place, works=False) as accepting, worker(place) as working:
        asked = submission(**SLOW)
        await accepting.submit(asked)
        await followed(accepting, asked.id, until="running")
        assert await accepting.cancel(asked.id)
        async with asyncio.timeout(20):
            assert (await followed(working, asked.id))[-1] == ("over", None)
    assert rows(place, asked.id) == ("cancelled", [(0, 1, "lost")])


async def test_what_is_deleted_while_it_is_made_is_ended_and_leaves_nothing(place):
    async with worker(place) as working:
        asked = submission(**SLOW)
        await working.submit(asked)
        await followed(working, asked.id, until="running")
        with place.database.write() as connection:
            inspections.delete(connection, asked.id)
        async with asyncio.timeout(20):
            while (place.work / asked.id).exists():  # noqa: ASYNC110 # a file system tells nobody
                await asyncio.sleep(0.05)
        with pytest.raises(LookupError):
            await followed(working, asked.id)
    assert not place.inspections[asked.id].exists()


async def test_a_defect_of_ours_ends_an_inspection_too(place, monkeypatch):
    def broken(*_):
        raise RuntimeError("a defect")

    monkeypatch.setattr("trimtab.workflows.building.write_context", broken)
    async with worker(place) as working:
        asked = submission()
        await working.submit(asked)
        await followed(working, asked.id)
    assert rows(place, asked.id) == ("failed", [])
    failure = place.inspections[asked.id].retrieve_report()["failure"]
    assert failure["kind"] == "infrastructure"
    assert "failed at it 3 times" in failure["reason"]


async def test_what_ends_each_process_that_makes_it_ends_after_ten(place):
    asked = submission()
    journal = Journal(place.work / asked.id)
    async with worker(place, works=False) as accepting:
        await accepting.submit(asked)
    journal.enqueue()
    journal.accept(asked)
    journal.write("taken.json", 10)
    async with worker(place) as working:
        await followed(working, asked.id)
    assert rows(place, asked.id) == ("failed", [])
    assert "10 times" in place.inspections[asked.id].retrieve_report()["failure"]["reason"]


async def test_builds_and_runs_have_limits_apart(place, monkeypatch):
    now, most = {"build": 0, "run": 0}, {"build": 0, "run": 0}

    def counted(name):
        made = getattr(ProcessEngine, name)

        async def call(self, request, log):
            now[name] += 1
            most[name] = max(most[name], now[name])
            try:
                await asyncio.sleep(0.1)
                return await made(self, request, log)
            finally:
                now[name] -= 1

        monkeypatch.setattr(ProcessEngine, name, call)

    counted("build")
    counted("run")
    run = DOCUMENT["run"] | {"order": "parallel"}
    async with worker(place, builds=1, runs=2) as working:
        asked = [submission(run=run, batch_size=3) for _ in range(3)]
        for each in asked:
            await working.submit(each)
        for each in asked:
            await followed(working, each.id)
    assert most == {"build": 1, "run": 2}


async def test_what_was_deleted_while_nobody_worked_does_not_come_back(place):
    asked = submission()
    journal = Journal(place.work / asked.id)
    journal.enqueue()
    journal.accept(asked)
    async with worker(place), asyncio.timeout(30):
        while journal.directory.exists():  # noqa: ASYNC110 # a file system tells nobody
            await asyncio.sleep(0.05)
    with place.database.read() as connection:
        assert inspections.by_id(connection, asked.id) is None

"""What happens to an inspection is told once and in order, whoever makes it."""

import asyncio

import pytest

from trimtab.catalog import InspectionState, RunDocuments, accept, advance, inspections, record_run
from trimtab.workflows import Event
from trimtab.workflows.following import Hub, follow, told

ID = "inspection-261127011902-80ac6d5340ebe425"
SPECIFICATION = {"base": "fedora:40", "batch_size": 2, "script": "#!/bin/sh"}
LOST = {"item": 0, "attempt": 1, "state": "lost", "lost": "the engine went away"}
GOOD = {"item": 0, "attempt": 2, "state": "succeeded"}
RUNNING = {"item": 1, "attempt": 1, "state": "running"}


def write(place, *runs, state=None, **values):
    with place.database.write() as connection:
        accept(connection, ID, SPECIFICATION, created_at=1.0)
        for each in runs:
            record_run(connection, ID, RunDocuments(each["item"], report=each))
        if state is not None:
            assert advance(connection, ID, state, **values)


def events(place):
    with place.database.read() as connection:
        found = told(inspections.by_id(connection, ID), inspections.runs_of(connection, ID))
    return [(each.kind, each.item, each.attempt, each.text) for each in found]


@pytest.mark.parametrize(
    ("state", "values", "runs", "expected"),
    [
        (None, {}, [], ["accepted"]),
        ("building", {"engine": "process"}, [], ["accepted", "building"]),
        ("running", {"engine": "process", "build": {"digest": None}}, [], ["accepted", "building", "built"]),
        ("build_failed", {"engine": "process", "failure_reason": "no"}, [], ["accepted", "building", "built", "over"]),
        ("cancelled", {}, [], ["accepted", "over"]),
        (
            "running",
            {"engine": "process", "build": {}},
            [LOST, GOOD, RUNNING],
            ["accepted", "building", "built", "running", "retrying", "running", "ran", "running"],
        ),
    ],
)  # fmt: skip
def test_rows_tell_how_far_it_is(place, state, values, runs, expected):
    write(place, *runs, state=state, **values)
    assert [kind for kind, *_ in events(place)] == expected


def test_an_attempt_has_its_number_and_its_reason(place):
    write(place, LOST, GOOD, state="running", engine="process", build={})
    assert events(place)[3:] == [
        ("running", 0, 1, ""),
        ("retrying", 0, 2, "the engine went away"),
        ("running", 0, 2, ""),
        ("ran", 0, 2, ""),
    ]


async def test_what_the_rows_and_this_process_tell_is_told_once(place):
    hub, found = Hub(), []
    write(place)
    async with asyncio.timeout(30):
        async for event in follow(place, hub, ID, every=5):
            found.append(event.kind)
            if event.kind == "accepted":
                hub.event(Event(ID, "accepted"))
                hub.event(Event("of another", "building"))
                hub.event(Event(ID, "building"))
            if event.kind == "building":
                write(place, state=InspectionState.CANCELLED)
                hub.event(Event(ID, "over", text="cancelled"))
    assert found == ["accepted", "building", "over"]
    assert hub._ears == {}


async def test_who_asks_for_what_there_is_not_is_told_so(place):
    with pytest.raises(LookupError, match="there is no inspection unknown"):
        await anext(follow(place, Hub(), "unknown"))


async def test_what_is_deleted_is_over(place):
    write(place)
    following = follow(place, Hub(), ID, every=0)
    assert (await anext(following)).kind == "accepted"
    with place.database.write() as connection:
        inspections.delete(connection, ID)
    assert await anext(following) == Event(ID, "over", text="deleted")

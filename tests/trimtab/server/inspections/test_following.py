"""Following an inspection: server-sent events, and waiting."""

import asyncio
import json

import pytest

from trimtab.catalog import UnavailableError
from trimtab.server.inspections.following import Follower
from trimtab.workflows import Event

FIRST = "inspection-matmul-260101000000-0000000000000001"
COURSE = [
    Event(FIRST, "accepted"),
    Event(FIRST, "building"),
    Event(FIRST, "ran", 0, text="\u00e4\n"),
    Event(FIRST, "over", text="failed"),
    Event(FIRST, "building"),
]


class Source:
    """Tells events, and then nothing until it is told to go."""

    def __init__(self, *events, error=None):
        self.events = events
        self.error = error
        self.closed = 0
        self.go = asyncio.Event()

    async def follow(self, _inspection_id):
        try:
            for each in self.events:
                yield each
            if self.error:
                raise self.error
            await self.go.wait()
        finally:
            self.closed += 1


async def read(stream):
    return [each async for each in stream]


def parse(pieces):
    """As a client of server-sent events does."""
    found = []
    for block in b"".join(pieces).decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


async def test_events_come_up_to_the_last():
    source = Source(*COURSE)
    events = parse(await read(Follower(source.follow).stream(FIRST)))
    assert [kind for kind, _ in events] == ["accepted", "building", "ran", "over"]
    assert events[2][1] == {
        "inspection": FIRST,
        "kind": "ran",
        "item": 0,
        "warmup": False,
        "text": "\u00e4\n",
        "attempt": 1,
    }
    assert source.closed == 1


async def test_silence_is_broken_by_comments():
    stream = Follower(Source().follow, beat=0.001).stream(FIRST)
    assert [await anext(stream) for _ in range(3)] == [b": still here\n\n"] * 3
    await stream.aclose()


async def test_a_stream_ends_when_the_server_does():
    source = Source(COURSE[0])
    follower = Follower(source.follow)
    stream = follower.stream(FIRST)
    await anext(stream)
    follower.stop()
    assert await read(stream) == []
    assert source.closed == 1


async def test_a_client_that_leaves_takes_the_follower_along():
    source = Source(COURSE[0])
    stream = Follower(source.follow).stream(FIRST)
    await anext(stream)
    await stream.aclose()
    assert source.closed == 1


async def test_a_database_out_of_reach_ends_the_stream_and_the_client_asks_again():
    source = Source(COURSE[0], error=UnavailableError("the database is away"))
    assert len(parse(await read(Follower(source.follow).stream(FIRST)))) == 1


async def test_there_is_an_end_to_how_many_follow():
    follower = Follower(Source(COURSE[0]).follow, most=1)
    stream = follower.stream(FIRST)
    await anext(stream)
    with pytest.raises(Exception, match="too many"):
        follower.check()
    await stream.aclose()
    follower.check()


async def test_waiting_ends_with_the_inspection_or_with_patience():
    await asyncio.wait_for(Follower(Source(*COURSE).follow).wait(FIRST, 60), 5)
    await asyncio.wait_for(Follower(Source().follow).wait(FIRST, 0.01), 5)


async def test_what_is_over_is_told_at_once(root, conclude):
    conclude(state="failed")
    answer = (await root.get(f"/api/v1/inspect/{FIRST}/wait")).json()
    assert answer == {"state": "failed", "over": True, "parameters": {"inspection_id": FIRST}}
    response = await root.get(f"/api/v1/inspect/{FIRST}/events")
    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert parse([response.content]) == [
        (
            "over",
            {
                "inspection": FIRST,
                "kind": "over",
                "item": None,
                "warmup": False,
                "text": "failed",
                "attempt": 1,
            },
        )
    ]


async def test_how_it_stands_is_told_without_waiting(root, queue):
    answer = (await root.get(f"/api/v1/inspect/{queue()}/wait", params={"timeout": 0})).json()
    assert (answer["state"], answer["over"]) == ("queued", False)


@pytest.mark.parametrize("seconds", ["-1", "61", "x", "nan", "inf"])
async def test_there_is_an_end_to_patience(root, queue, seconds):
    assert (await root.get(f"/api/v1/inspect/{queue()}/wait", params={"timeout": seconds})).status_code == 400

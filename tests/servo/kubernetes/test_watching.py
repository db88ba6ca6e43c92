"""Lists, watches, and what survives of them when streams break off."""

import asyncio
from contextlib import aclosing
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servo.kubernetes import PODS, AnswerError, ForbiddenError, GoneError, UnreachableError, watching


def pod(name, version, uid=None):
    return {
        "metadata": {"name": name, "namespace": "shop", "uid": uid or name, "resourceVersion": str(version)}
    }


def listed(version, *items, token=None):
    return {"metadata": {"resourceVersion": str(version), "continue": token}, "items": list(items)}


async def taken(changes, count):
    """The first changes, as type, name (or version of a bookmark)."""
    found = []
    async with aclosing(changes):
        async for change in changes:
            metadata = change.object["metadata"]
            found.append((change.type, metadata.get("name") or metadata["resourceVersion"]))
            if len(found) == count:
                break
    return found


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    """Pauses between streams are drawn at random: the shortest is drawn."""
    monkeypatch.setattr("servo.kubernetes.watching.random.uniform", lambda low, high: low)


async def test_all_pages_are_gathered_and_typed(server, client):
    pages = {None: listed(7, pod("a", 1), token="next"), "next": listed(7, pod("b", 2))}
    server.answer = lambda asked: pages[asked.query.get("continue", [None])[0]]
    found = await client.list(PODS, labels="app=web", fields="status.phase=Running", limit=1)
    assert [item["metadata"]["name"] for item in found.items] == ["a", "b"]
    assert found.version == "7"
    assert found.items[0]["kind"] == "Pod"
    assert found.items[0]["apiVersion"] == "v1"
    assert server.asked[0].query["labelSelector"] == ["app=web"]
    assert server.asked[0].query["fieldSelector"] == ["status.phase=Running"]
    assert server.asked[1].query["limit"] == ["1"]


async def test_a_list_whose_pages_are_forgotten_is_asked_for_at_once(server, client):
    def answer(asked):
        if "limit" not in asked.query:
            return listed(9, pod("a", 1), pod("b", 2))
        if "continue" in asked.query:
            return server.failed(410, "Expired")
        return listed(7, pod("a", 1), token="next")

    server.answer = answer
    assert len((await client.list(PODS)).items) == 2


async def test_what_is_no_list_is_said(server, client):
    server.answer = lambda asked: {"kind": "Pod", "metadata": {}}
    with pytest.raises(AnswerError, match="is no list"):
        await client.list(PODS)


async def test_a_list_is_bounded(server, client, monkeypatch):
    monkeypatch.setattr("servo.kubernetes.watching.MAX_ITEMS", 1)
    server.answer = lambda asked: listed(1, pod("a", 1), pod("b", 1))
    with pytest.raises(AnswerError, match="more than 1 objects"):
        await client.list(PODS)


async def test_a_watch_tells_changes_from_a_version_on(server, client):
    events = server.event("ADDED", pod("a", 5)) + server.event("DELETED", pod("a", 6))
    server.answer = lambda asked: server.streamed(events[:30], events[30:], b"\n")
    found = [(change.type, change.version) async for change in client.watch(PODS, version="4")]
    assert found == [("ADDED", "5"), ("DELETED", "6")]
    query = server.asked[0].query
    assert query["resourceVersion"] == ["4"]
    assert query["allowWatchBookmarks"] == ["true"]
    assert 300 <= int(query["timeoutSeconds"][0]) <= 600


@pytest.mark.parametrize("as_event", [True, False])
async def test_a_version_that_is_no_longer_kept_is_gone(server, client, as_event):
    answer = server.failed(410, "Expired", "too old resource version")
    server.answer = lambda asked: server.streamed(server.event("ERROR", answer.body)) if as_event else answer
    with pytest.raises(GoneError, match="too old"):
        async for _ in client.watch(PODS, version="1"):
            pass


async def test_a_stream_that_breaks_off_is_no_end(server, client):
    server.answer = lambda asked: server.streamed(server.event("ADDED", pod("a", 5)), cut=True)
    changes = client.watch(PODS, version="1")
    assert (await anext(changes)).version == "5"
    with pytest.raises(UnreachableError):
        await anext(changes)


@pytest.mark.parametrize(
    "line", [b"{\n", b"[]\n", b'{"type": "ADDED"}\n', b'{"type": "ADDED", "object": {}}\n', b"\xff\n"]
)
async def test_an_event_that_cannot_be_read_is_said(server, client, line):
    server.answer = lambda asked: server.streamed(line)
    with pytest.raises(AnswerError, match="cannot be read"):
        await anext(client.watch(PODS, version="1"))


async def test_an_endless_event_is_not_read_to_its_end(server, client, monkeypatch):
    async def chunks():
        while True:
            yield b"x" * 1000

    with pytest.raises(AnswerError, match="larger than 4096"):
        async for _ in watching.lines(chunks(), 4096):
            pass


@given(st.lists(st.binary(max_size=20)), st.lists(st.integers(0, 200)))
def test_lines_do_not_depend_on_where_a_stream_is_cut(parts, cuts):
    content = b"\n".join(parts)
    places = sorted({min(cut, len(content)) for cut in cuts} | {0, len(content)})

    async def chunks():
        for begin, end in pairwise(places):
            yield content[begin:end]

    async def gather():
        return [line async for line in watching.lines(chunks())]

    assert asyncio.run(gather()) == content.split(b"\n")[:-1]


async def test_following_lists_watches_and_goes_on_where_a_stream_ended(server, client):
    streams = [
        server.streamed(server.event("ADDED", pod("b", 8)), cut=True),
        server.streamed(server.event("BOOKMARK", {"metadata": {"resourceVersion": "20"}})),
        server.streamed(server.event("MODIFIED", pod("a", 21)), until=asyncio.Event()),
    ]
    server.answer = lambda asked: streams.pop(0) if "watch" in asked.query else listed(7, pod("a", 1))
    assert await taken(client.follow(PODS), 5) == [
        ("ADDED", "a"),
        ("BOOKMARK", "7"),
        ("ADDED", "b"),
        ("BOOKMARK", "20"),
        ("MODIFIED", "a"),
    ]
    versions = [asked.query["resourceVersion"] for asked in server.asked if "watch" in asked.query]
    assert versions == [["7"], ["8"], ["20"]]


async def test_after_a_gap_what_is_missing_is_deleted_and_what_is_the_same_is_passed_over(server, client):
    lists = [
        listed(7, pod("same", 1), pod("changed", 2), pod("gone", 3), pod("again", 4, "first")),
        listed(90, pod("same", 1), pod("changed", 50), pod("new", 60), pod("again", 70, "second")),
    ]
    streams = [
        server.streamed(server.event("ERROR", server.failed(410).body)),
        server.streamed(until=asyncio.Event()),
    ]
    server.answer = lambda asked: streams.pop(0) if "watch" in asked.query else lists.pop(0)
    found = await taken(client.follow(PODS), 11)
    assert found[:5] == [("ADDED", name) for name in ("same", "changed", "gone", "again")] + [
        ("BOOKMARK", "7")
    ]
    assert found[5:8] == [("MODIFIED", "changed"), ("ADDED", "new"), ("ADDED", "again")]
    assert sorted(found[8:10]) == [("DELETED", "again"), ("DELETED", "gone")]
    assert found[10] == ("BOOKMARK", "90")


async def test_a_made_up_deletion_says_what_it_knows(server, client):
    lists = [listed(7, pod("gone", 3)), listed(9)]
    server.answer = lambda asked: server.failed(410) if "watch" in asked.query else lists.pop(0)
    async with aclosing(client.follow(PODS)) as changes:
        found = [await anext(changes) for _ in range(3)]
    assert found[2].type == "DELETED"
    assert found[2].object == {"apiVersion": "v1", "kind": "Pod", **pod("gone", 3)}


async def test_what_passes_is_tried_again(server, client):
    answers = [server.failed(503, "ServiceUnavailable"), listed(7), server.failed(500, "InternalError")]
    server.answer = lambda asked: (
        answers.pop(0)
        if answers
        else server.streamed(server.event("ADDED", pod("a", 8)), until=asyncio.Event())
    )
    assert await taken(client.follow(PODS), 2) == [("BOOKMARK", "7"), ("ADDED", "a")]


async def test_a_refusal_from_the_beginning_on_is_told_at_once(server, client):
    server.answer = lambda asked: server.failed(403, "Forbidden", "pods is forbidden")
    with pytest.raises(ForbiddenError, match="pods is forbidden"):
        await anext(client.follow(PODS))
    assert len(server.asked) == 1


async def test_a_refusal_after_success_is_believed_when_it_lasts(server, client, monkeypatch):
    """A server that has just started does not know all roles yet."""
    refusals = [server.failed(403, "Forbidden", "roles are not known yet")] * 3
    server.answer = lambda asked: (
        listed(7)
        if "watch" not in asked.query
        else refusals.pop()
        if refusals
        else server.streamed(server.event("ADDED", pod("a", 8)))
    )
    changes = client.follow(PODS)
    assert (await anext(changes)).type == "BOOKMARK"
    assert (await anext(changes)).version == "8"
    server.answer = lambda asked: server.failed(403, "Forbidden", "and never will be")
    monkeypatch.setattr("servo.kubernetes.watching.PATIENCE", 0.0)
    with pytest.raises(ForbiddenError, match="never will be"):
        await anext(changes)


async def test_whoever_knows_what_was_before_begins_at_a_version(server, client):
    server.answer = lambda asked: server.streamed(server.event("ADDED", pod("a", 31)), until=asyncio.Event())
    assert await taken(client.follow(PODS, version="30"), 1) == [("ADDED", "a")]
    assert [asked.query["resourceVersion"] for asked in server.asked] == [["30"]]

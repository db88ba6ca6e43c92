"""Logs while they grow."""

import asyncio

import pytest

from trimtab.catalog import RunDocuments, record_run

FIRST = "inspection-matmul-260101000000-0000000000000001"
BUILD = f"/api/v1/inspect/{FIRST}/build/log/tail"
RUN = f"/api/v1/inspect/{FIRST}/job/0/log/tail"


@pytest.fixture
def write(place):
    """Adds to a log that grows on this machine."""

    def write_(data, name="context.log"):
        path = place.work / FIRST / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(data)

    return write_


@pytest.fixture
def begin(place):
    """Has the catalog say of an attempt of run 0 how it stands."""

    def begin_(attempt, state):
        row = {"item": 0, "attempt": attempt, "state": state, "started": "2026-01-01T00:00:00+00:00"}
        with place.database.write() as connection:
            record_run(connection, FIRST, RunDocuments(0, report=row))

    return begin_


async def tail(caller, path=BUILD, **params):
    answer = await caller.get(path, params=params)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return found["log"], found["end"], found["over"]


async def test_a_log_is_told_from_where_one_is_while_it_grows_and_ends_when_it_is_stored(
    root, queue, write, place
):
    queue(FIRST, state="building")
    assert await tail(root) == ("", 0, False)
    write("Step 1\nf\u00fcr".encode()[:9])  # in the middle of a character
    assert await tail(root) == ("Step 1\nf", 8, False)
    write("\u00fcr\n".encode()[1:])
    assert await tail(root, start=8) == ("\u00fcr\n", 12, False)
    assert await tail(root, start=12) == ("", 12, False)
    place.inspections[FIRST].build.store_build("Step 1\nf\u00fcr\nthe end\n".encode(), "FROM a\n")
    assert await tail(root, start=12) == ("the end\n", 20, True)
    assert await tail(root, start=20) == ("", 20, True)


async def test_whoever_waits_is_answered_when_more_of_it_comes(root, queue, write):
    queue(FIRST, state="building")
    waiting = asyncio.create_task(tail(root, timeout=60))
    await asyncio.sleep(0)
    write(b"something\n")
    assert await waiting == ("something\n", 10, False)
    assert await tail(root, start=10, timeout=0.1) == ("", 10, False)


async def test_what_is_large_comes_in_pieces(root, queue, write):
    queue(FIRST, state="building")
    whole = "".join(f"line {number} \u00e4\n" for number in range(40_000))
    write(whole.encode())
    told, start = "", 0
    while start < len(whole.encode()):
        text, start, _ = await tail(root, start=start)
        assert len(text.encode()) <= 256 << 10
        told += text
    assert told == whole


async def test_a_log_that_was_begun_anew_is_told_from_its_beginning(root, queue, write):
    queue(FIRST, state="building")
    write(b"second attempt\n")
    assert await tail(root, start=1000) == ("second attempt\n", 15, False)


async def test_of_a_run_each_attempt_has_its_log(root, queue, write, begin, place):
    queue(FIRST, state="running")
    begin(1, "lost")
    begin(2, "running")
    write(b"first\n", "runs/0.1.log")
    write(b"second\n", "runs/0.2.log")
    write(b"of another\n", "runs/10.1.log")
    assert await tail(root, RUN, attempt=1) == ("first\n", 6, True)
    assert await tail(root, RUN, attempt=2) == ("second\n", 7, False)
    assert await tail(root, RUN) == ("second\n", 7, False)
    place.inspections[FIRST].results.store_run(0, {"exit_code": 0}, log=b"second\nend\n")
    assert await tail(root, RUN, start=7) == ("end\n", 11, True)


async def test_who_may_not_see_it_and_what_is_not_there_are_answered_alike(callers, queue, conclude, write):
    queue(FIRST, owner="alice", state="building")
    write(b"secret\n")
    assert (await callers["bob"].get(BUILD)).status_code == 404
    assert (await callers["nobody"].get(BUILD)).status_code == 401
    assert await tail(callers["alice"]) == ("secret\n", 7, False)


async def test_what_is_over_and_has_no_log_is_not_found(root, conclude):
    conclude(FIRST, results=(None,))
    assert (await root.get(RUN)).status_code == 404
    assert (await root.get(RUN.replace("job/0", "job/99"))).status_code == 404

"""How many builds and runs there are at the same time."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.workflows.rooms import Room, Rooms

NEEDS = st.lists(st.floats(0.1, 3.0), min_size=1, max_size=12)


@given(NEEDS, st.floats(0.5, 4.0))
def test_no_more_is_taken_than_there_is_and_everybody_has_a_turn_in_order(needs, places):
    room, held, order = Room(places), [], []

    async def take(number, need):
        async with room.taken(need):
            order.append(number)
            held.append(min(need, places))
            assert sum(held) <= places + 1e-9
            for _ in range(number % 3):
                await asyncio.sleep(0)
            held.remove(min(need, places))

    async def all_of_them():
        await asyncio.gather(*(take(*each) for each in enumerate(needs)))

    asyncio.run(all_of_them())
    assert order == list(range(len(needs)))


async def test_who_waits_and_is_cancelled_takes_nothing():
    room = Room(1)
    async with room.taken():
        waiting = asyncio.ensure_future(room.taken().__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with asyncio.timeout(1), room.taken():
        pass


@pytest.mark.parametrize(("runs", "cores", "together"), [(2, 8.0, 2), (1, 0.1, 1)])
async def test_a_number_of_runs_is_counted_whatever_they_ask_for(runs, cores, together):
    rooms, entered = Rooms(1, runs), []

    async def one():
        async with rooms.run(cores):
            entered.append(None)
            await asyncio.Event().wait()

    tasks = [asyncio.ensure_future(one()) for _ in range(3)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(entered) == together
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

"""Coroutines side by side: whatever can be told of a task of asyncio's own holds, before and after the first wait."""

import asyncio
import contextvars
import gc
import sys
import weakref
from functools import partial

import anyio
import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from servo.concurrency import run_together

variable = contextvars.ContextVar("variable", default="outside")


class LostError(Exception):
    """Stands for a coroutine that somebody else cancelled."""


def lost(index):
    raise LostError(index)


async def run(*coroutines, cancelled=lost):
    return await run_together(coroutines, "work", cancelled)


def run_in_new_loop(main, loop_factory=asyncio.new_event_loop):
    # With a factory, so that the loop of pytest's own thread stays what it is.
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(main)


async def values(*coroutines):
    outcome = await run(*coroutines)
    assert outcome.errors == []
    return outcome.values


async def answer(value, *, turns=0):
    for _ in range(turns):
        await asyncio.sleep(0)
    return value


async def fail(error, *, turns=0):
    await answer(None, turns=turns)
    raise error


async def test_values_come_in_the_order_of_the_coroutines():
    assert await values(answer(1, turns=3), answer(2), answer(3, turns=1)) == [1, 2, 3]


async def test_what_does_not_wait_needs_no_turn_of_the_loop():
    turns = []
    asyncio.get_running_loop().call_soon(turns.append, 1)
    assert await values(*(answer(n) for n in range(10))) == list(range(10))
    assert turns == []


@pytest.mark.parametrize("turns", [0, 1])
async def test_each_has_one_task_of_its_own_from_first_line_to_last(turns):
    async def tasks():
        before = asyncio.current_task()
        await answer(None, turns=turns)
        return before, asyncio.current_task()

    seen = await values(tasks(), tasks())
    mine = asyncio.current_task()
    assert all(before is after for before, after in seen)
    assert len({before for before, _ in seen} | {mine}) == 3


@pytest.mark.parametrize("turns", [0, 1])
async def test_the_callers_task_is_current_again_afterwards(turns):
    mine = asyncio.current_task()
    await run(answer(1, turns=turns), fail(ValueError(), turns=turns))
    assert asyncio.current_task() is mine


async def test_a_task_is_a_task_to_whoever_looks_at_it():
    async def look():
        task = asyncio.current_task()
        facts = [isinstance(task, asyncio.Task), task.get_name(), task.done(), task.cancelling()]
        assert "work" in repr(task)
        assert hash(task) == hash(task)
        assert task == asyncio.current_task()
        assert weakref.ref(task)() is task
        return [*facts, task.get_loop() is asyncio.get_running_loop(), task in asyncio.all_tasks()]

    assert await values(look()) == [[True, "work", False, 0, True, True]]


async def test_its_coroutine_can_be_asked_for():
    async def look():
        return asyncio.current_task().get_coro()

    coroutine = look()
    assert await values(coroutine) == [coroutine]


async def test_waiting_tasks_are_among_all_tasks():
    await_me = asyncio.get_running_loop().create_future()

    async def wait():
        await await_me

    async def look():
        await asyncio.sleep(0)
        await_me.set_result(None)
        return [task.get_name() for task in asyncio.all_tasks()].count("work")

    assert (await values(wait(), look()))[1] == 2


@pytest.mark.parametrize("turns", [0, 1])
async def test_what_one_sets_in_the_context_its_siblings_and_caller_do_not_see(turns):
    async def set_and_get(value):
        before = variable.get()
        variable.set(value)
        await answer(None, turns=turns)
        return before, variable.get()

    assert await values(set_and_get("a"), set_and_get("b")) == [("outside", "a"), ("outside", "b")]
    assert variable.get() == "outside"


async def test_what_the_caller_has_set_in_the_context_is_seen():
    async def get():
        return variable.get()

    variable.set("inside")
    assert await values(get()) == ["inside"]


@pytest.mark.looptime
async def test_a_timeout_entered_before_the_first_wait_ends_only_its_own_coroutine(looptime):
    async def hang():
        async with asyncio.timeout(1):
            await asyncio.sleep(1000)

    async def patient():
        await asyncio.sleep(5)
        return asyncio.current_task().cancelling()

    async def ignore(coroutine):
        try:
            await coroutine
        except TimeoutError:
            return "timed out"

    async def waited():
        return await ignore(hang())

    assert await values(waited(), patient()) == ["timed out", 0]
    assert asyncio.current_task().cancelling() == 0
    assert looptime == 5


@pytest.mark.looptime
async def test_cancel_scopes_of_anyio_entered_before_the_first_wait_work(looptime):
    async def move_on():
        with anyio.move_on_after(1) as scope:
            await anyio.sleep(1000)
        return scope.cancelled_caught

    async def group():
        found = []
        async with anyio.create_task_group() as tasks:
            for value in (1, 2):
                tasks.start_soon(partial(append, found, value))
        return sorted(found)

    async def append(found, value):
        await anyio.sleep(value)
        found.append(value)

    async def no_wait():
        with anyio.CancelScope() as scope:  # noqa: ASYNC100  the point: it must know its task though it never waits
            return scope.cancel_called

    assert await values(move_on(), group(), no_wait()) == [True, [1, 2], False]


async def test_a_task_group_entered_before_the_first_wait_fails_only_its_own_coroutine():
    async def group():
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(fail(ValueError("child")))
                await asyncio.sleep(1000)
        except* ValueError:
            pass
        return asyncio.current_task().cancelling()

    assert await values(group(), answer(2, turns=5)) == [0, 2]


async def test_all_are_started_before_the_first_error_cancels_who_still_waits():
    events = []

    async def wait(name):
        events.append(f"{name} started")
        try:
            await asyncio.sleep(1000)
        finally:
            events.append(f"{name} ended")

    outcome = await run(wait("a"), fail(ValueError("no")), wait("c"))
    assert [str(error) for error in outcome.errors] == ["no"]
    assert events == ["a started", "c started", "a ended", "c ended"]


async def test_an_error_after_a_wait_cancels_the_others():
    outcome = await run(answer(None, turns=1000), fail(ValueError("late"), turns=2))
    assert [str(error) for error in outcome.errors] == ["late"]


async def test_all_errors_are_kept_and_those_of_the_clean_up_too():
    async def clumsy():
        try:
            await asyncio.sleep(1000)
        finally:
            raise KeyError("clumsy")

    outcome = await run(fail(ValueError("a")), fail(ValueError("b")), clumsy())
    assert [type(error) for error in outcome.errors] == [ValueError, ValueError, KeyError]


async def test_cancelling_the_caller_cancels_all_and_waits_until_they_have_ended():
    ended = []

    async def slow_to_leave():
        try:
            await asyncio.sleep(1000)
        finally:
            await answer(None, turns=3)
            ended.append(1)

    task = asyncio.create_task(run(slow_to_leave(), slow_to_leave()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [1, 1]


async def test_cancelling_the_caller_again_does_not_leave_anybody_behind():
    ended = []

    async def slow_to_leave():
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            await asyncio.shield(asyncio.create_task(answer(None, turns=5)))
            ended.append(1)
            raise

    task = asyncio.create_task(run(slow_to_leave()))
    await asyncio.sleep(0)
    task.cancel("first")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not task.done()
    task.cancel("second")
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "work" not in {each.get_name() for each in asyncio.all_tasks()}


@pytest.mark.looptime
async def test_a_timeout_of_the_caller_is_a_timeout(looptime):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2):
            await run(answer(1), asyncio.sleep(1000))
    assert looptime == 2


async def test_errors_of_a_cancelled_call_are_not_lost():
    async def clumsy():
        try:
            await asyncio.sleep(1000)
        finally:
            raise KeyError("clumsy")

    task = asyncio.create_task(run(clumsy()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    chain = [caught.value]
    while chain[-1].__context__ is not None:
        chain.append(chain[-1].__context__)
    assert any(isinstance(error, ExceptionGroup) and error.subgroup(KeyError) for error in chain)


@pytest.mark.parametrize("turns", [0, 1])
async def test_who_is_cancelled_by_somebody_else_is_an_error_and_not_the_callers_cancellation(turns):
    tasks = []

    async def victim():
        tasks.append(asyncio.current_task())
        await asyncio.sleep(1000)

    async def culprit():
        await answer(None, turns=turns)
        tasks[0].cancel()
        return "done"

    outcome = await run(victim(), culprit())
    assert [error.args for error in outcome.errors] == [(0,)]


async def test_a_stray_cancellation_is_an_error_and_not_the_callers():
    outcome = await run(fail(asyncio.CancelledError()), fail(asyncio.CancelledError(), turns=1))
    assert [error.args for error in outcome.errors] == [(0,)]


async def test_a_substitute_for_who_was_cancelled_can_be_a_value():
    outcome = await run(
        fail(asyncio.CancelledError()),
        fail(asyncio.CancelledError(), turns=1),
        answer(3, turns=3),
        cancelled=lambda index: f"substitute {index}",
    )
    assert outcome.values == ["substitute 0", "substitute 1", 3]


async def test_who_cancels_itself_is_cancelled_at_its_next_wait():
    reached = []

    async def suicidal():
        asyncio.current_task().cancel()
        reached.append("still running")
        await asyncio.sleep(0)
        reached.append("never")

    outcome = await run(suicidal())
    assert [type(error) for error in outcome.errors] == [LostError]
    assert reached == ["still running"]


async def test_who_cancels_itself_and_does_not_wait_is_cancelled():
    async def suicidal():
        asyncio.current_task().cancel()
        return 1

    outcome = await run(suicidal())
    assert [type(error) for error in outcome.errors] == [LostError]


async def test_who_cancels_itself_and_takes_it_back_goes_on():
    async def undecided():
        task = asyncio.current_task()
        task.cancel()
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            task.uncancel()
        await asyncio.sleep(0)
        return task.cancelling()

    assert await values(undecided()) == [0]


async def test_a_cancellation_before_the_first_turn_reaches_what_is_waited_for():
    inner = asyncio.create_task(asyncio.sleep(1000))
    tasks = []

    async def victim():
        tasks.append(asyncio.current_task())
        await inner

    async def culprit():
        tasks[0].cancel("enough")

    outcome = await run(victim(), culprit())
    assert [type(error) for error in outcome.errors] == [LostError]
    assert inner.cancelled()


async def test_a_cancellation_before_the_first_turn_can_be_survived():
    tasks = []

    async def victim():
        tasks.append(asyncio.current_task())
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            return "survived"

    async def culprit():
        tasks[0].cancel()

    assert await values(victim(), culprit()) == ["survived", None]


async def test_who_keeps_a_task_that_did_not_wait_keeps_one_that_has_ended():
    kept = []

    async def keep(value):
        kept.append(asyncio.current_task())
        if isinstance(value, Exception):
            raise value
        return value

    outcome = await run(keep(1), keep(ValueError("no")))
    assert [str(error) for error in outcome.errors] == ["no"]
    good, bad = kept
    assert good.done()
    assert good.result() == 1
    assert await good == 1
    assert isinstance(bad.exception(), ValueError)


async def test_one_can_await_the_task_of_another():
    tasks = []

    async def first():
        tasks.append(asyncio.current_task())
        await asyncio.sleep(0)
        return "first"

    async def second():
        return await tasks[0]

    assert await values(first(), second()) == ["first", "first"]


async def test_calls_nest_before_and_after_the_first_wait():
    async def nested(depth, turns):
        await answer(None, turns=turns)
        if not depth:
            return asyncio.current_task()
        before = asyncio.current_task()
        found = await values(nested(depth - 1, turns), nested(depth - 1, turns))
        assert asyncio.current_task() is before
        return found

    assert await values(nested(3, 0), nested(3, 1))


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_in_the_first_step_leaves_nothing_behind(interruption):
    ended = []

    async def waits():
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append("cancelled")

    async def main():
        await run(waits(), fail(interruption()), answer("never started"))

    with pytest.raises(interruption):
        run_in_new_loop(main())
    gc.collect()  # a coroutine that was never awaited would warn here
    assert ended == ["cancelled"]


async def test_nothing_is_kept_of_what_has_ended():
    class Thing:
        pass

    async def use(thing, turns):
        await answer(None, turns=turns)

    things = [Thing(), Thing()]
    references = [weakref.ref(thing) for thing in things]
    await run(*(use(thing, turns) for turns, thing in enumerate(things)))
    things.clear()
    gc.collect()
    assert [reference() for reference in references] == [None, None]


async def test_nothing_is_reported_to_the_loop():
    reports = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reports.append(context))
    await run(fail(ValueError()), fail(KeyError(), turns=1), answer(1, turns=2))
    gc.collect()
    await asyncio.sleep(0)
    assert reports == []


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop does not run there")
def test_it_holds_on_uvloop():
    async def main():
        await test_each_has_one_task_of_its_own_from_first_line_to_last(1)
        await test_a_cancellation_before_the_first_turn_reaches_what_is_waited_for()
        await test_a_task_group_entered_before_the_first_wait_fails_only_its_own_coroutine()
        await test_cancelling_the_caller_cancels_all_and_waits_until_they_have_ended()
        await test_who_keeps_a_task_that_did_not_wait_keeps_one_that_has_ended()
        await test_calls_nest_before_and_after_the_first_wait()

    run_in_new_loop(main(), uvloop.new_event_loop)


# A program is what a coroutine does, step by step; the same programs are run by asyncio's own tasks.
step = st.sampled_from(["turn", "sleep", "task", "set", "look", "shield"])
program = st.tuples(st.lists(step, max_size=6), st.sampled_from(["return", "raise"]))


async def execute(number, steps, ending):
    trace = []
    for name in steps:
        match name:
            case "turn":
                await asyncio.sleep(0)
            case "sleep":
                await asyncio.sleep(0.0001)
            case "task":
                trace.append(await asyncio.create_task(answer(number)))
            case "set":
                variable.set(f"{variable.get()}{number}")
            case "look":
                trace.append(asyncio.current_task().cancelling())
            case "shield":
                await asyncio.shield(answer(None, turns=1))
    if ending == "raise":
        raise ValueError(number)
    return number, trace, variable.get()


@given(st.lists(program, min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_it_does_what_tasks_of_asyncio_do(programs):
    async def ours():
        outcome = await run(*(execute(n, *each) for n, each in enumerate(programs)))
        return None if outcome.errors else outcome.values

    async def theirs():
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(execute(n, *each)) for n, each in enumerate(programs)]
        except ExceptionGroup:
            return None
        return [task.result() for task in tasks]

    assert run_in_new_loop(ours()) == run_in_new_loop(theirs())

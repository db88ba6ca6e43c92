"""Work that is repeated (reference 1.5)."""

import asyncio

import pytest

from servo.configuration import BaseConfiguration
from servo.connector import BaseConnector
from servo.context import current_connector
from servo.logging import logger
from servo.repeating import repeating
from servo.types.core import Duration

pytestmark = pytest.mark.looptime


class TickingConnector(BaseConnector):
    config: BaseConfiguration


def ticking(kind=TickingConnector):
    return kind(config=BaseConfiguration())


@pytest.mark.parametrize("every", [10, "10s", Duration("10s")])
async def test_work_runs_at_once_and_then_again_and_again(looptime, every):
    times = []
    connector = ticking()
    connector.start_repeating_task("tick", every, lambda: times.append(float(looptime)))
    await asyncio.sleep(25)
    connector.cancel_repeating_tasks()
    assert times == pytest.approx([0, 10, 20])


@pytest.mark.parametrize(("correction", "expected"), [(False, [0, 14, 28]), (True, [0, 10, 20, 30])])
async def test_the_time_a_run_takes_can_be_taken_off_the_wait(looptime, correction, expected):
    times = []

    async def work():
        times.append(float(looptime))
        await asyncio.sleep(4)

    connector = ticking()
    connector.start_repeating_task("tick", 10, work, time_correction=correction)
    await asyncio.sleep(35)
    connector.cancel_repeating_task("tick")
    assert times == pytest.approx(expected)


async def test_a_run_longer_than_the_interval_is_followed_at_once(looptime):
    times = []

    async def work():
        times.append(float(looptime))
        await asyncio.sleep(15)

    connector = ticking()
    connector.start_repeating_task("tick", 10, work, time_correction=True)
    await asyncio.sleep(40)
    connector.cancel_repeating_tasks()
    assert times == pytest.approx([0, 15, 30])


async def test_a_task_says_whose_it_is_and_how_often(looptime):
    connector = ticking()
    task = connector.start_repeating_task("tick", "1m30s", lambda: None)
    assert task.get_name() == "ticking:tick (repeating every 1m30s)"
    assert connector.repeating_tasks == {"tick": task}
    assert connector.cancel_repeating_task("tick") is task
    assert connector.cancel_repeating_task("tick") is None
    assert connector.repeating_tasks == {}


async def test_a_name_is_active_once_and_replaced_when_it_has_ended(looptime):
    connector = ticking()
    first = connector.start_repeating_task("tick", 1, lambda: None)
    with pytest.raises(KeyError, match="repeating task already exists named 'tick'"):
        connector.start_repeating_task("tick", 1, lambda: None)
    first.cancel()
    await asyncio.sleep(0)
    second = connector.start_repeating_task("tick", 1, lambda: None)
    assert connector.cancel_repeating_tasks() == {"tick": second}


async def test_an_error_ends_the_repetition_and_is_logged(looptime):
    lines = []
    sink = logger.add(lambda message: lines.append(message.record["message"]), level="ERROR")
    connector = ticking()
    task = connector.start_repeating_task("tick", 1, lambda: 1 / 0)
    await asyncio.sleep(5)
    logger.remove(sink)
    assert isinstance(task.exception(), ZeroDivisionError)
    assert lines == ["ticking:tick (repeating every 1s) ended: ZeroDivisionError('division by zero')"]


async def test_a_decorated_method_is_repeated_with_its_connector(looptime):
    """Reference 1.5: the decorator passed the unbound function, so only functions without arguments worked."""

    class Decorated(TickingConnector):
        ticks: int = 0

        @repeating("10s")
        async def tick(self) -> None:
            self.ticks += 1

        @repeating(5, name="tock")
        def other(self) -> None:
            self.ticks += 100

    class Quiet(Decorated):
        def other(self) -> None:
            """Not repeated: who overrides a method says anew whether it is."""

    loud, quiet = ticking(Decorated), ticking(Quiet)
    await asyncio.sleep(11)
    assert (loud.ticks, quiet.ticks) == (302, 2)
    assert set(loud.repeating_tasks) == {"tick", "tock"}
    assert current_connector() is None
    for connector in (loud, quiet):
        connector.cancel_repeating_tasks()


def test_without_a_loop_decorated_methods_wait_to_be_started():
    class Later(TickingConnector):
        ticks: int = 0

        @repeating(10)
        async def tick(self) -> None:
            self.ticks += 1

    later = ticking(Later)
    assert later.repeating_tasks == {}
    with pytest.raises(RuntimeError):
        later.start_repeating_methods()

    async def main():
        later.start_repeating_methods()
        later.start_repeating_methods()
        await asyncio.sleep(0)
        later.cancel_repeating_tasks()

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(main())
    assert later.ticks == 1


def test_what_is_no_duration_is_refused_at_once():
    with pytest.raises(ValueError, match="soon"):
        repeating("soon")

"""Events reach their handlers: phases, options, errors, cancellation (reference 1.4)."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servo.configuration import BaseConfiguration
from servo.connector import BaseConnector
from servo.context import current_connector, current_event
from servo.dispatch import Bus
from servo.errors import EventAbortedError, EventCancelledError
from servo.events import (
    EventResult,
    Preposition,
    after_event,
    before_event,
    create_event,
    event,
    get_event,
    on_event,
)
from servo.logging import logger


async def ring(self, number: int = 1, *, loud: bool = False) -> str: ...


async def unheard(self) -> None: ...


create_event("ring", ring)
create_event("unheard", unheard)


class BellConnector(BaseConnector):
    config: BaseConfiguration
    log: Any  # a list would be copied
    number: int = 0

    @on_event()
    async def ring(self, number: int = 1, *, loud: bool = False) -> str:
        self.log.append(("on", self.name, number, loud))
        return self.name


class FullBellConnector(BellConnector):
    @before_event("ring")
    async def prepare(self, number: int = 1, *, loud: bool = False) -> None:
        self.log.append(("before", self.name, number, loud))

    @after_event("ring")
    async def clean(self, results: list[EventResult]) -> None:
        self.log.append(("after", self.name, [result.value for result in results]))


class DeafConnector(BaseConnector):
    config: BaseConfiguration
    log: Any  # a list would be copied


class BrokenConnector(BellConnector):
    @on_event()
    async def ring(self, number: int = 1, *, loud: bool = False) -> str:
        raise ValueError(self.name)


class RefusingConnector(BellConnector):
    @before_event("ring")
    async def refuse(self, number: int = 1, *, loud: bool = False) -> None:
        raise EventCancelledError("not now")


class MisusingConnector(BellConnector):
    @on_event()
    async def ring(self, number: int = 1, *, loud: bool = False) -> str:
        raise EventCancelledError("too late")


def bus_of(*types):
    log = []
    connectors = [
        kind(name=f"{kind.__name__[:4].lower()}-{index}", config=BaseConfiguration(), log=log)
        for index, kind in enumerate(types)
    ]
    bus = Bus(connectors)
    for connector in connectors:
        connector.__connectors__ = bus
    return connectors, log


@pytest.fixture
def warnings_logged():
    lines = []
    sink = logger.add(lambda message: lines.append(str(message)), level="WARNING", format="{level} {message}")
    yield lines
    logger.remove(sink)


async def test_all_phases_run_in_order_with_the_arguments_and_results():
    (bell, *_), log = bus_of(FullBellConnector, BellConnector)
    results = await bell.dispatch_event("ring", 2, loud=True)
    assert [result.value for result in results] == ["full-0", "bell-1"]
    assert log == [
        ("before", "full-0", 2, True),
        ("on", "full-0", 2, True),
        ("on", "bell-1", 2, True),
        ("after", "full-0", ["full-0", "bell-1"]),
    ]


async def test_a_result_tells_where_it_comes_from():
    (bell,), _ = bus_of(BellConnector)
    (result,) = await bell.dispatch_event(get_event("ring"))
    assert (result.event, result.preposition, result.connector) == ("ring", Preposition.on, bell)
    assert result.handler.handler is BellConnector.ring
    assert result.created_at.tzinfo is not None


async def test_a_standalone_connector_hears_itself():
    bell = BellConnector(config=BaseConfiguration(), log=[])
    assert bell.__connectors__ == [bell]
    assert [result.value for result in await bell.dispatch_event("ring")] == ["bell"]


async def test_nobody_answers_with_nothing():
    (deaf,), _ = bus_of(DeafConnector)
    assert await deaf.dispatch_event("unheard") == []


async def test_unknown_events_are_refused_at_once():
    (bell,), _ = bus_of(BellConnector)
    with pytest.raises(KeyError, match="no event named"):
        bell.dispatch_event("no such event")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"include": ["bell-1"]}, ["bell-1"]),
        ({"include": "bell-1"}, ["bell-1"]),
        ({"exclude": ["bell-1", "full-0"]}, ["bell-2"]),
        ({"include": ["bell-1", "bell-2"], "exclude": ["bell-2"]}, ["bell-1"]),
        ({"include": ["nobody"]}, []),
        ({"include": []}, []),
        ({"exclude": []}, ["full-0", "bell-1", "bell-2"]),
        ({"_prepositions": Preposition.before}, []),
        ({"_prepositions": Preposition.on}, ["full-0", "bell-1", "bell-2"]),
    ],
)
async def test_connectors_and_phases_are_chosen(options, expected):
    connectors, log = bus_of(FullBellConnector, BellConnector, BellConnector)
    results = await connectors[0].dispatch_event("ring", **options)
    assert [result.value for result in results] == expected
    if "_prepositions" in options:
        assert {phase for phase, *_ in log} == {str(options["_prepositions"])}


async def test_connectors_are_chosen_by_themselves_too():
    (_, bell, other), _ = bus_of(FullBellConnector, BellConnector, BellConnector)
    results = await bell.dispatch_event("ring", include=[bell, other], exclude=other)
    assert [result.value for result in results] == ["bell-1"]


async def test_first_asks_one_after_the_other_until_one_has_handlers():
    (deaf, *_), log = bus_of(DeafConnector, BellConnector, BellConnector)
    result = await deaf.dispatch_event("ring", first=True)
    assert result.value == "bell-1"
    assert log == [("on", "bell-1", 1, False)]


async def test_first_runs_the_other_phases():
    (bell, *_), log = bus_of(FullBellConnector, FullBellConnector)
    await bell.dispatch_event("ring", first=True)
    assert [(phase, name) for phase, name, *_ in log] == [
        ("before", "full-0"), ("before", "full-1"), ("on", "full-0"), ("after", "full-0"), ("after", "full-1"),
    ]  # fmt: skip


async def test_first_without_a_responder_is_none():
    """Reference 6.1 #8: ``first=True`` with no responder raised TypeError."""
    (deaf,), _ = bus_of(DeafConnector)
    assert await deaf.dispatch_event("ring", first=True) is None


async def test_first_raises_the_error_itself():
    (broken, _), _ = bus_of(BrokenConnector, BellConnector)
    with pytest.raises(ValueError, match="brok-0"):
        await broken.dispatch_event("ring", first=True)


async def test_cancelling_names_the_connector_though_the_error_does_not(warnings_logged):
    """Reference 6.1 #8: cancelling without ``connector=`` raised AttributeError."""
    (bell, *_), log = bus_of(FullBellConnector, RefusingConnector)
    assert await bell.dispatch_event("ring") == []
    assert [entry for entry in log if entry[0] != "before"] == []
    assert warnings_logged == ['WARNING event "ring" was cancelled by refu-1: not now\n']


async def test_cancelling_with_first_is_none():
    (bell,), _ = bus_of(RefusingConnector)
    assert await bell.dispatch_event("ring", first=True) is None


async def test_a_cancellation_wins_over_another_error_which_is_logged(warnings_logged):
    class Failing(BellConnector):
        @before_event("ring")
        async def fail(self, number: int = 1, *, loud: bool = False) -> None:
            raise KeyError("lost")

    (bell, _), _ = bus_of(Failing, RefusingConnector)
    assert await bell.dispatch_event("ring") == []
    assert "lost" in "".join(warnings_logged)


async def test_an_error_before_stops_the_event():
    class Failing(BellConnector):
        @before_event("ring")
        async def fail(self, number: int = 1, *, loud: bool = False) -> None:
            raise KeyError("no")

    (bell, _), log = bus_of(Failing, BellConnector)
    with pytest.raises(ExceptionGroup) as caught:
        await bell.dispatch_event("ring")
    assert caught.group_contains(KeyError)
    assert log == []


async def test_an_error_is_raised_as_group_and_skips_what_comes_after():
    (bell, *_), log = bus_of(FullBellConnector, BrokenConnector, BrokenConnector)
    with pytest.raises(ExceptionGroup, match="unhandled errors in handlers of on:ring") as caught:
        await bell.dispatch_event("ring")
    assert [str(error) for error in caught.value.exceptions] == ["brok-1", "brok-2"]
    assert all(error.__event_result__.value is error for error in caught.value.exceptions)
    assert [error.__event_result__.connector.name for error in caught.value.exceptions] == [
        "brok-1",
        "brok-2",
    ]
    assert "after" not in {phase for phase, *_ in log}


async def test_an_error_cancels_handlers_that_still_run():
    class Slow(BellConnector):
        @on_event()
        async def ring(self, number: int = 1, *, loud: bool = False) -> str:
            try:
                await asyncio.sleep(1000)
            finally:
                self.log.append("cancelled")
            return "never"

    (slow, _), log = bus_of(Slow, BrokenConnector)
    with pytest.raises(ExceptionGroup):
        await slow.dispatch_event("ring")
    assert log == ["cancelled"]


async def test_errors_are_results_if_asked_for_and_the_event_goes_on():
    (bell, *_), log = bus_of(FullBellConnector, BrokenConnector)
    results = await bell.dispatch_event("ring", return_exceptions=True)
    assert [type(result.value) for result in results] == [str, ValueError]
    assert results[1].value.__event_result__ is results[1]
    assert log[-1][0] == "after"


async def test_errors_after_are_a_group():
    class Failing(BellConnector):
        @after_event("ring")
        async def fail(self, results: list[EventResult]) -> None:
            raise KeyError("after")

    (bell,), _ = bus_of(Failing)
    with pytest.raises(ExceptionGroup) as caught:
        await bell.dispatch_event("ring", return_exceptions=True)
    assert caught.group_contains(KeyError)


async def test_an_on_handler_cannot_cancel():
    (bell,), _ = bus_of(MisusingConnector)
    with pytest.raises(ExceptionGroup) as caught:
        await bell.dispatch_event("ring")
    (error,) = caught.value.exceptions
    assert (type(error), str(error)) == (TypeError, "Cannot cancel an event from an on handler")
    assert isinstance(error.__cause__, EventCancelledError)


async def test_an_on_handler_that_cancels_is_warned_of_if_errors_are_results(warnings_logged):
    (bell,), _ = bus_of(MisusingConnector)
    (result,) = await bell.dispatch_event("ring", return_exceptions=True)
    assert isinstance(result.value, EventCancelledError)
    assert warnings_logged == ["WARNING Cannot cancel an event from an on handler: event dispatched\n"]


async def test_a_handler_that_is_cancelled_by_somebody_else_is_an_error_of_its_own():
    class Cancelled(BellConnector):
        @on_event()
        async def ring(self, number: int = 1, *, loud: bool = False) -> str:
            raise asyncio.CancelledError

    (bell, _), _ = bus_of(Cancelled, BellConnector)
    with pytest.raises(ExceptionGroup) as caught:
        await bell.dispatch_event("ring")
    (error,) = caught.value.exceptions
    assert isinstance(error, EventAbortedError)
    assert str(error) == "canc-0 was cancelled while it handled ring"
    results = await bell.dispatch_event("ring", return_exceptions=True)
    assert [type(result.value) for result in results] == [EventAbortedError, str]


async def test_handlers_know_connector_event_and_task():
    class Curious(BellConnector):
        @on_event()
        async def ring(self, number: int = 1, *, loud: bool = False) -> str:
            await asyncio.sleep(0)
            self.log.append((current_connector(), str(current_event()), asyncio.current_task().get_name()))
            return ""

        @before_event("ring")
        def look(self, number: int = 1, *, loud: bool = False) -> None:
            self.log.append((current_connector(), str(current_event()), asyncio.current_task().get_name()))

    (one, two), log = bus_of(Curious, Curious)
    await one.dispatch_event("ring")
    assert log == [
        (one, "before:ring", "before:ring"), (two, "before:ring", "before:ring"),
        (one, "ring", "on:ring"), (two, "ring", "on:ring"),
    ]  # fmt: skip
    assert (current_connector(), current_event()) == (None, None)


async def test_several_handlers_of_a_connector_run_in_turn_each_in_its_own_task():
    class Twice(BellConnector):
        @on_event("ring")
        async def again(self, number: int = 1, *, loud: bool = False) -> str:
            self.log.append(asyncio.current_task())
            return "again"

        @on_event("ring")
        def third(self, number: int = 1, *, loud: bool = False) -> str:
            self.log.append(asyncio.current_task())
            return "third"

    (twice, _), log = bus_of(Twice, BellConnector)
    results = await twice.dispatch_event("ring")
    assert [result.value for result in results] == ["twic-0", "again", "third", "bell-1"]
    tasks = [entry for entry in log if isinstance(entry, asyncio.Task)]
    assert len(set(tasks)) == 2
    assert [result.value for result in await twice.run_event_handlers(get_event("ring"), Preposition.on)] == [
        "twic-0", "again", "third",
    ]  # fmt: skip


async def test_run_event_handlers_raises_the_error_itself_and_stops_there():
    (broken,), _ = bus_of(BrokenConnector)
    with pytest.raises(ValueError, match="brok-0"):
        await broken.run_event_handlers(get_event("ring"), Preposition.on)
    (result,) = await broken.run_event_handlers(get_event("ring"), Preposition.on, return_exceptions=True)
    assert isinstance(result.value, ValueError)


async def test_run_event_handlers_is_none_without_handlers_and_wants_an_event():
    (bell,), _ = bus_of(BellConnector)
    assert await bell.run_event_handlers(get_event("ring"), Preposition.after) is None
    with pytest.raises(ValueError, match="must be an Event"):
        await bell.run_event_handlers("ring", Preposition.on)


async def test_set_up_and_tear_down_wrap_every_handler():
    log = []

    class Wrapped(BaseConnector):
        config: BaseConfiguration

        @event("wrapped_ring")
        async def wrapped_ring(self):
            log.append(f"set up {self.name}")
            try:
                yield
            finally:
                log.append("tear down")

        @before_event("wrapped_ring")
        def before(self) -> None:
            log.append("before")

        @on_event("wrapped_ring")
        async def on(self) -> int:
            log.append("on")
            raise ValueError

    with pytest.raises(ExceptionGroup):
        await Wrapped(config=BaseConfiguration()).dispatch_event("wrapped_ring")
    assert log == ["set up wrapped", "before", "tear down", "set up wrapped", "on", "tear down"]


async def test_arguments_reach_handlers_that_take_them_differently():
    class Different(BellConnector):
        @on_event("ring", loud=True)
        async def ring(self, **kwargs) -> str:
            return str(kwargs)

        @on_event("ring")
        async def other(self, *, loud: bool, number: int) -> str:
            return f"{loud} {number}"

    (bell,), _ = bus_of(Different)
    results = await bell.dispatch_event("ring", 5)
    assert [result.value for result in results] == ["{'loud': False, 'number': 5}", "False 5"]


async def test_arguments_of_the_decorator_are_defaults():
    async def tell(self, **kwargs) -> None: ...

    create_event("tell", tell)

    class Told(BaseConnector):
        config: BaseConfiguration

        @on_event("tell", who="me", what="this")
        async def tell(self, who: str, **kwargs) -> None:
            return who, kwargs

    told = Told(config=BaseConfiguration())
    (result,) = await told.dispatch_event("tell", what="that")
    assert result.value == ("me", {"what": "that"})


async def test_a_handler_added_to_an_instance_does_not_leak_to_others():
    """Reference 6.4: handlers added to an instance were added to its class."""

    async def notify(self, results: list[EventResult], **kwargs) -> None:
        self.log.append(f"notified of {len(results)}")

    (one, two), log = bus_of(BellConnector, BellConnector)
    await one.dispatch_event("ring")
    one.add_event_handler(get_event("ring"), Preposition.after, notify)
    await two.dispatch_event("ring")
    assert log[-1] == "notified of 2"
    assert len(one.get_event_handlers("ring")) == 2
    assert len(two.get_event_handlers("ring")) == len(BellConnector.get_event_handlers("ring")) == 1


async def test_a_bound_method_can_be_added():
    class Starter(BellConnector):
        async def notify(self, results: list[EventResult]) -> None:
            self.log.append("notified")

    (one,), log = bus_of(Starter)
    one.add_event_handler("ring", Preposition.after, one.notify)
    await one.dispatch_event("ring")
    assert log[-1] == "notified"


async def test_a_handler_added_to_a_class_is_one_of_all_its_instances():
    class Own(DeafConnector):
        pass

    (one, two), _ = bus_of(Own, Own)
    assert await one.dispatch_event("ring") == []
    Own.add_event_handler("ring", Preposition.on, lambda self, **_: self.name)
    assert [result.value for result in await two.dispatch_event("ring")] == ["own-0", "own-1"]
    assert not DeafConnector.responds_to_event("ring")


async def test_a_handler_that_does_not_fit_cannot_be_added():
    (bell,), _ = bus_of(BellConnector)
    with pytest.raises(TypeError, match="missing required parameter"):
        bell.add_event_handler("ring", Preposition.after, lambda self: None)
    with pytest.raises(ValueError, match="Unknown event"):
        bell.add_event_handler("never heard", Preposition.after, lambda self: None)
    with pytest.raises(ValueError, match="one preposition"):
        bell.add_event_handler("ring", Preposition.all, lambda self, **_: None)


async def test_who_joins_or_leaves_is_heard_of_at_the_next_dispatch():
    (one, two, three), _ = bus_of(BellConnector, BellConnector, BellConnector)
    bus = one.__connectors__
    bus.remove(two)
    assert [result.value for result in await one.dispatch_event("ring")] == ["bell-0", "bell-2"]
    bus.append(two)
    assert [result.value for result in await one.dispatch_event("ring")] == ["bell-0", "bell-2", "bell-1"]
    del bus[0]
    bus[0] = one
    assert [result.value for result in await three.dispatch_event("ring")] == ["bell-0", "bell-1"]
    with pytest.raises(ValueError, match="is not on the bus"):
        bus.remove(three)


async def test_who_leaves_during_a_dispatch_does_not_disturb_it():
    class Leaver(BellConnector):
        @on_event()
        async def ring(self, number: int = 1, *, loud: bool = False) -> str:
            self.__connectors__.remove(self)
            await asyncio.sleep(0)
            return self.name

    (one, *_), _ = bus_of(Leaver, Leaver, Leaver)
    assert len(await one.dispatch_event("ring")) == 3
    assert await one.dispatch_event("ring") == []


async def test_a_dispatch_can_be_awaited_once():
    (bell,), _ = bus_of(BellConnector)
    dispatch = bell.dispatch_event("ring")
    await dispatch
    with pytest.raises(RuntimeError):
        await dispatch


def test_a_bus_compares_by_identity_and_order():
    (one, two), _ = bus_of(BellConnector, BellConnector)
    bus = one.__connectors__
    assert bus == [one, two]
    assert bus != [two, one]
    assert bus[1:] == [two]
    assert one in bus
    assert repr(bus) == "Bus(['bell-0', 'bell-1'])"


handlers = st.lists(
    st.tuples(
        st.sampled_from(["before", "on", "after"]),
        st.booleans(),  # whether it waits
        st.booleans(),  # whether it is asynchronous
    ),
    max_size=4,
)


def connector_of(index, declared, trace):
    def make(number, preposition, waits, is_async):
        async def handle(self, *_, **__):
            if waits:
                await asyncio.sleep(0)
            trace.append((preposition, index, number))
            return (index, number)

        def handle_now(self, *_, **__):
            trace.append((preposition, index, number))
            return (index, number)

        return handle if is_async else handle_now

    connector = DeafConnector(name=f"any-{index}", config=BaseConfiguration(), log=[])
    for number, (preposition, waits, is_async) in enumerate(declared):
        connector.add_event_handler(
            "ring", Preposition.from_str(preposition), make(number, preposition, waits, is_async)
        )
    return connector


@given(st.lists(handlers, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
async def test_phases_follow_each_other_and_results_follow_the_bus(declared):
    trace = []
    connectors = [connector_of(index, each, trace) for index, each in enumerate(declared)]
    bus = Bus(connectors)
    for connector in connectors:
        connector.__connectors__ = bus
    results = await connectors[0].dispatch_event("ring")
    expected = {
        phase: [(i, n) for i, each in enumerate(declared) for n, (p, *_) in enumerate(each) if p == phase]
        for phase in ("before", "on", "after")
    }
    assert [result.value for result in results] == expected["on"]
    # Phases do not overlap; within one, the handlers of each connector keep their order.
    assert [phase for phase, *_ in trace] == [phase for phase, each in expected.items() for _ in each]
    for index in range(len(declared)):
        own = [(phase, number) for phase, i, number in trace if i == index]
        assert own == sorted(own, key=lambda entry: (["before", "on", "after"].index(entry[0]), entry[1]))


class AbsorbingConnector(BellConnector):
    """Its handlers are told everything and name nothing."""

    @before_event("ring")
    async def prepare(self, **given) -> None:
        self.log.append(("before", given))

    @on_event()
    async def ring(self, **given) -> str:
        self.log.append(("on", given))
        return self.name

    @after_event("ring")
    async def clean(self, **given) -> None:
        self.log.append(("after", [result.value for result in given.pop("results")], given))

    @after_event("ring")
    def clean_by_name(self, *, results: list[EventResult]) -> None:
        self.log.append(("after", [result.value for result in results]))


async def test_handlers_that_absorb_their_arguments_get_them_by_name():
    (bell,), log = bus_of(AbsorbingConnector)
    await bell.dispatch_event("ring", 2)
    given = {"number": 2, "loud": False}
    assert log == [("before", given), ("on", given), ("after", ["abso-0"], {}), ("after", ["abso-0"])]


async def test_what_an_after_handler_is_given_beside_the_results_reaches_it():
    (bell,), log = bus_of(BellConnector)

    async def note(self, *, where, results) -> None:
        self.log.append((where, len(results)))

    bell.add_event_handler("ring", Preposition.after, note, where="here")
    await bell.dispatch_event("ring")
    assert log[1:] == [("here", 1)]


@pytest.mark.parametrize("waits", [False, True])
async def test_a_handler_that_exits_has_failed_and_nothing_else_ends(waits):
    """Reference 3.7: anything but an EventError ended the process; an exit still did, out of the event loop."""
    (bell, other), _ = bus_of(BellConnector, BellConnector)

    async def leave(self, number: int = 1, *, loud: bool = False) -> str:
        if waits:
            await asyncio.sleep(0)
        raise SystemExit(3)

    bell.add_event_handler("ring", Preposition.on, leave)
    with pytest.raises(ExceptionGroup) as caught:
        await bell.dispatch_event("ring")
    (error,) = caught.value.exceptions
    assert str(error) == "a handler must not end the process, but it raised SystemExit(3)"
    assert isinstance(error.__cause__, SystemExit)
    assert error.__event_result__.connector is bell
    results = await other.dispatch_event("ring", return_exceptions=True)
    assert [type(result.value) for result in results] == [str, RuntimeError, str]


def test_an_interrupt_from_the_keyboard_in_a_handler_ends_the_process():
    async def main():
        (bell,), _ = bus_of(BellConnector)

        async def interrupted(self, number: int = 1, *, loud: bool = False) -> str:
            await asyncio.sleep(0)
            raise KeyboardInterrupt

        bell.add_event_handler("ring", Preposition.on, interrupted)
        await bell.dispatch_event("ring")

    with pytest.raises(KeyboardInterrupt), asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(main())

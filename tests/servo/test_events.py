"""Events and handlers are declared, found, and refused where they do not fit (reference 1.3)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import ClassVar

import pydantic
import pytest

from servo.checks import Check, CheckFilter
from servo.configuration import BaseConfiguration
from servo.connector import BaseConnector
from servo.context import current_event
from servo.events import (
    Event,
    EventContext,
    EventResult,
    Preposition,
    after_event,
    before_event,
    create_event,
    event,
    get_event,
    get_events,
    on_event,
    validate_event_contexts,
)
from servo.standard_events import Events
from servo.types.api import Adjustment, Control, Description, Measurement
from servo.types.core import ErrorSeverity


async def known(self, number: int, *, word: str = "") -> list[int]: ...


KNOWN = create_event("known", known)
CONTROL = Control()


def test_an_event_is_found_by_name():
    assert get_event("known") is KNOWN
    assert KNOWN in get_events()
    assert get_event("never heard of", None) is None
    with pytest.raises(KeyError, match="never heard of"):
        get_event("never heard of")


def test_an_event_equals_its_name_and_its_like():
    assert KNOWN == "known"
    assert KNOWN != "unknown"
    assert Event("known", KNOWN.signature) == KNOWN
    assert {KNOWN: 1}["known"] == 1
    assert KNOWN.module == __name__


def test_the_standard_events_are_declared():
    assert {event.value for event in Events} <= {each.name for each in get_events()}
    assert str(get_event("measure").signature).startswith(
        "(self, *, metrics: list[str] | None = None, control:"
    )


def test_a_name_is_taken_once():
    with pytest.raises(ValueError, match="has already been created"):
        create_event("known", known)


def test_events_are_async():
    def synchronous(self) -> None: ...

    with pytest.raises(ValueError, match="events must be async"):
        create_event("synchronous", synchronous)
    with pytest.raises(ValueError, match="events must be async"):
        event(handler=True)(synchronous)


def test_events_have_no_variable_positional_arguments():
    async def variable(self, *args) -> None: ...

    with pytest.raises(TypeError, match="events cannot declare variable positional arguments"):
        create_event("variable", variable)


def test_what_declares_an_event_is_a_stub():
    async def full(self) -> None:
        await asyncio.sleep(0)

    async def documented(self) -> None:
        """It says what it is for."""

    async def passing(self) -> None:
        pass

    with pytest.raises(ValueError, match="must be a stub"):
        create_event("full", full)
    create_event("documented stub", documented)
    create_event("passing stub", passing)


def test_a_function_without_source_is_taken_for_a_stub():
    namespace = {}
    exec("async def sourceless(self) -> None: return 1", namespace)
    assert create_event("sourceless", namespace["sourceless"]).name == "sourceless"


def test_set_up_and_tear_down_take_only_the_connector():
    async def demanding(self, number: int) -> AsyncIterator[None]:
        yield

    with pytest.raises(TypeError, match='give "number" a default'):
        create_event("demanding", demanding)


async def test_a_handler_can_declare_its_event():
    class Declaring(BaseConnector):
        config: BaseConfiguration

        @event(handler=True)
        async def declared_by_handler(self) -> int:
            return 42

    (result,) = await Declaring(config=BaseConfiguration()).dispatch_event("declared_by_handler")
    assert result.value == 42


def test_unknown_events_have_no_handlers():
    with pytest.raises(ValueError, match="Unknown event 'unknown'"):

        @on_event()
        async def unknown(self) -> None: ...


def decorated(decorator, function):
    decorator(function)
    return function.__event_handler__


def test_handlers_that_fit():  # noqa: C901  a list of handlers
    async def exact(self, number: int, *, word: str = "") -> list[int]: ...
    def synchronous(self, number: int, *, word: str = "") -> list[int]: ...
    async def absorbing(self, **kwargs) -> list[int]: ...
    async def unannotated(self, number, *, word): ...
    async def subclass(self, number: bool, *, word: str) -> list[bool]: ...
    async def wider(self, number: int | None, *, word: object) -> list: ...
    async def not_imported(self, number: "int", *, word: "unknowable.str") -> "typing.List[int]": ...  # noqa: F821 - a name that is not there is what is tested
    def unimportant(self, **_) -> None: ...
    async def with_results(self, results: list[EventResult]) -> None: ...
    async def with_more(self, results: "list[EventResult]", **kwargs) -> None: ...

    for function in (exact, synchronous, absorbing, unannotated, subclass, wider, not_imported):
        handler = decorated(on_event("known"), function)
        assert (handler.event, handler.preposition, handler.handler) == (KNOWN, Preposition.on, function)
    assert decorated(before_event("known"), unimportant).preposition is Preposition.before
    assert decorated(after_event("known"), with_results).preposition is Preposition.after
    assert decorated(after_event("known"), with_more).preposition is Preposition.after


def test_handlers_that_do_not_fit():  # noqa: C901  a list of handlers
    async def missing(self, number: int) -> list[int]: ...
    async def extra(self, number: int, another: int, yet_another: int, *, word: str) -> list[int]: ...
    async def one_more(self, number: int, another: int, *, word: str) -> list[int]: ...
    async def returns(self, number: int, *, word: str) -> dict: ...
    async def takes(self, number: dict, *, word: str) -> list[int]: ...
    async def element(self, number: int, *, word: str) -> list[str]: ...
    async def selfless() -> list[int]: ...
    async def no_results(self) -> None: ...
    async def returning(self, results: list[EventResult]) -> int: ...
    async def named(self, number: int, *, word: str) -> "Unknown": ...  # noqa: F821 - a name that is not there is what is tested
    async def by_position(self, number: int, /, *, word: str) -> list[int]: ...
    async def results_by_position(self, results: list[EventResult], /) -> None: ...

    for decorator, function, message in (
        (on_event, missing, 'invalid event handler "known": missing required parameter "word" in callable signature'),
        (on_event, extra, 'encountered unexpected parameters "another and yet_another" in callable signature'),
        (on_event, one_more, 'encountered unexpected parameter "another" in callable signature'),
        (on_event, returns, 'incompatible return type annotation "dict" in callable signature'),
        (on_event, takes, 'incompatible type annotation of parameter "number"'),
        (on_event, element, "incompatible return type annotation"),
        (on_event, selfless, 'missing required parameter "self"'),
        (on_event, named, "incompatible return type annotation"),
        (on_event, by_position, 'positional-only parameter "number" in callable signature'),
        (after_event, results_by_position, 'positional-only parameter "results" in callable signature'),
        (before_event, returns, 'invalid before event handler "before:known": incompatible return type annotation'),
        (after_event, no_results, 'invalid after event handler "after:known": missing required parameter "results"'),
        (after_event, returning, 'invalid after event handler "after:known": incompatible return type annotation'),
    ):  # fmt: skip
        with pytest.raises(TypeError) as caught:
            decorator("known")(function)
        assert message in str(caught.value)
        assert "expected" in str(caught.value)


def test_string_annotations_of_local_classes_are_resolved():
    class Local:
        pass

    async def of_local(self) -> Local: ...

    create_event("of_local", of_local)

    class Sub(Local):
        pass

    class Other:
        pass

    async def good(self) -> "Sub": ...
    async def bad(self) -> "Other": ...

    on_event("of_local")(good)
    with pytest.raises(TypeError, match="incompatible return type"):
        on_event("of_local")(bad)


def test_the_ways_in_which_third_parties_write_standard_handlers():
    class Third(BaseConnector):
        config: BaseConfiguration

        @on_event()
        async def describe(self, control: Control = CONTROL) -> Description: ...
        @on_event()
        async def measure(
            self, *, metrics: list[str] | None = None, control: Control = CONTROL
        ) -> Measurement: ...
        @on_event()
        async def adjust(self, adjustments: list[Adjustment], control: Control = CONTROL) -> Description: ...
        @on_event()
        async def check(
            self, matching: CheckFilter | None, halt_on: ErrorSeverity | None = ErrorSeverity.critical
        ) -> list[Check]: ...
        @on_event()
        async def attach(self, servo_: "servo.Servo") -> None: ...  # noqa: F821 - a name that is not there is what is tested
        @on_event()
        def startup(self) -> None: ...

    for name in ("describe", "measure", "adjust", "check", "attach", "startup"):
        assert Third.responds_to_event(name)
    assert not Third.responds_to_event("metrics")


def test_handlers_are_inherited_and_overriding_the_method_replaces_its_handler():
    class Parent(BaseConnector):
        config: BaseConfiguration

        @on_event()
        async def known(self, number: int, *, word: str = "") -> list[int]:
            return [1]

        @before_event("known")
        async def prepare(self, **_) -> None: ...

    class Child(Parent):
        @on_event()
        async def known(self, number: int, *, word: str = "") -> list[int]:
            return [2]

    class Undecorated(Parent):
        async def known(self, number: int, *, word: str = "") -> list[int]:
            return [3]

        prepare: ClassVar[None] = None

    def answers(kind):
        return [
            result.value
            for result in asyncio_run(kind(config=BaseConfiguration()).dispatch_event("known", 1))
        ]

    assert [handler.preposition for handler in Child.__event_handlers__] == [
        Preposition.on,
        Preposition.before,
    ]
    assert (answers(Parent), answers(Child), answers(Undecorated)) == ([[1]], [[2]], [[3]])
    assert len(Undecorated.__event_handlers__) == 1
    assert [handler.connector_type for handler in Parent.__event_handlers__] == [Parent, Parent]


def asyncio_run(coroutine):
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(coroutine)


def test_prepositions():
    assert Preposition.from_str("before") is Preposition.before
    assert str(Preposition.after) == "after"
    assert Preposition.all == Preposition.before | Preposition.on | Preposition.after
    assert Preposition.on.flag
    assert not Preposition.all.flag
    with pytest.raises(ValueError, match="beside"):
        Preposition.from_str("beside")


@pytest.mark.parametrize(
    ("text", "shown", "preposition"),
    [
        ("measure", "measure", "on"),
        ("on:measure", "measure", "on"),
        ("before:adjust", "before:adjust", "before"),
    ],
)
def test_an_event_context_is_read_from_and_equals_text(text, shown, preposition):
    context = EventContext.from_str(text)
    assert str(context) == shown
    assert context == text
    assert context == shown
    assert context == EventContext(get_event(shown.rpartition(":")[2]), Preposition.from_str(preposition))
    assert hash(context) == hash(shown)
    assert context != "after:measure"


@pytest.mark.parametrize("text", ["", "nothing", "beside:measure", "before:nothing", "all:measure", ":"])
def test_what_names_no_event_is_no_context(text):
    assert EventContext.from_str(text) is None


def test_an_event_context_knows_phase_operation_and_time():
    context = EventContext.from_str("before:adjust")
    assert (context.is_before(), context.is_on(), context.is_after()) == (True, False, False)
    assert [EventContext.from_str(name).operation() for name in ("describe", "measure", "adjust", "check")] == [
        "DESCRIPTION", "MEASUREMENT", "ADJUSTMENT", None,
    ]  # fmt: skip
    when = datetime(2026, 1, 1, tzinfo=UTC)
    assert EventContext(KNOWN, Preposition.on, when).created_at == when
    assert (datetime.now(UTC) - context.created_at).total_seconds() < 60


def test_an_event_context_can_be_made_current():
    context = EventContext.from_str("measure")
    with context.current():
        assert current_event() is context
    assert current_event() is None


def test_a_field_of_event_contexts_is_validated():
    class Hook(pydantic.BaseModel):
        events: list[str]
        _validate = pydantic.field_validator("events", mode="before")(validate_event_contexts)

    assert Hook(events=["before:adjust", "measure"]).events == ["before:adjust", "measure"]
    with pytest.raises(pydantic.ValidationError, match="Invalid event beside:measure"):
        Hook(events=["measure", "beside:measure"])

"""Checks: outcomes, decorators, filters, prerequisites (reference 1.7)."""

import asyncio
import json
import re
from collections.abc import Callable, Iterable

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from servo.checks import (
    BaseChecks,
    Check,
    CheckError,
    CheckFilter,
    CheckHandler,
    ErrorSeverity,
    check,
    create_checks_from_iterable,
    multicheck,
    require,
    warn,
)
from servo.configuration import BaseConfiguration
from servo.types.core import Duration

SEVERITIES = [*ErrorSeverity]


def raising(error):
    def handler():
        raise error

    return handler


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize(
    ("result", "success", "message"),
    [
        (None, True, None),
        (True, True, None),
        (False, False, None),
        ("fine", True, "fine"),
        ((True, "good"), True, "good"),
        ((False, "bad"), False, "bad"),
        (CheckError("wrong"), False, "wrong"),
        (AssertionError("not so"), False, "not so"),
        (ValueError("oops"), False, "caught exception (ValueError): oops"),
        (5, False, "caught exception (ValueError): a check returns None, a bool, a str or a tuple of bool and str, not int"),
        ((1, 2), False, "caught exception (ValueError): a check returns None, a bool, a str or a tuple of bool and str, not tuple"),
    ],
)  # fmt: skip
async def test_what_code_returns_or_raises_is_the_outcome(result, success, message, waits):
    handler = raising(result) if isinstance(result, Exception) else lambda: result

    async def later():
        await asyncio.sleep(0)
        return handler()

    found = await Check.run("Something", handler=later if waits else handler)
    assert (found.success, found.message) == (success, message)
    assert found.run_at is not None
    assert isinstance(found.runtime, Duration)
    assert found.created_at <= found.run_at


async def test_inline_checks_take_arguments_and_a_description():
    found = await Check.run(
        "Sum", handler=lambda a, b: f"{a + b}", args=[1], kwargs={"b": 2}, description="adds"
    )
    assert (found.message, found.description) == ("3", "adds")


async def test_guidance_of_a_failure_is_kept():
    def remedy(): ...

    found = await Check.run("Door", handler=raising(CheckError("closed", hint="open it", remedy=remedy)))
    assert (found.hint, found.remedy, str(found.exception)) == ("open it", remedy, "closed")


def test_an_id_is_a_digest_of_the_name():
    assert Check(name="Opsani API connectivity").id == "ffd7e219"
    assert Check(name="Opsani API connectivity", id="own").id == "own"


def test_fields_are_validated_also_when_they_are_assigned():
    with pytest.raises(pydantic.ValidationError):
        Check(name=5)
    for tags in ({"Upper"}, {"a" * 33}, {""}, {"spa ce"}):
        with pytest.raises(pydantic.ValidationError):
            Check(name="x", tags=tags)
    found = Check(name="x", tags={"good-1.x"})
    with pytest.raises(pydantic.ValidationError):
        found.severity = "grave"


def test_an_exception_is_written_as_its_representation():
    written = json.loads(Check(name="x", exception=ValueError("no"), remedy=print).model_dump_json())
    assert (written["exception"], written["remedy"]) == ("ValueError('no')", "print")


def test_braces_of_a_name_are_escaped_once():
    assert Check(name="{a} {{b}} c").escaped_name == "{{a}} {{b}} c"


@pytest.mark.parametrize(
    ("severity", "success", "passed"),
    [
        ("warning", False, True), ("warning", True, True), ("common", False, False), ("common", True, True),
        ("critical", False, False), ("critical", True, True), ("common", None, False),
    ],
)  # fmt: skip
def test_only_a_warning_may_fail(severity, success, passed):
    found = Check(name="x", severity=severity, success=success)
    assert (found.passed, found.failed) == (passed, not passed)
    assert (found.warning, found.critical) == (severity == "warning", severity == "critical")


def test_checks_hash_by_id():
    assert hash(Check(name="a", id="same")) == hash(Check(name="b", id="same"))


class Configuration(BaseConfiguration):
    host: str = "here"
    items: list[str] = ["one", "two"]  # noqa: RUF012  a field


class ExampleChecks(BaseChecks):
    config: Configuration

    @require("{self.config.host} answers")
    def check_host(self) -> bool:
        return self.config.host != "down"

    @check("Plain", id="own-id", tags={"plain", "first"}, description="says nothing")
    async def check_plain(self) -> None: ...

    @multicheck("Item {item} of {self.config.host}", tags={"items"})
    async def check_items(self) -> tuple[Iterable[str], CheckHandler]:
        async def found(item: str) -> str:
            return f"{item} is there"

        return self.config.items, found

    @warn("Weather")
    async def check_weather(self) -> tuple[bool, str]:
        return False, "rain"

    @require("Late requirement")
    def check_late(self) -> str | None: ...

    async def check_undecorated(self) -> Check:
        return Check(name="Undecorated", id="undecorated", success=True)

    def run_helper(self) -> int:
        return 1

    def _helper(self) -> int:
        return 2


ALL = [
    "check_host",
    "own-id",
    "check_items_item_0",
    "check_items_item_1",
    "check_weather",
    "check_late",
    "undecorated",
]


def ids(checks):
    return [each.id for each in checks]


async def test_methods_run_in_the_order_of_their_definition():
    found = await ExampleChecks.run(Configuration())
    assert ids(found) == ALL
    assert [each.success for each in found] == [True, True, True, True, False, True, True]
    assert (found[1].description, found[1].tags) == ("says nothing", {"plain", "first"})
    assert found[2].message == "one is there"
    assert ExampleChecks.check_plain.__check__.name == "Plain"


async def test_names_are_filled_in_for_synchronous_checks_too():
    """Reference 1.7: names of synchronous checks were not formatted."""
    found = await ExampleChecks.run(Configuration(host="there"))
    assert [each.name for each in found[:4]] == [
        "there answers", "Plain", "Item one of there", "Item two of there",
    ]  # fmt: skip


async def test_the_configuration_is_kept_and_not_copied():
    config = Configuration()
    assert ExampleChecks(config).config is config


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"id": "own-id"}, ["check_host", "own-id", "undecorated"]),
        ({"id": "own-id", "exclusive": True}, ["own-id"]),
        (
            {"id": ["own-id", "check_items_item_1"]},
            ["check_host", "own-id", "check_items_item_1", "undecorated"],
        ),
        ({"id": re.compile("item_")}, ["check_host", *ALL[2:4], "undecorated"]),
        ({"name": "Item two of here"}, ["check_host", "check_items_item_1", "undecorated"]),
        ({"name": "here answers"}, ["check_host", "undecorated"]),
        ({"tags": {"items", "unknown"}}, ["check_host", *ALL[2:4], "undecorated"]),
        ({"tags": {"plain"}, "name": "Weather"}, ["undecorated"]),
        ({"id": "check_late"}, ["check_host", "check_late", "undecorated"]),
        ({"id": "nothing"}, ["undecorated"]),
        ({}, ALL),
    ],
)
async def test_a_filter_chooses_and_brings_what_is_required_before(given, expected):
    assert ids(await ExampleChecks.run(Configuration(), matching=CheckFilter(**given))) == expected


class FailingChecks(BaseChecks):
    config: BaseConfiguration

    @warn("Warns")
    def check_warning(self) -> bool:
        return False

    @check("Common")
    def check_common(self) -> bool:
        return False

    @require("Critical")
    def check_critical(self) -> bool:
        raise ValueError("cause")

    @check("Last")
    def check_last(self) -> bool:
        return True


@pytest.mark.parametrize(("halt_on", "ran"), [("warning", 2), ("common", 2), ("critical", 3), (None, 4)])
async def test_a_failure_ends_the_run_if_it_is_grave_enough(halt_on, ran):
    severity = None if halt_on is None else ErrorSeverity(halt_on)
    assert len(await FailingChecks.run(BaseConfiguration(), halt_on=severity)) == ran


async def test_one_check_is_found_by_id_or_name():
    checks = ExampleChecks(Configuration())
    assert (await checks.run_one(id="own-id")).name == "Plain"
    assert (await checks.run_one(name="Item two of here")).id == "check_items_item_1"
    assert (await checks.run_one(id="undecorated")).success


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "either its id or its name"),
        ({"id": "a", "name": "b"}, "either its id or its name"),
        ({"id": 5}, "has to be a string"),
        ({"name": re.compile("x")}, "has to be a string"),
        ({"id": "nothing"}, "no check found with id = 'nothing'"),
    ],
)
async def test_one_check_is_named_exactly(given, message):
    with pytest.raises(ValueError, match=message):
        await ExampleChecks(Configuration()).run_one(**given)


async def test_one_check_is_blocked_by_a_failed_requirement_unless_that_is_skipped():
    checks = FailingChecks(BaseConfiguration())
    with pytest.raises(RuntimeError, match="prerequisite failure of 'Critical'") as caught:
        await checks.run_one(id="check_last")
    assert isinstance(caught.value.__cause__, ValueError)
    assert (await checks.run_one(id="check_last", skip_requirements=True)).success
    assert (await checks.run_one(id="check_last", halt_on=None)).success


@pytest.mark.parametrize("name", ["something", "verify_it"])
def test_public_methods_are_named_check(name):
    def method(self) -> Check: ...

    cls = type("Misnamed", (BaseChecks,), {name: method, "__module__": __name__})
    with pytest.raises(ValueError, match=f'invalid check method "{name}"'):
        cls(BaseConfiguration())


def test_undecorated_methods_are_annotated():
    class Unannotated(BaseChecks):
        def check_it(self) -> bool: ...

    with pytest.raises(ValueError, match="annotated to return a Check"):
        Unannotated(BaseConfiguration())


async def test_an_undecorated_method_that_fails_is_a_failed_check():
    class Clumsy(BaseChecks):
        async def check_raises(self) -> Check:
            raise KeyError("key")

        def check_lies(self) -> Check:
            return True

    raises, lies = await Clumsy.run(BaseConfiguration())
    assert (raises.success, raises.name) == (False, "check_raises")
    assert isinstance(raises.exception, KeyError)
    assert "has to return a Check, not bool" in lies.message


async def test_a_multicheck_that_cannot_be_expanded_is_a_failed_check():
    class Clumsy(BaseChecks):
        @multicheck("Item {item}")
        def check_items(self) -> tuple[Iterable, CheckHandler]:
            raise KeyError("key")

    (failed,) = await Clumsy.run(BaseConfiguration())
    assert (failed.id, failed.success, failed.name) == ("check_items", False, "Item {item}")
    assert isinstance(failed.exception, KeyError)


def test_decorators_refuse_what_is_no_check():
    def takes(self, more: int) -> bool: ...
    def returns(self) -> int: ...
    def union(self) -> bool | list: ...
    def pair(self) -> tuple[str, bool]: ...

    for method, message in (
        (takes, 'unexpected parameter "more"'),
        (returns, "incompatible return type annotation"),
        (union, "incompatible return type annotation"),
        (pair, "incompatible return type annotation"),
    ):
        with pytest.raises(TypeError, match=message):
            check("x")(method)
    for method, message in (
        (takes, "unexpected parameter"),
        (returns, "incompatible return type annotation"),
    ):
        with pytest.raises(TypeError, match=message):
            multicheck("x")(method)


@pytest.mark.parametrize(
    "annotation",
    [bool, str, None, tuple[bool, str], bool | str, "bool | None", str | tuple[bool, str] | None],
)
def test_decorators_accept_what_checks_return(annotation):
    def method(self): ...

    method.__annotations__["return"] = annotation
    assert check("x")(method).__check__.id == "method"


async def test_checks_are_made_of_items():
    class Special:
        def __check__(self):
            return Check(name="Special", id="special", severity=ErrorSeverity.warning)

    class Base(BaseChecks):
        @require("First")
        def check_first(self) -> bool:
            return True

    class Named:
        name = "named"

    async def handler(item) -> bool:
        return not isinstance(item, Special)

    cls = create_checks_from_iterable(handler, ["text", Named(), Special()], base_class=Base)
    found = await cls.run(BaseConfiguration())
    assert [each.name for each in found] == ["First", "Check text", "Check named", "Special"]
    assert [each.success for each in found] == [True, True, True, False]
    only = await cls.run(BaseConfiguration(), matching=CheckFilter(id="special", exclusive=True))
    assert [(each.name, each.severity) for each in only] == [("Special", ErrorSeverity.warning)]


def test_subclasses_extend_and_override():
    class More(FailingChecks):
        @check("Common")
        def check_common(self) -> bool:
            return True

        @check("More")
        def check_more(self) -> bool:
            return True

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        found = runner.run(More.run(BaseConfiguration(), halt_on=None))
    assert [(each.name, each.success) for each in found[1:]] == [
        ("Common", True), ("Critical", False), ("Last", True), ("More", True),
    ]  # fmt: skip


def test_an_empty_filter_matches_everything():
    assert CheckFilter().empty
    assert not CheckFilter().any
    assert CheckFilter(tags=set()).any
    assert CheckFilter().matches(Check(name="x"))


names = st.sampled_from(["a", "b", "ab"])
tags = st.none() | st.sets(st.sampled_from(["x", "y"]))
wanted = st.none() | names | st.lists(names) | names.map(re.compile)
specs = st.lists(st.tuples(names, tags, st.sampled_from(SEVERITIES), st.booleans()), max_size=6)
filters = st.builds(CheckFilter, name=wanted, id=wanted, tags=tags, exclusive=st.booleans())


def is_wanted(value, by):
    match by:
        case None:
            return True
        case str():
            return value == by
        case list():
            return value in by
        case _:
            return bool(by.search(value))


@given(st.builds(Check, name=names, id=names, tags=tags), filters)
def test_a_filter_matches_what_all_its_parts_match(found, given):
    expected = (
        is_wanted(found.name, given.name)
        and is_wanted(found.id, given.id)
        and (given.tags is None or bool(given.tags & (found.tags or set())))
    )
    assert given.matches(found) is expected


def method_of(name, tags, severity, success) -> Callable:
    def method(self) -> bool:
        return success

    return check(name, tags=tags, severity=severity)(method)


@given(specs, filters, st.none() | st.sampled_from(SEVERITIES))
def test_what_runs_is_what_is_wanted_and_what_that_requires(declared, given, halt_on):
    methods = {f"check_{index}": method_of(*each) for index, each in enumerate(declared)}
    cls = type("Generated", (BaseChecks,), {**methods, "__module__": __name__})
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        found = runner.run(cls.run(None, matching=given, halt_on=halt_on))

    matching = [index for index, method in enumerate(methods.values()) if given.matches(method.__check__)]
    last = max(matching, default=-1)
    expected = []
    for index, (name, _, severity, success) in enumerate(declared):
        required = severity is ErrorSeverity.critical and not given.exclusive and index < last
        if given.empty or index in matching or required:
            expected.append((name, success))
            passed = success or severity is ErrorSeverity.warning
            if not passed and halt_on and (halt_on is not ErrorSeverity.critical or severity is halt_on):
                break
    assert [(each.name, each.success) for each in found] == expected

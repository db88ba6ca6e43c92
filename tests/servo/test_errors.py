import copy
import pickle

import pytest

from servo import context, errors
from servo.errors import (
    AdjustmentFailedError,
    AdjustmentRejectedError,
    BaseError,
    ConfigurationError,
    ConnectorError,
    ConnectorNotFoundError,
    EventAbortedError,
    EventCancelledError,
    EventError,
    EventHandlersNotFoundError,
    MeasurementFailedError,
    ServoError,
    UnexpectedCommandIdError,
    UnexpectedEventError,
)


def test_tree():
    """The tree is that of the module's docstring, and of the original."""
    parents = {
        BaseError: RuntimeError,
        ServoError: BaseError,
        ConnectorNotFoundError: ServoError,
        ConnectorError: ServoError,
        EventHandlersNotFoundError: ConnectorError,
        EventError: ConnectorError,
        UnexpectedEventError: EventError,
        UnexpectedCommandIdError: EventError,
        EventCancelledError: EventError,
        EventAbortedError: EventError,
        MeasurementFailedError: EventError,
        AdjustmentFailedError: EventError,
        AdjustmentRejectedError: AdjustmentFailedError,
    }
    assert {error: error.__bases__ for error in parents} == {
        error: (base,) for error, base in parents.items()
    }


def test_every_error_is_exported_and_drawn():
    classes = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, BaseError)
    }
    assert classes == set(errors.__all__)
    assert all(f"── {name}" in errors.__doc__ for name in classes)
    assert errors.__all__ == sorted(errors.__all__)


def test_message_and_reason():
    error = AdjustmentRejectedError("no node fits 3 cores", "unschedulable")
    assert (str(error), error.reason) == ("no node fits 3 cores", "unschedulable")
    error.reason = "unstable"
    assert error.reason == "unstable"


def test_message_and_reason_are_optional():
    error = EventError()
    assert (str(error), error.reason) == ("", None)


def test_created_at_has_a_time_zone():
    assert ServoError("x").created_at.tzinfo is not None


def test_names_who_was_at_work_when_given():
    error = EventError("x", assembly=1, servo_=2, connector=3, event=4)
    assert (error.assembly, error.servo, error.connector, error.event) == (1, 2, 3, 4)


def test_connector_is_taken_from_the_context():
    """Reference 6.1 #8: cancelling without naming the connector raised AttributeError."""
    with context.set_for(context.connector_var, "wait"), context.set_for(context.event_var, "before:adjust"):
        error = EventCancelledError("not now")
    assert (error.connector, error.event) == ("wait", "before:adjust")


def test_outside_of_any_context_nobody_was_at_work():
    error = EventCancelledError("not now")
    assert (error.assembly, error.servo, error.connector, error.event) == (None, None, None, None)


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))]
)
@pytest.mark.parametrize(
    "error", [EventAbortedError("x", "slo-violation"), ConfigurationError("wrong", file="servo.yaml", line=3)]
)
def test_a_copy_says_the_same(error, copied):
    other = copied(error)
    assert (type(other), str(other), other.reason) == (type(error), str(error), error.reason)


class TestGroup:
    @pytest.mark.parametrize(
        ("lesser", "greater"),
        [
            (EventError("lesser"), MeasurementFailedError("greater")),
            (MeasurementFailedError("lesser"), AdjustmentFailedError("greater")),
            (AdjustmentFailedError("lesser"), AdjustmentRejectedError("greater")),
            (AdjustmentRejectedError("lesser"), EventAbortedError("greater")),
            (ValueError("lesser"), ServoError("greater")),
        ],
    )
    @pytest.mark.parametrize("swap", [False, True])
    def test_highest_priority_wins_in_any_order(self, lesser, greater, swap):
        errors = [greater, lesser] if swap else [lesser, greater]
        assert ServoError.servo_error_from_group(ExceptionGroup("group", errors)) is greater

    def test_first_among_equals(self):
        first, second = EventAbortedError("first"), EventAbortedError("second")
        assert ServoError.servo_error_from_group(ExceptionGroup("group", [first, second])) is first

    def test_flattened_depth_first(self):
        """All leaves are kept, in the order of a walk down."""
        one, two, three = ValueError("1"), MeasurementFailedError("2"), EventAbortedError("3")
        group = ExceptionGroup("outer", [ExceptionGroup("inner", [one, two]), three])
        chosen = ServoError.servo_error_from_group(group)
        assert chosen is three
        assert chosen.additional_errors == (one, two, three)

    def test_no_servo_error_becomes_the_default(self):
        cause = KeyError("x")
        chosen = ServoError.servo_error_from_group(ExceptionGroup("group", [cause]), MeasurementFailedError)
        assert isinstance(chosen, MeasurementFailedError)
        assert (str(chosen), chosen.__cause__, chosen.additional_errors) == ("'x'", cause, (cause,))

    def test_default_of_the_default_is_the_class_asked(self):
        chosen = AdjustmentFailedError.servo_error_from_group(ExceptionGroup("group", [ValueError()]))
        assert type(chosen) is AdjustmentFailedError
        assert str(chosen) == "ValueError", "an error without a text is named"


class TestConfigurationError:
    def test_is_a_value_error_too(self):
        assert issubclass(ConfigurationError, ServoError)
        assert issubclass(ConfigurationError, ValueError)

    def test_text_has_place_field_problem_and_remedy(self):
        error = ConfigurationError(
            "unknown key",
            file="servo.yaml",
            line=3,
            column=7,
            field="load.rat",
            remedy="did you mean 'rate'?",
        )
        assert str(error) == "servo.yaml:3:7: load.rat: unknown key; did you mean 'rate'?"

    @pytest.mark.parametrize(
        ("parts", "text"),
        [
            ({}, "wrong"),
            ({"file": "a.yaml"}, "a.yaml: wrong"),
            ({"field": "x"}, "x: wrong"),
            ({"remedy": "remove it"}, "wrong; remove it"),
            ({"file": "a.yaml", "line": 1}, "a.yaml:1: wrong"),
        ],
    )
    def test_text_leaves_out_what_is_not_known(self, parts, text):
        assert str(ConfigurationError("wrong", **parts)) == text

    def test_place_is_filled_in_later_but_not_changed(self):
        error = ConfigurationError("wrong", line=3, field="x").at(file="a.yaml", line=9, column=1)
        assert str(error) == "a.yaml:3:1: x: wrong"

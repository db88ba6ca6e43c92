"""Measurements and descriptions from the wire: whatever an agent posts, nothing but finite numbers gets in."""

import json
import math
import statistics

import hypothesis.strategies as st
import pytest
from hypothesis import given

from trimtab.optimizer.errors import OptimizerError, SpaceError
from trimtab.optimizer.session_description import Description, differences, tree
from trimtab.optimizer.session_errors import MessageError
from trimtab.optimizer.session_messages import MAX_TEXT, Message, clean
from trimtab.optimizer.session_results import read_failure, read_measurement

FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


def message(**param):
    return Message("MEASUREMENT", {"status": "ok", **param})


def series(*values):
    return {
        "unit": "rps",
        "values": [{"id": "1", "data": [[1704067200 + 60 * i, v] for i, v in enumerate(values)]}],
    }


def test_a_value_is_taken_as_it_is():
    outcome = read_measurement(message(metrics={"cost": {"unit": "", "value": 12.5}}), {"cost"})
    assert (outcome.status, outcome.metrics, outcome.spread) == ("ok", {"cost": 12.5}, {})


def test_a_series_is_its_mean_and_standard_error():
    outcome = read_measurement(message(metrics={"thr": series(1.5, 2.0, 4.0)}), {"thr"})
    assert outcome.metrics == {"thr": 2.5}
    assert outcome.spread["thr"] == pytest.approx(statistics.stdev([1.5, 2.0, 4.0]) / math.sqrt(3))


def test_several_series_of_a_metric_are_all_counted():
    reading = {"values": [*series(1.0)["values"], *series(3.0)["values"]]}
    assert read_measurement(message(metrics={"thr": reading}), {"thr"}).metrics == {"thr": 2.0}


def test_one_point_has_no_spread():
    assert read_measurement(message(metrics={"thr": series(1.0)}), {"thr"}).spread == {}


@pytest.mark.parametrize("stated", ['{"thr": 0.5, "other": 1}', {"thr": 0.5, "other": 1}])
def test_the_spread_that_a_connector_states_overrides_ours(stated):
    posted = message(metrics={"thr": series(1.0, 3.0)}, annotations={"spread": stated})
    assert read_measurement(posted, {"thr"}).spread == {"thr": 0.5}


def test_several_connectors_state_their_spread_side_by_side():
    posted = message(
        metrics={"thr": {"value": 1.0}, "cpu": {"value": 2.0}},
        annotations={
            "spread": '{"thr": 0.5}',
            "spread.process": '{"cpu": 0.25, "gone": 1}',
            "spreadsheet": '{"thr": 9}',
        },
    )
    assert read_measurement(posted, {"thr"}).spread == {"thr": 0.5, "cpu": 0.25}


@pytest.mark.parametrize(
    "stated", ["{", "[1]", "[" * 100_000, '{"thr": "much"}', '{"thr": -1}', '{"thr": NaN}', 5]
)
def test_a_spread_that_is_none_is_ignored(stated):
    posted = message(metrics={"thr": {"value": 1.0}}, annotations={"spread": stated})
    assert read_measurement(posted, {"thr"}).spread == {}


@pytest.mark.parametrize(
    "reading",
    [
        None,
        {},
        5,
        {"value": None},
        {"value": "5"},
        {"value": True},
        {"value": math.nan},
        {"value": math.inf},
        {"value": 10**400},
        {"values": []},
        {"values": None},
        {"values": [{"id": "1", "data": []}]},
        {"values": [{"id": "1", "data": [[1, math.nan], [2, 3.0]]}]},
        {"values": [{"id": "1", "data": [[1, 2, 3]]}]},
        {"values": [{"id": "1", "data": [5]}]},
        {"values": [{"id": "1", "data": [[1, 1e308], [2, 1e308], [3, 1e308]]}]},
        {"values": [{"id": "1", "data": [[1, 1e200], [2, -1e200]]}]},
    ],
)
def test_a_wanted_metric_that_is_no_finite_number_makes_the_trial_fail(reading):
    outcome = read_measurement(message(metrics={"thr": reading, "cost": {"value": 1.0}}), {"thr", "cost"})
    assert (outcome.status, outcome.reason) == ("failed", "invalid-measurement")
    assert outcome.message == "no finite value of thr was measured"
    assert outcome.metrics == {"cost": 1.0}


def test_a_metric_nobody_wants_may_be_anything():
    assert (
        read_measurement(message(metrics={"thr": {"value": 1}, "x": {"value": "?"}}), {"thr"}).status == "ok"
    )


@given(metrics=JSON, annotations=JSON, status=JSON, reason=JSON)
def test_whatever_is_posted_only_finite_numbers_and_storable_text_come_of_it(
    metrics, annotations, status, reason
):
    posted = message(metrics=metrics, annotations=annotations, reason=reason, message=reason)
    failed = Message("MEASUREMENT", {"status": status, "reason": reason, "message": reason})
    for outcome in (read_measurement(posted, {"thr"}), read_failure(failed)):
        text = json.dumps(outcome.to_dict(), allow_nan=False)
        assert "\\u0000" not in text
        assert all(error >= 0 for error in outcome.spread.values())


@given(st.lists(FINITE, min_size=1, max_size=30))
def test_the_mean_of_a_series_lies_between_its_values(values):
    outcome = read_measurement(message(metrics={"thr": series(*values)}), {"thr"})
    assert (
        min(values) - 1e-6 * abs(min(values))
        <= outcome.metrics["thr"]
        <= max(values) + 1e-6 * abs(max(values))
    )


@given(JSON)
def test_a_body_is_a_message_or_refused(body):
    try:
        read = Message.parse(body)
    except MessageError:
        return
    assert read.event


@given(st.text())
def test_clean_text_is_bounded_and_storable(text):
    cleaned = clean(text * 3, 50)
    assert len(cleaned) <= 50
    assert "\x00" not in cleaned
    cleaned.encode()


def test_long_text_of_others_is_cut():
    assert len(Message("GOODBYE", {"reason": "x" * 100_000}).text("reason")) == MAX_TEXT


def described(**changes):
    setting = {"type": "range", "min": 1, "max": 4, "step": 1, "value": 2, "unit": "cores"}
    return {
        "application": {"components": {"web": {"settings": {"cpu": setting | changes}}}},
        "measurement": {"metrics": {"throughput": {"unit": "rps"}}},
    }


def test_a_description_is_the_same_after_it_was_stored():
    first = Description.parse(described())
    assert Description.parse(json.loads(json.dumps(first.to_dict()))) == first
    assert first.units == {"web.cpu": "cores", "throughput": "rps"}


def test_pinned_settings_of_unknown_value_are_no_part_of_the_space():
    descriptor = described()
    descriptor["application"]["components"]["web"]["settings"]["mem"] = {
        "type": "range",
        "pinned": True,
        "value": None,
    }
    read = Description.parse(descriptor)
    assert [each.name for each in read.space.parameters] == ["web.cpu"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"type": "dial"}, "neither range nor enum"),
        ({"min": None}, "needs min and max"),
        ({"max": math.inf}, "max is not a finite number"),
        ({"value": [1]}, "neither a finite number nor a text"),
        ({"value": "x" * 300}, "neither a finite number nor a text"),
        ({"type": "enum", "values": []}, "list of 1 to 1000 values"),
        ({"type": "enum", "values": list(range(1001))}, "list of 1 to 1000 values"),
        ({"type": "enum", "values": [None]}, "neither a finite number nor a text"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_with_its_place(changes, problem):
    with pytest.raises(SpaceError, match=problem) as caught:
        Description.parse(described(**changes))
    assert "web.cpu" in str(caught.value)


def test_a_description_is_bounded():
    many = described()
    many["application"]["components"] = {f"c{i}": {"settings": {}} for i in range(65)}
    with pytest.raises(SpaceError, match="65 components"):
        Description.parse(many)
    deep = described()
    setting = deep["application"]["components"]["web"]["settings"]["cpu"]
    deep["application"]["components"]["web"]["settings"] = {f"s{i}": setting for i in range(300)}
    with pytest.raises(SpaceError, match="more than 256 settings"):
        Description.parse(deep)


@pytest.mark.parametrize("name", ["", "a.b", "x" * 201, "nul\x00"])
def test_a_component_of_an_impossible_name_is_refused(name):
    descriptor = described()
    descriptor["application"]["components"] = {name: {"settings": {}}}
    with pytest.raises(SpaceError):
        Description.parse(descriptor)


@given(JSON)
def test_any_descriptor_is_read_or_refused(descriptor):
    try:
        Description.parse(descriptor)
    except OptimizerError:
        return


@given(st.dictionaries(st.sampled_from(["a.x", "a.y", "b.x", "b.y.z"]), st.integers() | st.text(max_size=5)))
def test_an_adjustment_holds_each_value_at_its_place(point):
    components = tree(point)["application"]["components"]
    flat = {
        f"{c}.{s}": each["value"] for c, part in components.items() for s, each in part["settings"].items()
    }
    assert flat == point


def test_what_differs_between_descriptions_is_named_but_for_values():
    before = Description.parse(described()).space
    assert differences(before, Description.parse(described(value=3)).space) == []
    assert differences(before, Description.parse(described(max=8)).space) == ["web.cpu has another range"]
    other = described()
    settings = other["application"]["components"]["web"]["settings"]
    settings["memory"] = settings.pop("cpu")
    assert differences(before, Description.parse(other).space) == ["web.cpu is gone", "web.memory is new"]

"""The space of settings and its coordinates."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from servo.types.api import Component, Description
from servo.types.settings import CPU, EnumSetting, RangeSetting, Replicas
from trimtab.optimizer import Parameter, Space, SpaceError
from trimtab.optimizer.gaussian.columns import Columns


@st.composite
def parameters(draw, name="a.b"):
    kind = draw(st.sampled_from(["words", "numbers", "integers", "steps", "continuous", "wide"]))
    if kind == "words":
        return Parameter(name, "enum", values=("x", "y", "z"))
    if kind == "numbers":
        values = draw(st.lists(st.integers(-99, 99), min_size=2, max_size=6, unique=True))
        return Parameter(name, "enum", values=tuple(values))
    low = draw(st.integers(-50, 50))
    if kind == "integers":
        return Parameter(
            name, "range", low, low + draw(st.integers(1, 500)), draw(st.integers(1, 7)), integer=True
        )
    if kind == "steps":
        return Parameter(
            name, "range", low, low + draw(st.integers(1, 20)), draw(st.sampled_from([0.1, 0.125, 0.3]))
        )
    if kind == "wide":
        return Parameter(name, "range", 1, 10 ** draw(st.integers(3, 4)), integer=draw(st.booleans()))
    return Parameter(name, "range", low, low + draw(st.floats(0.5, 1e4)))


@given(parameters(), st.floats(0, 1))
def test_every_coordinate_is_of_a_value_inside_and_comes_back(parameter, coordinate):
    value = parameter.from_unit(coordinate)
    assert parameter.contains(value)
    assert parameter.snap(value) == value
    at = parameter.to_unit(value)
    assert 0 <= at <= 1 + 1e-12
    again = parameter.from_unit(at)
    assert (
        again == value
        if isinstance(value, str | int)
        else math.isclose(again, value, rel_tol=1e-8, abs_tol=1e-8)
    )


@given(parameters(), st.floats(-1e6, 1e6))
def test_snapping_a_number_is_idempotent_and_inside(parameter, value):
    if not parameter.categorical:
        snapped = parameter.snap(value)
        assert parameter.contains(snapped)
        assert parameter.snap(snapped) == snapped


@given(st.lists(parameters(), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_arrays_are_snapped_as_points_are(found, seed):
    space = Space(tuple(replace(each, name=f"c.{i}") for i, each in enumerate(found)))
    coordinates = np.random.default_rng(seed).random((5, space.dimensions))
    for row in Columns(space).snap(coordinates):
        point = space.from_unit(row)
        assert space.contains(point)
        assert np.allclose(space.to_unit(point), row, atol=1e-3)


def test_steps_are_decimal_and_not_binary():
    parameter = Parameter("a.b", "range", 0, 1, 0.1)
    assert [parameter.from_unit(i / 10) for i in range(11)] == [
        0.0,
        0.1,
        0.2,
        0.3,
        0.4,
        0.5,
        0.6,
        0.7,
        0.8,
        0.9,
        1.0,
    ]
    assert parameter.levels == 11


def test_a_step_that_does_not_divide_the_range_stops_before_its_end():
    parameter = Parameter("a.b", "range", 1, 10, 4, integer=True)
    assert [parameter.snap(value) for value in (1, 4, 8, 10)] == [1, 5, 9, 9]
    assert not parameter.contains(10)


def test_ranges_over_more_than_two_decades_are_searched_by_their_logarithm():
    wide, narrow = Parameter("a.b", "range", 1, 10_000), Parameter("a.c", "range", 1, 100)
    assert wide.from_unit(0.5) == pytest.approx(100)
    assert narrow.from_unit(0.5) == pytest.approx(50.5)


def test_words_keep_their_order_and_numbers_are_sorted():
    assert Parameter("a.b", "enum", values=("z", "a")).from_unit(0.0) == "z"
    assert Parameter("a.b", "enum", values=(8, 1, 4)).from_unit(0.5) == 4


@pytest.mark.parametrize("value", [True, None, "1", math.nan, 11, -1, 0.5])
def test_what_a_setting_cannot_take_is_not_contained(value):
    assert not Parameter("a.b", "range", 0, 10, 1, integer=True).contains(value)


def test_a_description_becomes_a_space_with_pinned_settings_fixed():
    description = Description(
        components=[
            Component(
                name="web",
                settings=[
                    CPU(min=1, max=4, step=0.5, value=2),
                    Replicas(min=1, max=5, value=2, pinned=True),
                    EnumSetting(name="codec", values=["gzip", "zstd"], value="gzip"),
                    EnumSetting(name="only", values=["one"], value="one"),
                    RangeSetting(name="workers", min=1, max=8, step=1, value=2),
                    RangeSetting(name="unknown", min=1, max=8, step=1, pinned=True),
                ],
            )
        ]
    )
    space = Space.from_description(description)
    assert [each.name for each in space.free] == ["web.cpu", "web.codec", "web.workers"]
    point = space.from_unit([0.0, 0.0, 1.0])
    assert point == {
        "web.cpu": 1.0,
        "web.replicas": 2,
        "web.codec": "gzip",
        "web.only": "one",
        "web.workers": 8,
    }
    assert isinstance(point["web.workers"], int)
    assert space.size() == 7 * 2 * 8


def test_size_is_unknown_where_a_setting_is_continuous():
    assert Space((Parameter("a.b", "range", 0, 1),)).size() is None


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: Parameter("a.b", "range", 5, 5), "not below"),
        (lambda: Parameter("a.b", "range", 0, math.inf), "not below"),
        (lambda: Parameter("a.b", "range", 0, 5, -1), "step"),
        (lambda: Parameter("a.b", "enum", values=("x",)), "different values"),
        (lambda: Parameter("a.b", "enum", values=("x", "x")), "different values"),
        (lambda: Space((Parameter("a.b", "enum", fixed="x"),)), "nothing to search"),
        (lambda: Space((Parameter("a.b", "range"),) * 2), "same name"),
        (lambda: Space(tuple(Parameter(f"a.{i}", "range") for i in range(65))), "64 are possible"),
        (lambda: Space((Parameter("a.b", "range"),)).snap({}), "no value of 'a.b'"),
        (lambda: Space((Parameter("a.b", "range"),)).snap({"a.b": 1, "a.c": 1}), "unknown setting 'a.c'"),
        (lambda: Space((Parameter("a.b", "range"),)).snap({"a.b": "x"}), "not a finite number"),
        (lambda: Space((Parameter("a.b", "enum", values=("x", "y")),)).snap({"a.b": "z"}), "none of x, y"),
    ],
)
def test_what_cannot_be_searched_is_refused_by_name(make, problem):
    with pytest.raises(SpaceError, match=problem):
        make()


def test_differences_name_what_moved():
    space = Space((Parameter("a.b", "range", 0, 9), Parameter("a.c", "enum", values=("x", "y"))))
    assert space.differences({"a.b": 1.0, "a.c": "x"}, {"a.b": 1.0, "a.c": "y"}) == {"a.c": ("x", "y")}

"""Units and how they are turned into one another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.optimizer.units import UNITS, convert, dimension

KNOWN = st.sampled_from(sorted(UNITS))


@given(KNOWN, KNOWN, st.floats(1e-6, 1e6))
def test_there_and_back_is_the_same_or_they_measure_different_things(source, target, value):
    if dimension(source) == dimension(target):
        assert convert(convert(value, source, target), target, source) == pytest.approx(value, rel=1e-10)
    else:
        with pytest.raises(ValueError, match="cannot be turned into"):
            convert(value, source, target)


@pytest.mark.parametrize(
    ("value", "source", "target", "result"),
    [
        (200, "ms", "s", 0.2),
        (1.5, "h", "min", 90.0),
        (1, "GiB", "MiB", 1024.0),
        (1, "GB", "MB", 1000.0),
        (1, "Gi", "GiB", 1.0),
        (50, "rps", "rpm", 3000.0),
        (1, "%", "", 0.01),
        (3, "µs", "us", 3.0),
        (7, "parsecs", "parsecs", 7),
    ],
)
def test_known_quantities(value, source, target, result):
    assert convert(value, source, target) == result


@pytest.mark.parametrize(
    ("source", "target"), [("ms", "parsecs"), ("parsecs", "ms"), ("s", "MiB"), ("%", "ms")]
)
def test_what_cannot_be_turned_is_refused_with_both_names(source, target):
    with pytest.raises(ValueError, match=f"'{source}' cannot be turned into '{target}'"):
        convert(1.0, source, target)


@given(KNOWN)
def test_every_units_canonical_one_is_known_and_measures_the_same(unit):
    assert dimension(dimension(unit).canonical) == dimension(unit)


def test_an_unknown_unit_measures_nothing():
    assert dimension("parsecs") is None

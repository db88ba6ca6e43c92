"""Numbers as people read them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.pages import numbers


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (1234.5678, "1,235"),
        (999.96, "1,000"),
        (12.34567, "12.35"),
        (4.0, "4"),
        (-0.5, "-0.5"),
        (0.012345, "0.01235"),
        (0.00012345, "1.234e-4"),
        (12345678.0, "1.235e7"),
        (None, numbers.NONE),
        (math.nan, numbers.NONE),
        (math.inf, numbers.NONE),
    ],
)
def test_four_digits_that_matter(value, shown):
    assert numbers.number(value) == shown


@given(st.floats(-1e300, 1e300))
def test_a_number_is_never_off_by_more_than_its_digits(value):
    shown = float(numbers.number(value).replace(",", ""))
    assert math.isclose(shown, value, rel_tol=6e-4)


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0.4567, "+46 %"),
        (0.0456, "+4.6 %"),
        (-0.5, "\N{MINUS SIGN}50 %"),
        (0, "0.0 %"),
        (12.5, "+1,250 %"),
        (None, numbers.NONE),
    ],
)
def test_shares_in_percent(share, shown):
    assert numbers.signed_percent(share) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.5, "0.5 s"),
        (3.125, "3.1 s"),
        (59.9, "60 s"),
        (75, "1 min 15 s"),
        (3600, "1 h"),
        (90061, "1 d 1 h"),
        (None, numbers.NONE),
    ],
)
def test_durations_in_at_most_two_parts(seconds, shown):
    assert numbers.duration(seconds) == shown


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (9e7, "bytes", "85.8 MiB"),
        (2**31, "bytes", "2 GiB"),
        (512, "bytes", "512 B"),
        (9e7, "ms", "9e7"),
        (None, "bytes", numbers.NONE),
    ],
)
def test_bytes_in_units_people_use(value, unit, shown):
    assert numbers.amount(value, unit) == shown


@pytest.mark.parametrize(
    ("setting", "shown"), [(4, "4"), (0.1 + 0.2, "0.3"), (2.0, "2"), ("sql", "sql"), (True, "True")]
)
def test_settings_without_the_noise_of_floats(setting, shown):
    assert numbers.value(setting) == shown


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.5, "s", "1.5 s"),
        (0.25, "s", "250 ms"),
        (0.00012, "s", "120 µs"),
        (0.0, "s", "0 s"),
        (51200, "KiB", "50 MiB"),
        (2048, "bytes", "2 KiB"),
        (3.0, "", "3"),
        (None, "s", "\N{EN DASH}"),
        (float("nan"), "", "\N{EN DASH}"),
    ],
)
def test_a_quantity_has_the_unit_that_reads_best(value, unit, text):
    assert numbers.quantity(value, unit) == text

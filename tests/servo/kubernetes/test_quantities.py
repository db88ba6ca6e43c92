"""Quantities as properties."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servo.kubernetes import cpu_quantity, memory_quantity, quantity

SUFFIXES = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1),
    "k": Decimal(10) ** 3, "M": Decimal(10) ** 6, "G": Decimal(10) ** 9, "T": Decimal(10) ** 12,
    "P": Decimal(10) ** 15, "E": Decimal(10) ** 18,
    "Ki": Decimal(2) ** 10, "Mi": Decimal(2) ** 20, "Gi": Decimal(2) ** 30, "Ti": Decimal(2) ** 40,
    "Pi": Decimal(2) ** 50, "Ei": Decimal(2) ** 60,
}  # fmt: skip


@given(st.decimals(min_value=0, max_value=10**6, places=3), st.sampled_from(sorted(SUFFIXES)))
def test_a_number_with_a_suffix_is_the_product_of_both(number, suffix):
    assert quantity(f"{number:f}{suffix}") == number * SUFFIXES[suffix]


@given(st.integers(-(10**6), 10**6), st.integers(-9, 18))
def test_an_exponent_is_read(number, exponent):
    assert quantity(f"{number}e{exponent}") == Decimal(number).scaleb(exponent)


@given(st.text(max_size=80))
def test_any_other_text_is_refused_in_one_way(text):
    try:
        found = quantity(text)
    except ValueError as error:
        assert "is no quantity" in str(error)  # noqa: PT017  either of two outcomes is right
    else:
        assert found.is_finite()


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("250m", "0.25"),
        ("4", "4"),
        (2, "2"),
        (0.5, "0.5"),
        ("100u", "0.0001"),
        ("1.", "1"),
        (".5", "0.5"),
        ("+1", "1"),
    ],
)
def test_cpu_is_in_cores(text, cores):
    assert cpu_quantity(text) == Decimal(cores)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1Gi", 2**30),
        ("128Mi", 2**27),
        ("1G", 10**9),
        ("1.5Ki", 1536),
        ("1E", 10**18),
        ("1e3", 1000),
        (4096, 4096),
    ],
)
def test_memory_is_in_bytes(text, size):
    assert memory_quantity(text) == size


def test_a_part_of_a_byte_is_rounded_up():
    assert memory_quantity("1500m") == 2


@pytest.mark.parametrize(
    "text", ["", "m", "1ki", "1GiB", "1 Gi", "0x10", "1e", "--1", "nan", "inf", "\u0661", True, "1" * 65]
)
def test_what_is_none_is_refused(text):
    with pytest.raises(ValueError, match="is no quantity"):
        quantity(text)

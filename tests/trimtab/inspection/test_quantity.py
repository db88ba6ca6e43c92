"""Quantities as Kubernetes writes them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.inspection.specification import cores, octets


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("750m", 0.75),
        ("1", 1.0),
        ("2.5", 2.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e1", 10.0),
        ("100000000n", 0.1),
        ("1k", 1000.0),
    ],
)
def test_cores(text, value):
    assert cores(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("256Mi", 256 * 2**20),
        ("268435456", 268435456),
        ("4Gi", 4 * 2**30),
        ("1.5Gi", 3 * 2**29),
        ("128M", 128_000_000),
        ("2000k", 2_000_000),
        ("2000K", 2_000_000),
        ("1G", 10**9),
        ("1Ti", 2**40),
        ("1e9", 10**9),
        ("1E9", 10**9),
        ("1048576001m", 1048577),
    ],
)
def test_bytes_of_memory(text, value):
    """Bare digits are bytes, as in Kubernetes; a fraction of a byte is rounded up."""
    assert octets(text) == value


@pytest.mark.parametrize(
    "text", ["", "x", "-1", "+1", "1 Gi", "1GiB", "1e", "0x10", "\u0661", "1e999", "1" * 65, "NaN", "1_0"]
)
def test_what_is_no_quantity_is_refused_with_how_to_write_one(text):
    for read in (cores, octets):
        with pytest.raises(ValueError, match=r"no quantity; write a number with a suffix"):
            read(text)


@pytest.mark.parametrize("text", ["0", "0.1m", "1e9", "1M"])
def test_cores_of_no_machine_are_refused(text):
    with pytest.raises(ValueError, match="is not between 1m and 10000 cores"):
        cores(text)


@pytest.mark.parametrize("text", ["0", "1", "500m", "1e99", "2Ei"])
def test_memory_of_no_machine_is_refused(text):
    """`500m` is half a byte: a mistake that Kubernetes lets pass."""
    with pytest.raises(ValueError, match="is not between 1Mi and 1Ei"):
        octets(text)


@given(st.text(max_size=70))
def test_any_text_is_a_quantity_or_a_value_error(text):
    for read in (cores, octets):
        with suppress(ValueError):
            assert read(text) > 0

"""Documents as cells: the names of the original's notebooks, and bounds on what strangers write."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.frames import MAX_TEXT, plain
from trimtab.inspection.frames.flat import MAX_CELLS, MAX_DEPTH, MAX_NAME, flat


def test_names_are_those_of_the_original():
    document = {
        "stdout": {"@result": {"elapsed": 1.5}},
        "usage": {"ru_utime": 2},
        "runtime_environment": {"hardware": {"cpu_model": 85}, "cuda_version": None},
        "requirements_locked": {"default": {"numpy": {"version": "==1.26.4", "hashes": ["sha256:0"]}}},
    }
    assert flat(document) == {
        "stdout__@result__elapsed": 1.5,
        "usage__ru_utime": 2,
        "runtime_environment__hardware__cpu_model": 85,
        "requirements_locked__default__numpy__version": "==1.26.4",
    }


def test_flags_and_installed_packages_are_columns_and_other_lists_are_text():
    document = {
        "hwinfo": {"cpu_features": {"flags": ["avx", 3], "hz_actual": [1, 0]}},
        "packages": [{"name": "Foo_Bar", "version": "1"}, {"name": "x"}, "y"],
    }
    assert flat(document) == {
        "flag__avx": True,
        "installed__foo-bar": "1",
        "hwinfo__cpu_features__hz_actual": "[1, 0]",
    }


def test_what_is_too_deep_too_long_or_too_much_is_left_out_or_cut():
    deep: dict = {"here": 1}
    for _ in range(MAX_DEPTH + 2):
        deep = {"a": deep}
    assert flat({"deep": deep, "n" * (MAX_NAME + 1): 1}) == {}
    assert len(flat({str(number): number for number in range(MAX_CELLS + 10)})) == MAX_CELLS
    cut = plain("x" * (MAX_TEXT + 1))
    assert isinstance(cut, str)
    assert len(cut) == MAX_TEXT
    assert cut.endswith("…")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (float("inf"), None),
        (float("nan"), None),
        (1 << 63, float(1 << 63)),
        (10**400, None),
        (-(1 << 63), -(1 << 63)),
        (True, True),
        ("a\ud800", "a?"),
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_value_is_one_that_a_table_can_hold(value, cell):
    assert plain(value) == cell
    assert type(plain(value)) is type(cell)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=8), _JSON, max_size=6))
def test_any_document_becomes_cells_that_can_be_written(document):
    for name, cell in flat(document).items():
        name.encode()
        json.dumps(cell, allow_nan=False).encode()
        assert not isinstance(cell, int) or -(1 << 63) <= cell < 1 << 63

"""Rows on their way into a table: kinds of columns, and the bound on them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.frames import Spool

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        ([1, 2.5], [1.0, 2.5]),
        ([1, "a"], ["1", "a"]),
        ([True, 1], ["true", "1"]),
        ([NOON, "never"], [NOON.isoformat(), "never"]),
        ([NOON, None], [NOON, None]),
        ([None, 3], [None, 3]),
    ],
)
def test_a_column_has_the_kind_that_has_room_for_all_its_cells(cells, read):
    with Spool.of({"here": cell} for cell in cells) as spool:
        assert [row.get("here") for row in spool.rows()] == read
        table = [value for batch in spool.batches(1) for value in batch.column("here").to_pylist()]
    assert table == read


def test_columns_beyond_the_limit_are_left_out_and_named():
    with Spool.of([{"a": 1, "b": 2}, {"c": 3, "a": 4}], limit=2) as spool:
        assert list(spool.columns) == ["a", "b"]
        assert spool.left_out == {"c"}
        assert list(spool.rows()) == [{"a": 1, "b": 2}, {"a": 4}]


def test_a_source_that_fails_leaves_no_file_open():
    def rows():
        yield {"a": 1}
        raise RuntimeError

    with pytest.raises(RuntimeError):
        Spool.of(rows())


_CELL = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 62), 1 << 62)
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), _CELL).map(lambda row: {"row": 1} | row), max_size=8))
def test_any_rows_can_be_read_as_a_table_of_as_many(rows):
    """No cell of a stranger makes a column that Arrow refuses."""
    clean = [
        {
            name: cell.encode("utf-8", "replace").decode() if isinstance(cell, str) else cell
            for name, cell in row.items()
        }
        for row in rows
    ]
    with Spool.of(clean) as spool:
        assert sum(batch.num_rows for batch in spool.batches(3)) == len(rows)
        for row, read in zip(clean, spool.rows(), strict=True):
            assert {name for name, cell in row.items() if cell is not None} == set(read)

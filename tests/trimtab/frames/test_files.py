"""Tables as files: what is written is read again, and a spreadsheet runs nothing of it."""

import csv
import io
import json
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from trimtab.frames import Spool, write

ROWS = [
    {"name": "a", "count": 1, "share": 0.5, "good": True, "when": datetime(2026, 11, 26, tzinfo=UTC)},
    {"name": 'b, "c"\nd', "count": 2},
]


def written(rows, form):
    file = io.BytesIO()
    with Spool.of(rows) as spool:
        write(spool, file, form)
    return file.getvalue()


def test_parquet_has_the_rows_with_their_kinds():
    assert pq.read_table(io.BytesIO(written(ROWS, "parquet"))).to_pylist() == [
        ROWS[0],
        ROWS[1] | {"share": None, "good": None, "when": None},
    ]


def test_csv_has_all_columns_and_empty_cells_for_what_is_not_there():
    read = list(csv.DictReader(io.StringIO(written(ROWS, "csv").decode())))
    assert read[0] == {
        "name": "a",
        "count": "1",
        "share": "0.5",
        "good": "true",
        "when": "2026-11-26T00:00:00+00:00",
    }
    assert read[1]["name"] == ROWS[1]["name"]
    assert read[1]["share"] == ""


def test_lines_of_json_have_what_is_there():
    lines = written(ROWS, "jsonl").decode().splitlines()
    assert [json.loads(line) for line in lines] == [
        ROWS[0] | {"when": "2026-11-26T00:00:00+00:00"},
        ROWS[1],
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1", "\n=1", "\uff1d1"])
def test_no_text_in_csv_begins_as_a_formula(text):
    """CWE-1236; what is no spreadsheet's has the text as it is."""
    rows = list(csv.reader(io.StringIO(written([{text: text, "number": -5}], "csv").decode(), newline="")))
    assert rows == [[f"'{text}", "number"], [f"'{text}", "-5"]]
    assert json.loads(written([{text: text}], "jsonl")) == {text: text}


@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
def test_nothing_is_a_file_too(form):
    assert isinstance(written([], form), bytes)


def test_thousands_of_inspections_take_the_memory_of_some(tmp_path):
    """Rows go through a file: what Python holds at most does not grow with their number."""
    import tracemalloc

    def peak(count):
        rows = ({f"column{each}": each + number for each in range(60)} for number in range(count))
        with (tmp_path / "file.csv").open("wb") as file:
            tracemalloc.start()
            with Spool.of(rows) as spool:
                write(spool, file, "csv")
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return found

    peak(10)
    assert peak(12_000) < peak(6_000) * 1.3

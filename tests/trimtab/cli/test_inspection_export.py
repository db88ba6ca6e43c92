"""`trimtab inspections export`."""

import csv
import io
import json

import pyarrow.parquet as pq
import pytest

from trimtab.settings import Settings
from trimtab.workflows import Place


@pytest.fixture
def two(make_inspection, make_result):
    good = make_inspection(1, {0: make_result(), 1: make_result(2.0, 1)})
    return good, make_inspection(2, {0: make_result(exit_code=1)}, {"base": "other"})


def test_all_that_is_over_goes_to_standard_output(command, two):
    lines = command("inspections", "export", "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line)["inspection_document_id"] for line in lines] == [two[1], two[0], two[0]]


def test_the_kind_of_a_file_is_as_its_name_ends(command, two, tmp_path):
    said = command("inspections", "export", two[0], "--file", str(tmp_path / "runs.parquet")).stderr
    assert "2 rows in" in said
    assert pq.read_table(tmp_path / "runs.parquet").num_rows == 2
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


def test_an_inspection_can_have_one_row(command, two):
    text = command("inspections", "export", "--format", "csv", "--rows", "inspection").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["inspection_batch"] for row in rows] == ["1", "2"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (["--state", "failed"], [1]),
        (["--base", "other"], [1]),
        (["--hardware", "Some"], [1, 0]),
        (["--hardware", "Nothing"], []),
        (["--words", "a"], [1, 0]),
        (["--package", "numpy"], []),
    ],
)
def test_filters_choose(command, two, filters, found):
    lines = command("inspections", "export", "--format", "jsonl", "--rows", "inspection", *filters).stdout
    names = [json.loads(line)["inspection_document_id"] for line in lines.splitlines()]
    assert names == [two[each] for each in found]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--format"),
        (["--file", "a.xlsx"], "--format"),
        (["--format", "csv", "--state", "fine"], "succeeded"),
        (["--format", "csv", "../x"], "no id"),
        (["--format", "csv", "inspection-a", "--base", "x"], "--base"),
    ],
)
def test_what_is_asked_for_wrongly_is_said(command, arguments, said):
    assert said in command("inspections", "export", *arguments, code=2).stderr


def test_what_cannot_be_read_is_named_and_the_rest_is_there(command, two):
    with Place.open(Settings()) as place:
        place.inspections.store.put(place.inspections[two[0]].results.key("0/result"), b"{")
    done = command("inspections", "export", "--format", "jsonl", code=1)
    assert json.loads(done.stdout)["inspection_document_id"] == two[1]
    assert f"{two[0]} is left out" in done.stderr
    assert "trimtab store check" in done.stderr


def test_a_file_that_cannot_be_written_is_said(command, two, tmp_path):
    said = command("inspections", "export", "--file", str(tmp_path / "no" / "a.csv"), code=1).stderr
    assert "cannot be written" in said

"""Result documents read back: the original's, ours, and what is none."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.inspection.result import LARGEST, ResultError, RunResult, largest, parse

DATA = Path(__file__).parents[5] / "shared" / "data" / "amun-inspection"
OF_OLD = sorted(DATA.glob("*/results/*/result"))


@pytest.mark.skipif(not OF_OLD, reason="the original's documents are not beside this repository")
@pytest.mark.parametrize("path", OF_OLD, ids=lambda path: path.parent.name)
def test_documents_of_the_original_are_read_without_loss(path):
    result = RunResult.load(path.read_bytes())
    assert result.to_dict() == json.loads(path.read_bytes())
    assert result.succeeded
    assert (result.start_datetime, result.seconds) == (None, None)
    assert result.end_datetime.tzinfo is UTC
    assert result.printed["name"] == "PiConv2D"
    assert result.runtime_environment.operating_system.name == "rhel"
    assert result.usage.ru_maxrss > 0


def test_the_time_of_old_documents_is_the_end():
    assert RunResult.load(
        {"datetime": "2020-08-05T14:49:50.644642", "exit_code": 0}
    ).end_datetime == datetime(2020, 8, 5, 14, 49, 50, 644642, UTC)


def test_duration_of_old_documents_is_by_the_times_of_day():
    times = {"start_datetime": "2021-01-01T23:59:00.000000", "end_datetime": "2021-01-03T00:00:00.500000"}
    assert RunResult.load(times).seconds == 86460.5


def test_an_old_negative_exit_code_is_a_signal():
    assert RunResult.load({"exit_code": -9}).signal == 9


def test_null_is_as_good_as_missing():
    result = RunResult.load(
        {"usage": None, "runtime_environment": None, "packages": None, "os_release": None}
    )
    assert (result.usage.ru_utime, result.packages, result.os_release) == (None, (), None)


def test_members_that_are_not_known_are_kept():
    assert RunResult.load({"exit_code": 0, "later": [1]}).to_dict()["later"] == [1]


def test_b25_the_object_is_found_among_other_lines():
    printed = 'warning: {"no\n{"@result": {"rate": 1}}\ndone'
    assert RunResult.load({"stdout": printed}).printed == {"@result": {"rate": 1}}
    assert RunResult.load({"stdout": [1]}).printed == {}


def test_output_is_the_text():
    assert RunResult.load({"stdout": {"a": 1}, "stdout_raw": '{"a":1}'}).output == '{"a":1}'
    assert RunResult.load({"stdout": "text", "stdout_raw": None}).output == "text"
    assert RunResult.load({"stdout": {}}).output == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "no JSON"), (b"[]", "no JSON object"), (b"{", "no JSON"), (b"\xff", "no JSON"),
        (b'{"a":' * 130 + b"1" + b"}" * 130, "nested"), (b'{"a":' + b"[" * 200_000, "nested"),
        (b'{"exit_code": "none"}', "exit_code"), (b'{"usage": {"ru_utime": []}}', "usage.ru_utime"),
    ],
)  # fmt: skip
def test_what_is_none_is_refused_with_the_place(text, words):
    with pytest.raises(ResultError, match=words):
        RunResult.load(text)


def test_a_document_that_is_too_large_is_not_looked_at():
    with pytest.raises(ResultError, match="10 are read"):
        parse(b"{          }", 10)
    assert largest(0) < largest(1) < LARGEST


def test_numbers_that_json_has_not_are_none():
    digits = "9" * 5000
    told = parse(f'{{"a": NaN, "b": [-Infinity, 1e999, {digits}], "c": "\\ud800"}}'.encode())
    assert told == {"a": None, "b": [None, None, None], "c": "?"}
    json.dumps(told, allow_nan=False, ensure_ascii=False).encode()


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    try:
        RunResult.load(data)
    except ResultError:
        return

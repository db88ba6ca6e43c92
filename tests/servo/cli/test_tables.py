"""Plain tables and ages."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servo.cli import print_table, timeago
from servo.cli.tables import by_key, describe_moment, print_json, records
from servo.tables import format_table

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_columns_are_aligned_and_cells_may_have_several_lines():
    assert format_table([["fake", ["web.cpu=2.0", "web.mem=1"]]], ["CONNECTOR", "SETTINGS"]) == (
        "CONNECTOR    SETTINGS\nfake         web.cpu=2.0\n             web.mem=1"
    )


def test_numbers_stay_as_they_were_written():
    assert format_table([["1e3", "0010", 2.50]], ["A", "B", "C"]).splitlines()[1].split() == [
        "1e3",
        "0010",
        "2.5",
    ]


def test_what_is_unknown_is_an_empty_cell():
    assert format_table([["x", None]], ["A", "B"]).splitlines()[1].rstrip() == "x"


def test_print_table_ends_with_an_empty_line(capsys):
    print_table([["x"]], ["A"])
    assert capsys.readouterr().out == "A\nx\n\n"


def test_print_table_can_end_without_one(capsys):
    print_table([["x"]], ["A"], end="")
    assert capsys.readouterr().out == "A\nx\n"


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=9), "just now"),
        (timedelta(seconds=10), "10 seconds ago"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=6), "6 days ago"),
        (timedelta(weeks=1), "1 week ago"),
        (timedelta(days=31), "1 month ago"),
        (timedelta(days=364), "11 months ago"),
        (timedelta(days=365), "1 year ago"),
        (timedelta(days=1055), "2 years ago"),
        (timedelta(minutes=-5), "in 5 minutes"),
    ],
)
def test_an_age_is_said_in_its_largest_whole_unit(age, words):
    assert timeago(NOW - age, NOW) == timeago(age) == words


def test_a_moment_without_zone_is_local():
    local = NOW.astimezone().replace(tzinfo=None)
    assert timeago(local - timedelta(hours=2), NOW) == "2 hours ago"


@given(st.timedeltas(min_value=timedelta(days=-20_000), max_value=timedelta(days=20_000)))
def test_every_age_has_words_that_tell_past_from_future(age):
    words = timeago(age)
    assert words == "just now" or words.endswith(" ago") == (age > timedelta(0))


def test_a_moment_is_an_age_or_a_time_stamp():
    assert describe_moment(NOW, humanize=False) == "2026-11-21 00:00:00+00:00"
    assert describe_moment(datetime.now(UTC) - timedelta(hours=3), humanize=True) == "3 hours ago"


def test_groups_are_in_the_order_of_their_names():
    assert by_key([("b", 1), ("a", 2), ("b", 3)]) == {"a": [2], "b": [1, 3]}


def test_rows_are_json_objects_by_their_headers():
    assert records([("x", 1)], ["name", "n"]) == [{"name": "x", "n": 1}]


def test_json_moves_no_terminal_and_says_the_same(capsys):
    value = {"name": "\x1b]0;owned\x07\x9b2J\u202e ä 語\n\x7f"}
    print_json(value)
    printed = capsys.readouterr().out
    assert [each for each in printed if not each.isprintable() and each != "\n"] == []
    assert "ä 語" in printed
    assert json.loads(printed) == value

"""What programs wrote, made fit to be quoted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servo.connectors.quoting import harmless, quoted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\rb\x08c", "a\\rb\\x08c"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202etxt.exe", "\\u202etxt.exe"),
        ("plain é 漢 \t tab", "plain é 漢 \t tab"),
        ("\x1b", "\\x1b"),
    ],
)
def test_sequences_are_taken_out_and_the_rest_is_made_visible(text, shown):
    assert harmless(text) == shown


@given(st.text())
def test_whatever_is_quoted_can_do_nothing_to_a_terminal(text):
    assert all(character.isprintable() or character == "\t" for character in harmless(text))


def test_the_last_lines_are_quoted_and_blank_ones_left_out():
    lines = [f"line {number}" for number in range(50)] + ["", "  "]
    found = quoted(lines)
    assert found.startswith("; the last it wrote:\n  | line 40\n")
    assert found.endswith("  | line 49")
    assert quoted(["", " "]) == "; it wrote nothing"


def test_a_long_line_is_cut():
    assert len(quoted(["x" * 10_000])) < 400

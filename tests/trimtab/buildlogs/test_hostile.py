"""Whatever the bytes are: an answer, of bounded size, the same however they were cut."""

import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.buildlogs import Parser, parse
from trimtab.buildlogs.harmless import plain
from trimtab.buildlogs.tokenizer import LONGEST, Tokenizer
from trimtab.buildlogs.vocabulary import SIGNS, STARTS

WORDS = sorted(
    {
        *STARTS,
        *SIGNS,
        "six==1.16.0",
        "(from a->b)",
        "'six'",
        "#5",
        "[2/3]",
        "RUN",
        "DONE",
        "1.2s",
        "- " * 3,
        "{",
        "}",
        "-" * 34 + " Pipfile.lock " + "-" * 34,
    }
)
LINES = st.lists(
    st.one_of(
        st.sampled_from(WORDS), st.text(max_size=8), st.binary(max_size=8).map(lambda b: b.decode("latin-1"))
    ),
    max_size=7,
).map(" ".join)
LOGS = st.lists(
    st.tuples(LINES, st.sampled_from(["\n", "\r\n", "\r", "\x1b[0m\n", ""])).map("".join), max_size=40
).map(lambda parts: "".join(parts).encode("utf-8", "replace"))


@given(st.one_of(st.binary(max_size=2000), LOGS))
@settings(max_examples=300, deadline=None)
def test_no_log_raises_and_every_answer_is_json(log):
    document = parse(log).document
    assert json.loads(json.dumps(document)) == document


@given(LOGS, st.data())
@settings(max_examples=150, deadline=None)
def test_where_the_bytes_are_cut_makes_no_difference(log, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(log)), max_size=8)))
    parser = Parser()
    for start, end in zip([0, *cuts], [*cuts, len(log)], strict=True):
        parser.feed(log[start:end])
    assert parser.finish().document == parse(log).document


@given(
    st.lists(
        st.sampled_from([b"a" * 9000, b"b" * LONGEST, b"\r", b"\n", b"\x1b[K", b"x", b" "]), max_size=12
    ),
    st.data(),
)
@settings(max_examples=150, deadline=None)
def test_long_lines_are_cut_in_the_same_place(parts, data):
    log = b"".join(parts)
    whole = Tokenizer()
    expected = whole.feed(log) + whole.finish()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(log)), max_size=6)))
    pieces = Tokenizer()
    lines = [
        line
        for start, end in zip([0, *cuts], [*cuts, len(log)], strict=True)
        for line in pieces.feed(log[start:end])
    ]
    assert lines + pieces.finish() == expected
    assert pieces.truncated == whole.truncated


def test_a_long_piece_that_is_overwritten_is_told_however_it_was_cut():
    log = b"b" * LONGEST + b"x\rx\r"
    whole, pieces = Tokenizer(), Tokenizer()
    expected = whole.feed(log) + whole.finish()
    assert pieces.feed(log[: LONGEST + 1]) + pieces.feed(log[LONGEST + 1 :]) + pieces.finish() == expected
    assert pieces.truncated is whole.truncated is True


@given(st.binary(max_size=500))
def test_a_log_of_nothing_known_is_never_called_successful(log):
    document = parse(log).document
    if not document["tools"]:
        assert document["outcome"] != "successful"
        assert document["installation_successful"] is not True


@pytest.mark.parametrize(
    "piece",
    [
        b"x" * 65536,
        b"Collecting " + b"y" * 65525,
        b"\x1b[31m" * 10000,
        b"\r" * 65536,
        b"50% |###   |\r" * 5000,
        b"\0" * 65536,
    ],
)
def test_a_line_without_end_is_read_in_little_memory(piece):
    """A gigabyte has the same course: what is kept does not grow."""
    parser = Parser()
    parser.feed(piece)
    tracemalloc.start()
    for _ in range(300):
        parser.feed(piece)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 1024 * 1024
    assert parser.finish().document["outcome"] == "unknown"


@pytest.mark.parametrize(
    "line",
    [
        b"ERROR: No matching distribution found for p%d==1\n",
        b"Collecting p%d==1\n",
        b"Step %d : RUN x\n",
        b"pod-%d12345: x\n",
        b"#%d [1/2] RUN x\n",
    ],
)
def test_what_is_found_is_bounded(line):
    parser = Parser()
    for number in range(30000):
        parser.feed(line % number)
    document = parser.finish().document
    assert len(document["errors"]) <= 1000
    assert len(document["installation"]) <= 20000
    assert len(document["steps"]) <= 20000
    assert len(parser._channels) <= 256


def test_an_anchor_bomb_in_a_configuration_stays_text():
    bomb = b"a: &a [x]\nb: &b [*a,*a]\n"
    document = parse(
        b">>> Thoth's configuration file after hardware and software discovery:\n" + bomb + b">>> done\n"
    ).document
    assert isinstance(document["thoth_config"], str)


def test_a_lock_that_never_ends_does_not_swallow_the_log():
    mark = b"-" * 34 + b" Pipfile.lock " + b"-" * 34 + b"\n"
    document = parse(mark + b"Collecting six==1.16.0\nSuccessfully installed six-1.16.0\n").document
    assert document["installation_successful"] is True
    assert document["pipfile_lock"] is None


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        "- " * 100_000,
        "{a: " * 50_000,
        "? " * 100_000,
        "a: 2020-01-01\nb: .nan\nc: !!set {x}\n",
        "!!python/object/apply:os.system [id]",
        'a: "\\x9b\\e[2J"\n',
    ],
)
def test_a_configuration_of_any_kind_is_values_or_text(text):
    log = (
        ">>> Thoth's configuration file after hardware and software discovery:\n"
        + "\n".join(text[i : i + 10_000] for i in range(0, len(text), 10_000))
        + "\n>>> done\n"
    )
    document = parse(log).document
    assert json.loads(json.dumps(document)) == document
    assert "\x9b" not in json.dumps(document, ensure_ascii=False)


@pytest.mark.parametrize(
    "lock",
    [
        '{"a": NaN, "b": "\\ud800\\u009b\\u001b[2J"}',
        '{"a": ' * 100_000,
        "[" * 100_000,
        "{" + '"a":{' * 60 + "}" * 61,
    ],
)
def test_a_lock_of_any_kind_is_values_or_nothing(lock):
    mark = "-" * 34 + " Pipfile.lock " + "-" * 34 + "\n"
    document = parse(mark + lock + "\n" + mark).document
    shown = json.dumps(document, ensure_ascii=False).encode()
    assert b"NaN" not in shown.replace(b'"NaN"', b"").replace(b'"nan"', b"")
    assert "\x9b" not in shown.decode()


def test_a_line_inside_of_json_is_as_harmless():
    """Docker's files hold escapes and half characters that were written as JSON."""
    line = json.dumps(
        {
            "log": "\x1b[91mERROR: No matching distribution found for \ud800six==9\x1b[0m\n",
            "stream": "stderr",
            "time": "2026-11-27T01:02:03.4Z",
        }
    )
    error = parse(line).document["errors"][0]
    assert (error["class"], error["package"], error["message"]) == (
        "no-such-version",
        "six",
        "ERROR: No matching distribution found for six==9",
    )


@pytest.mark.parametrize("piece", [b"\r", b" \r", b"\x1b[K\r", b"\x1b[31m\x1b[0m\r", b"\t\0\r"])
def test_as_many_returns_as_bytes_are_looked_at_together(piece):
    """A megabyte of empty pieces once took a second for each four of its lines."""
    log = (piece * (1_000_000 // len(piece)) + b"\n") * 3 + b"Collecting six==1.16.0\n"
    document = parse(log).document
    assert [each["package_name"] for each in document["installation"]] == ["six"]


@given(st.lists(st.sampled_from(["a", " ", "\r", "\x1b[K", "\x1b[31m", "\0", "\x9b1m", "\x1b]0;t\x07", "\ufffd"]), max_size=30).map("".join))  # fmt: skip
def test_of_pieces_between_returns_the_last_that_is_seen_is_read(line):
    """Whatever escapes stand in them: the same as looking at each alone."""
    seen = [each for each in map(plain, line.split("\r")) if each.strip()]
    expected = (seen[-1] if seen else "") if "\r" in line else plain(line)
    assert Tokenizer().feed(line.encode() + b"\n") == [expected]

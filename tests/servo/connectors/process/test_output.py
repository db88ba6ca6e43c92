"""What an application writes: kept, bounded, and searched."""

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servo.connectors.process import output as module
from servo.connectors.process.output import LINE_LENGTH, LINES, Output, arm_alarm


@pytest.fixture
def log(tmp_path):
    return str(tmp_path / "log")


@pytest.fixture
def alarm():
    """The supervisor's own handler of its alarm."""
    before = signal.getsignal(signal.SIGALRM)
    arm_alarm()
    yield
    signal.signal(signal.SIGALRM, before)


def test_the_last_lines_are_kept(log):
    output = Output(log, 10_000, None)
    output.feed(b"".join(b"line %d\n" % number for number in range(200)))
    output.feed(b"rest")
    output.close()
    assert len(output.lines) == LINES
    assert list(output.lines)[-2:] == ["line 199", "rest"]


def test_an_endless_line_is_bounded(log):
    output = Output(log, 10_000, None)
    for _ in range(100):
        output.feed(b"x" * 100_000)
    output.close()
    assert [len(line) for line in output.lines] == [LINE_LENGTH]
    assert len(output._rest) == 0


def test_the_log_stays_below_its_limit(log, tmp_path):
    output = Output(log, 10_000, None)
    for number in range(5_000):
        output.feed(b"line %d\n" % number)
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) == 2
    assert sum(sizes) <= 10_000
    assert (tmp_path / "log").read_bytes().endswith(b"line 4999\n")


def test_a_full_disk_does_not_stop_the_application(log, monkeypatch):
    output = Output(log, 10_000, None)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "write", full)
    output.feed(b"a line\n")
    assert list(output.lines) == ["a line"]


def test_a_link_in_place_of_the_log_is_not_followed(log, tmp_path):
    (tmp_path / "log").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="symbolic links"):
        Output(log, 10_000, None)


def test_a_pattern_is_found_across_pieces(log, alarm):
    output = Output(log, 10_000, r"listening on port \d+")
    output.feed(b"starting\nlisten")
    assert not output.matched
    output.feed(b"ing on port 80\nmore\n")
    assert output.matched


def test_a_pattern_that_takes_forever_is_given_up(log, alarm):
    output = Output(log, 10_000, r"(a+)+$")
    output.feed(b"a" * 60 + b"!\n")
    assert output.slow
    assert not output.matched
    output.feed(b"a" * 60 + b"!\n")  # not tried again


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_the_log_holds_what_was_written_however_it_was_cut(tmp_path_factory, pieces):
    path = tmp_path_factory.mktemp("log") / "log"
    output = Output(str(path), 100_000, None)
    for piece in pieces:
        output.feed(piece)
    output.close()
    assert path.read_bytes() == b"".join(pieces)
    assert len(output.lines) <= b"".join(pieces).count(b"\n") + 1

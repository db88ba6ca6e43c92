"""A stream that is read ahead by a thread: the same bytes, the same errors, and no thread left behind."""

import io
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.images import CorruptError, LimitError
from trimtab.images.ahead import DEPTH, Ahead


class Pieces:
    """Gives these pieces, then fails, or ends."""

    def __init__(self, pieces, error=None):
        self.left, self.error, self.asked = list(pieces), error, 0
        self.enough = threading.Event()

    def read(self, _size, /):
        self.asked += 1
        if self.asked > DEPTH:
            self.enough.set()
        if self.left:
            return self.left.pop(0)
        if self.error:
            raise self.error
        return b""


def drained(ahead):
    return list(iter(ahead.read, b""))


@given(st.lists(st.binary(min_size=1, max_size=5), max_size=30))
def test_every_piece_comes_once_and_in_order(pieces):
    with Ahead(Pieces(pieces), 60) as ahead:
        assert drained(ahead) == pieces
        assert ahead.read() == b""


def test_an_error_comes_after_what_was_read_before_it():
    with Ahead(Pieces([b"a", b"b"], CorruptError("damaged")), 60) as ahead:
        assert [ahead.read(), ahead.read()] == [b"a", b"b"]
        with pytest.raises(CorruptError, match="damaged"):
            ahead.read()


def test_no_more_than_a_few_pieces_are_read_ahead():
    stream = Pieces([b"x"] * 100)
    with Ahead(stream, 60) as ahead:
        ahead.read()
        assert stream.enough.wait(30)
        assert stream.asked <= DEPTH + 2


def test_leaving_in_the_middle_ends_the_thread():
    before = threading.active_count()
    stream = Pieces([b"x"] * 100)
    with Ahead(stream, 60) as ahead:
        ahead.read()
    assert threading.active_count() == before
    assert stream.left


def test_a_stream_that_gives_nothing_is_waited_for_no_longer_than_told():
    gone = threading.Event()

    class Silent(io.RawIOBase):
        def read(self, _size=-1, /):
            gone.wait()
            return b""

    with Ahead(Silent(), 0.1) as ahead:
        with pytest.raises(LimitError, match="not read within"):
            ahead.read()
        gone.set()

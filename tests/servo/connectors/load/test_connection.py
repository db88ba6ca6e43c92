"""What arrives on a connection, in whatever pieces."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servo.connectors.load.connection import MAX_HEAD, Connection
from servo.connectors.load.exchange import Exchange
from servo.connectors.load.requests import Request
from servo.connectors.load.tally import Tally


class Transport:
    def __init__(self):
        self.written = b""
        self.aborted = False

    def write(self, data):
        self.written += data

    def abort(self):
        self.aborted = True


class Owner:
    def __init__(self):
        self.answers: list[tuple[int, int]] = []
        self.failures: list[str | None] = []

    def answered(self, connection, status, received):
        connection.exchange = None
        self.answers.append((status, received))

    def broken(self, connection, exchange, kind):
        self.failures.append(kind)


def opened(*, head: bool = False, max_body: int = 1000) -> tuple[Connection, Owner, Transport]:
    owner, transport = Owner(), Transport()
    connection = Connection(owner, max_body)
    connection.connection_made(transport)
    ask(connection, head=head)
    return connection, owner, transport


def ask(connection: Connection, *, head: bool = False) -> None:
    connection.begin(Exchange(Request(b"GET / HTTP/1.1\r\n\r\n", 0, head=head), 0.0, Tally(0, 1)))


def pieces(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in pairwise(edges):
        yield data[start:end]


LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + LENGTH


@given(
    st.sampled_from([(LENGTH, (200, 5)), (CHUNKED, (201, 5)), (EMPTY, (204, 0)), (INTERIM, (200, 5))]),
    st.lists(st.integers(0, 200), max_size=8),
)
def test_an_answer_is_complete_when_its_last_byte_is_there_however_it_is_cut(case, cuts):
    raw, expected = case
    connection, owner, _ = opened()
    for piece in pieces(raw, cuts):
        assert owner.answers == []
        connection.data_received(piece)
    assert owner.answers == [expected]
    assert connection.reusable


def test_a_connection_is_used_again():
    connection, owner, transport = opened()
    connection.data_received(LENGTH)
    ask(connection)
    connection.data_received(CHUNKED)
    assert owner.answers == [(200, 5), (201, 5)]
    assert transport.written.count(b"GET") == 2


def test_an_answer_that_closes_is_the_last_one():
    connection, owner, _ = opened()
    connection.data_received(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    assert owner.answers == [(200, 0)]
    assert not connection.reusable


def test_the_answer_to_head_has_no_body_though_it_announces_one():
    connection, owner, _ = opened(head=True)
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
    assert owner.answers == [(200, 0)]
    ask(connection)
    connection.data_received(LENGTH)
    assert owner.answers[1] == (200, 5)


def test_an_answer_without_length_ends_with_the_connection():
    connection, owner, _ = opened()
    connection.data_received(b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nabc")
    connection.data_received(b"def")
    assert owner.answers == []
    connection.connection_lost(None)
    assert owner.answers == [(200, 6)]


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (LENGTH[:-1], "connection-closed"),
        (CHUNKED[:-1], "connection-closed"),
        (b"HTTP/1.1 200 OK\r\nConte", "connection-closed"),
        (b"", "connection-closed"),
    ],
)
def test_an_answer_cut_short_is_a_failure(raw, kind):
    connection, owner, _ = opened()
    if raw:
        connection.data_received(raw)
    connection.connection_lost(None)
    assert owner.answers == []
    assert owner.failures == [kind]


def test_a_reset_is_told_from_a_close():
    connection, owner, _ = opened()
    connection.connection_lost(ConnectionResetError())
    assert owner.failures == ["connection-reset"]


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "bad-response"),
        (b"\x00" * 100, "bad-response"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "bad-response"),
        (b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", "unexpected-upgrade"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 1500, "body-too-large"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * (MAX_HEAD + 1), "head-too-large"),
    ],
)
def test_what_is_no_proper_answer_ends_the_connection(raw, kind):
    connection, owner, transport = opened()
    connection.data_received(raw)
    assert owner.failures == [kind]
    assert owner.answers == []
    assert transport.aborted


def test_bytes_nobody_asked_for_end_an_idle_connection():
    connection, owner, transport = opened()
    connection.data_received(LENGTH)
    connection.data_received(LENGTH)
    assert owner.answers == [(200, 5)]
    assert transport.aborted


def test_a_second_answer_in_one_piece_is_not_taken_for_the_next():
    connection, owner, _ = opened()
    connection.data_received(LENGTH + LENGTH)
    assert len(owner.answers) == 1
    assert not connection.reusable


@given(st.binary(min_size=1, max_size=300))
def test_any_bytes_are_an_answer_a_failure_or_a_beginning(data):
    """No input makes the reader raise, and none is counted twice."""
    connection, owner, _ = opened()
    connection.data_received(data)
    assert len(owner.answers) + len(owner.failures) <= 1

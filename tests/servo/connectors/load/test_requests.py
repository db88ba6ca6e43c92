"""Targets as bytes, and how often each is sent."""

from collections import Counter
from itertools import islice

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from servo.connectors.load import requests as module
from servo.connectors.load.requests import Origin, Request, encode, prepare, sequence
from servo.connectors.load.targets import Target


def parsed(raw: bytes) -> dict:
    found: dict = {"headers": [], "body": b""}

    class Sink:
        def on_url(self, url):
            found["url"] = url

        def on_header(self, name, value):
            found["headers"].append((name, value))

        def on_body(self, body):
            found["body"] += body

        def on_message_complete(self):
            found["complete"] = True

    parser = httptools.HttpRequestParser(Sink())
    parser.feed_data(raw)
    return found | {"method": parser.get_method(), "version": parser.get_http_version()}


def test_a_request_is_a_whole_http_message():
    raw = encode(Target("POST", "http://h:81/a%20b?q=1", (("X", "y"),), b"abc"))
    found = parsed(raw)
    assert (found["method"], found["url"], found["version"]) == (b"POST", b"/a%20b?q=1", "1.1")
    assert found["headers"] == [(b"Host", b"h:81"), (b"X", b"y"), (b"Content-Length", b"3")]
    assert found["body"] == b"abc"
    assert found["complete"]


def test_an_empty_path_is_the_root_and_a_fragment_stays_here():
    assert encode(Target("GET", "http://h#part")).startswith(b"GET / HTTP/1.1\r\n")


def test_a_post_without_body_says_so():
    assert b"Content-Length: 0" in encode(Target("POST", "http://h/"))
    assert b"Content-Length" not in encode(Target("GET", "http://h/"))


def test_a_host_of_ones_own_is_not_doubled():
    raw = encode(Target("GET", "http://127.0.0.1/", (("Host", "shop.example"),)))
    assert raw.lower().count(b"host:") == 1


def test_without_keepalive_each_request_closes():
    assert b"Connection: close" in encode(Target("GET", "http://h/"), keepalive=False)


def test_origins_are_told_apart_by_scheme_host_and_port():
    urls = ["http://h/", "http://h:80/x", "https://h/", "http://[::1]:8/"]
    origins, requests = prepare([Target("GET", url) for url in urls])
    assert origins == [Origin("http", "h", 80), Origin("https", "h", 443), Origin("http", "::1", 8)]
    assert [request.origin for request in requests] == [0, 0, 1, 2]
    assert str(origins[2]) == "http://[::1]:8"


def test_only_idempotent_requests_may_be_sent_again():
    _, requests = prepare(
        [Target(method, "http://h/") for method in ("GET", "POST", "PATCH", "DELETE", "HEAD")]
    )
    assert [r.repeatable for r in requests] == [True, False, False, True, True]
    assert [r.head for r in requests] == [False, False, False, False, True]


@given(st.lists(st.integers(1, 20), min_size=1, max_size=6))
def test_each_round_holds_every_request_as_often_as_its_weight(weights):
    requests = [Request(payload=str(i).encode(), origin=0, weight=w) for i, w in enumerate(weights)]
    counted = Counter(r.payload for r in islice(sequence(requests), sum(weights)))
    assert [counted[str(i).encode()] for i in range(len(weights))] == weights


def test_a_heavy_request_does_not_come_in_bursts():
    requests = [Request(b"a", 0, weight=2), Request(b"b", 0, weight=2)]
    assert b"".join(r.payload for r in islice(sequence(requests), 4)) in {b"abab", b"baba", b"abba"}
    heavy = [Request(b"a", 0, weight=9), Request(b"b", 0, weight=1)]
    assert b"".join(r.payload for r in islice(sequence(heavy), 10)).index(b"b") in {4, 5}


@pytest.mark.parametrize("longest", [module._LONGEST_ROUND, 1])
def test_random_order_repeats_with_its_seed_and_follows_the_weights(monkeypatch, longest):
    """Also where a round would be too long to lay out."""
    monkeypatch.setattr(module, "_LONGEST_ROUND", longest)
    requests = [Request(b"a", 0, weight=3), Request(b"b", 0, weight=1)]
    drawn = [r.payload for r in islice(sequence(requests, shuffled=True, seed=1), 8000)]
    assert drawn == [r.payload for r in islice(sequence(requests, shuffled=True, seed=1), 8000)]
    assert drawn.count(b"a") == pytest.approx(6000, rel=0.05)


@given(st.binary(), st.booleans())
def test_a_request_survives_being_written_down(payload, flag):
    request = Request(payload, 3, head=flag, repeatable=not flag, weight=7)
    assert Request.load(request.dump()) == request

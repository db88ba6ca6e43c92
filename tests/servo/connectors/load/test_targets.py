"""Targets in both written forms, and what is refused."""

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servo.connectors.load import targets as module
from servo.connectors.load.targets import Target, TargetError, parse


def test_http_form_with_headers_body_and_comments(tmp_path):
    (tmp_path / "order.json").write_bytes(b'{"id": 1}')
    text = """
    # browse
    GET http://shop.example/products?page=1
    Accept: text/html
    X-Empty:

    POST http://shop.example/orders
    # a comment inside
    Content-Type: application/json
    @order.json
    GET http://shop.example/about
    """
    assert parse(text, folder=tmp_path) == [
        Target("GET", "http://shop.example/products?page=1", (("Accept", "text/html"), ("X-Empty", ""))),
        Target("POST", "http://shop.example/orders", (("Content-Type", "application/json"),), b'{"id": 1}'),
        Target("GET", "http://shop.example/about"),
    ]


def test_relative_urls_start_from_the_configured_one():
    assert parse("GET /a\nGET b", base="http://h:81/x/")[0].url == "http://h:81/a"
    assert parse("GET b", base="http://h:81/x/")[0].url == "http://h:81/x/b"


def test_jsonl_form_as_vegeta_writes_it_and_with_weight():
    line = {
        "method": "POST",
        "url": "http://h/",
        "header": {"A": ["1", "2"]},
        "body": base64.b64encode(b"\0x").decode(),
    }
    (target,) = parse(json.dumps(line | {"weight": 3}), form="jsonl")
    assert target == Target("POST", "http://h/", (("A", "1"), ("A", "2")), b"\0x", weight=3)


def test_jsonl_text_body_is_utf8():
    assert parse('{"method": "PUT", "url": "http://h/", "text": "é"}', form="jsonl")[0].body == "é".encode()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no target"),
        ("# only a comment", "no target"),
        ("Accept: */*", "line 1: .* is not a request line"),
        ("GET http://h/\nnonsense", "line 2: .* neither a header"),
        ("GET http://h/\nA: b\x00", "line 1: .*forbidden character"),
        ("GET http://h/\nContent-Length: 5", 'line 1: the header "Content-Length" frames'),
        ("GET http://h/\nTransfer-Encoding: chunked", "frames the message"),
        ("GET http://h/\nbad name: 1", "no name of a header"),
        ("GET /relative", "line 1: .* is relative, and no `url` is configured"),
        ("GET ftp://h/", "line 1"),
        ("FETCH http://h/", 'line 1: unknown method "FETCH"'),
        ("GET http://user:secret@h/", "no user name or password"),
        ("GET http://h:0/", "not an http"),
        ("GET http://h:99999/", "not a URL"),
        ("GET http://[::1/", "not a URL"),
        ("GET http:///x", "with a host"),
        ("GET http://h/é", "percent-encode"),
        ("POST http://h/\n@missing.json", "line 2: cannot read the body"),
    ],
)
def test_bad_http_targets_say_where_and_what(text, message):
    with pytest.raises(TargetError, match=message):
        parse(text)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1: not a JSON object"),
        ("[]", "line 1: a list where"),
        ("[" * 100_000, "line 1: not a JSON object"),
        ('{"url": 1}', "`method` and `url`"),
        ('{"url": "http://h/", "extra": 1}', 'unknown key "extra"'),
        ('{"url": "http://h/", "header": {"A": [1]}}', 'header "A" is not'),
        ('{"url": "http://h/", "header": {"A": 1}}', 'header "A" is not'),
        ('{"url": "http://h/", "header": []}', None),
        ('{"url": "http://h/", "header": ["A"]}', "`header` is not"),
        ('{"url": "http://h/", "body": "%%%"}', "not base64"),
        ('{"url": "http://h/", "body": "", "text": ""}', "exclude each other"),
        ('{"url": "http://h/", "text": 1}', "are strings"),
        ('{"url": "http://h/", "weight": 0}', "weight 0"),
        ('{"url": "http://h/", "weight": 1001}', "weight 1001"),
        ('{"url": "http://h/", "weight": true}', "whole number"),
        ('{"url": "http://h/", "header": {"A": ["x\\r\\nB: y"]}}', "line break"),
    ],
)
def test_bad_jsonl_targets_say_where_and_what(line, message):
    if message is None:
        assert parse(line, form="jsonl")
        return
    with pytest.raises(TargetError, match=message):
        parse(line, form="jsonl")


def test_a_password_in_a_url_is_not_repeated_in_the_error():
    with pytest.raises(TargetError) as caught:
        parse("GET http://user:hunter2@h/")
    assert "hunter2" not in str(caught.value)


def test_the_number_of_targets_and_the_size_of_a_body_are_bounded(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "MAX_TARGETS", 3)
    with pytest.raises(TargetError, match="more than 3 targets"):
        parse("GET http://h/\n" * 4)
    monkeypatch.setattr(module, "MAX_BODIES", 9)
    with pytest.raises(TargetError, match="more than 9 bytes of bodies"):
        parse('{"url": "http://h/", "text": "12345"}\n' * 2, form="jsonl")
    monkeypatch.setattr(module, "MAX_BODY", 10)
    (tmp_path / "big").write_bytes(b"x" * 11)
    with pytest.raises(TargetError, match="at most 10"):
        parse("POST http://h/\n@big", folder=tmp_path)


@given(st.text())
def test_any_text_is_targets_or_a_target_error(text):
    """Nothing but a TargetError comes of bad input, in both forms."""
    for form in ("http", "jsonl"):
        with contextlib.suppress(TargetError):
            assert all(isinstance(target, Target) for target in parse(text, form=form, base="http://h/"))


names = st.from_regex(r"X-[A-Za-z0-9-]{1,20}", fullmatch=True)
values = st.from_regex(r"[!-~]{0,30}", fullmatch=True)
valid = st.builds(
    Target,
    st.sampled_from(sorted(module.METHODS)),
    st.from_regex(r"https?://[a-z]{1,9}(:[1-9][0-9]{0,3})?/[a-z0-9/%?=&]{0,20}", fullmatch=True),
    st.lists(st.tuples(names, values), max_size=4).map(tuple),
    st.binary(max_size=50),
    st.integers(1, 1000),
)


@given(st.lists(valid, min_size=1, max_size=5))
def test_what_is_written_as_jsonl_is_read_back(targets):
    lines = []
    for target in targets:
        header: dict[str, list[str]] = {}
        for name, value in target.headers:
            header.setdefault(name, []).append(value)
        body = base64.b64encode(target.body).decode()
        line = {
            "method": target.method,
            "url": target.url,
            "header": header,
            "body": body,
            "weight": target.weight,
        }
        lines.append(json.dumps(line))
    read = parse("\n".join(lines), form="jsonl")
    assert [(t.method, t.url, t.body, t.weight) for t in read] == [
        (t.method, t.url, t.body, t.weight) for t in targets
    ]
    assert [sorted(t.headers) for t in read] == [sorted(t.headers) for t in targets]


@given(st.lists(valid, min_size=1, max_size=5))
def test_what_is_written_as_http_is_read_back(targets):
    blocks = [
        f"{t.method} {t.url}\n" + "".join(f"{name}: {value}\n" for name, value in t.headers) for t in targets
    ]
    read = parse("\n".join(blocks))
    assert [(t.method, t.url, t.headers) for t in read] == [(t.method, t.url, t.headers) for t in targets]


def test_default_headers_yield_to_those_of_the_target():
    target = Target("GET", "http://h/", (("accept", "a"),)).with_defaults({"Accept": "b", "X": "1"})
    assert target.headers == (("X", "1"), ("accept", "a"))


def test_a_body_is_not_shown_in_a_repr():
    assert "sesame" not in repr(Target("POST", "http://h/", body=b"sesame"))

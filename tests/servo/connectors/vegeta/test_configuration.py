"""The `vegeta` section (reference 4.3)."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from servo.connectors.vegeta import VegetaConfiguration
from servo.connectors.vegeta.targets import METHODS, check_http, check_json
from servo.types.core import Duration

HTTP = "GET http://127.0.0.1/\n"


def config(**values) -> VegetaConfiguration:
    return VegetaConfiguration(**({"rate": "50/1s", "target": HTTP} | values))


def flags(found: VegetaConfiguration, duration: str = "1m") -> dict[str, str]:
    command, *given = found.arguments(Duration(duration))
    assert command == "attack"
    return dict(each.removeprefix("-").split("=") for each in given)


@pytest.mark.parametrize(
    ("rate", "flag"),
    [(50, "50/1s"), ("50", "50/1s"), ("50/1s", "50/1s"), ("500/1m", "500/60s"), ("3/1d", "3/86400s"), ("5/1.5s", "5/1.5s")],
)  # fmt: skip
def test_a_rate_is_a_number_or_a_number_in_a_time(rate, flag):
    assert flags(config(rate=rate))["rate"] == flag


@pytest.mark.parametrize(
    "rate", ["", "x", "1.5", "5/", "/1s", "5/0s", "5/x", -1, 1.5, True, None, "5/1s; rm -rf /"]
)
def test_what_is_no_rate_is_refused(rate):
    with pytest.raises(ValidationError):
        config(rate=rate)


def test_a_rate_without_limit_needs_a_limit_of_workers():
    """Vegeta itself refuses the other, when it is too late."""
    with pytest.raises(ValidationError, match="max_workers"):
        config(rate=0)
    assert flags(config(rate=0, max_workers=4))["max-workers"] == "4"


def test_defaults_are_those_of_the_original():
    assert flags(config(), "1h30m") == {
        "rate": "50/1s", "duration": "5400s", "format": "http", "connections": "10000", "workers": "10",
        "max-workers": "18446744073709551615", "max-body": "-1", "http2": "true", "keepalive": "true",
        "insecure": "false",
    }  # fmt: skip
    assert config().reporting_interval == Duration("15s")


def test_either_a_target_or_a_file_of_targets(tmp_path):
    with pytest.raises(ValidationError, match="one of target and targets"):
        config(target=None)
    file = tmp_path / "targets"
    with pytest.raises(ValidationError, match="there is no file"):
        config(target=None, targets=file)
    file.write_text(HTTP)
    with pytest.raises(ValidationError, match="one of target and targets"):
        config(targets=file)
    assert config(target=None, targets=file).read_targets() == HTTP


@pytest.mark.parametrize(
    "text",
    [
        HTTP,
        "# a comment\n\nPOST https://shop.example/orders\nContent-Type: application/json\n@order.json\n\nGET http://h/x",
        *(f"{method} http://h/" for method in METHODS),
    ],
)
def test_targets_of_the_form_http(text):
    assert check_http(text) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no target"),
        ("# nothing", "no target"),
        ("Accept: x", "line 1"),
        ("get http://h/", "line 1"),
        ("GET /relative", "line 1"),
        ("GET http://h/\nno header", "line 2"),
        ("GET http://h/ HTTP/1.1", "line 1"),
    ],
)
def test_what_is_no_target_is_refused_with_its_line(text, said):
    with pytest.raises(ValueError, match=said):
        check_http(text)


def test_targets_of_the_form_json_are_handed_on_one_a_line():
    one = {"method": "POST", "url": "http://h/", "header": {"A": ["b"]}, "body": "aGVsbG8="}
    text = json.dumps(one, indent=2) + "\n" + json.dumps({"method": "GET", "url": "http://h/x"})
    lines = check_json(text).splitlines()
    assert [json.loads(line) for line in lines] == [one, {"method": "GET", "url": "http://h/x"}]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("", "no target"),
        ("[]", "no JSON object"),
        ("{", "no JSON"),
        ('{"url": "http://h/"}', "method"),
        ('{"method": "GET"}', "url"),
        ('{"method": "BREW", "url": "http://h/"}', "method"),
        ('{"method": "GET", "url": "ftp://h/"}', "url"),
        ('{"method": "GET", "url": "http://h/", "header": {"A": "b"}}', "header"),
        ('{"method": "GET", "url": "http://h/", "body": "%%%"}', "base64"),
        ('{"method": "GET", "url": "http://h/", "body": 1}', "base64"),
        ('{"method": "GET", "url": "http://h/", "weight": 2}', "weight"),
    ],
)
def test_what_is_no_json_target_is_refused(document, said):
    with pytest.raises(ValueError, match=said):
        check_json(document)


@given(st.text())
def test_any_text_is_read_or_refused_in_words(text):
    for check in (check_http, check_json):
        try:
            check(text)
        except ValueError as error:
            assert str(error)  # noqa: PT017 - most texts are refused


def test_the_sample_is_valid():
    sample = yaml.safe_load(VegetaConfiguration.generate().yaml())
    assert VegetaConfiguration.model_validate(sample).hits == 50

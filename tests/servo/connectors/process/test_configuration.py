"""The `process` section."""

import pytest
from pydantic import ValidationError

from servo.connectors.process import launch
from servo.connectors.process.configuration import ProcessConfiguration
from servo.connectors.process.state import defaults

RANGE = {"name": "n", "type": "range", "min": 1, "max": 9, "default": 2, "environment": "N"}


def config(**values) -> ProcessConfiguration:
    return ProcessConfiguration(**({"command": ["app"]} | values))


def test_a_sample_is_valid_and_says_all():
    sample = ProcessConfiguration.generate()
    assert ProcessConfiguration.model_validate(sample.plain()) == sample


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"command": []}, "at least 1"),
        ({"command": [""]}, "has no name"),
        ({"command": ["a\0"]}, "NUL"),
        ({"command": ["a", "${n}"]}, "there is no such setting"),
        ({"command": ["a", "${port}"]}, "no port is given"),
        ({"settings": [RANGE, RANGE]}, "'n' is there twice"),
        ({"settings": [RANGE | {"name": "port"}]}, "cannot be named port"),
        ({"settings": [RANGE | {"environment": None}]}, "'n' goes nowhere"),
        ({"settings": [RANGE], "environment": {"N": "1"}}, "N is given twice"),
        ({"settings": [RANGE | {"environment": "PORT"}], "port": 80}, "PORT is given twice"),
        ({"settings": [RANGE, RANGE | {"name": "m"}]}, "N is given twice"),
        ({"readiness": {"http": "ftp://h/"}}, "not an http"),
        ({"readiness": {"http": "http://u:p@h/"}}, "not an http"),
        ({"readiness": {"http": "http://h:${port}/"}}, "no port is given"),
        ({"readiness": {"tcp": "h"}}, "not host:port"),
        ({"readiness": {"log": "("}}, "no regular expression"),
        ({"readiness": {"log": "x", "tcp": "h:1"}}, "give one of"),
        ({"readiness": {"timeout": "0s"}}, "more than zero"),
        ({"readiness": {"timeout": "2h"}}, "at most 1h"),
        ({"component": "a.b"}, "a component's name"),
        ({"port": 70000}, "less than or equal to 65535"),
        ({"unknown": 1}, "Extra inputs"),
    ],
)
def test_a_section_that_makes_no_sense_says_what_is_wrong(values, message):
    with pytest.raises(ValidationError, match=message):
        config(**values)


def test_the_command_gets_values_as_they_are_and_no_shell_sees_them(tmp_path):
    setting = {"name": "e", "type": "enum", "values": ["$(reboot); `x`"], "default": "$(reboot); `x`"}
    found = config(
        command=["app", "--e=${e}", "--port=${port}"], settings=[setting], port=81, directory=str(tmp_path)
    )
    spec = launch.spec(found, defaults(found.settings))
    assert spec.argv == ("app", "--e=$(reboot); `x`", "--port=81")
    assert spec.environment["PORT"] == "81"


def test_the_application_does_not_get_the_agents_credentials():
    inherited = {
        "PATH": "/bin",
        "OPSANI_TOKEN": "t",
        "SERVO_OPTIMIZER": "{}",
        "APPD_CLIENT_SECRET": "s",
        "A": "b",
    }
    assert launch.environment(config(), {}, inherited) == {"PATH": "/bin", "A": "b"}
    assert launch.environment(config(inherit_environment=False), {}, inherited) == {}


def test_later_variables_win():
    found = config(environment={"A": "1"}, secret_environment={"B": "secret"}, settings=[RANGE])
    assert launch.environment(found, {"n": 3}, {"A": "0", "B": "0", "N": "0"}) == {
        "A": "1",
        "B": "secret",
        "N": "3",
    }


def test_secrets_show_in_no_output():
    found = config(secret_environment={"TOKEN": "hunter2"})
    assert "hunter2" not in found.yaml() + repr(found) + str(found)
    assert "hunter2" not in repr(launch.spec(found, {}))


def test_where_readiness_is_asked():
    assert config(readiness={"tcp": "[::1]:${port}"}, port=8).readiness.address(8) == ("::1", 8)
    assert config(readiness={"http": "https://h/x"}).readiness.address(None) == ("h", 443)
    assert config(readiness={"log": "x"}).readiness.address(1) is None

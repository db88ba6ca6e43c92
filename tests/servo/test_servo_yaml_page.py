"""docs/servo-yaml.md says what there is: each key, each default in its table, and examples that are valid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from servo.assembly import configure, load_connector_types
from servo.configuration import AppdynamicsOptimizer, OpsaniOptimizer, document, environment, parse_documents
from servo.configuration.problems import MAX_PROBLEMS
from servo.configuration.servo import BaseServoConfiguration
from servo.configuration.settings import BackoffSettings, ChecksConfiguration, CommonConfiguration, Timeouts

PAGE = Path(__file__).parents[2] / "docs" / "servo-yaml.md"
TOKEN = {"OPSANI_TOKEN": "from the environment"}


def text():
    return PAGE.read_text()


def section(title):
    return next(part for part in text().split("\n## ") if part.startswith(title + "\n"))


EXAMPLES = re.findall(r"```yaml\n(.*?)```", text(), re.DOTALL)


def read(yaml, env=None):
    load_connector_types()
    documents = parse_documents(yaml, file="servo.yaml")
    return [configure(each, env or TOKEN, alone=len(documents) == 1) for each in documents]


@pytest.mark.parametrize(
    ("title", "model"),
    [
        ("Keys at the top", BaseServoConfiguration),
        ("optimizer", OpsaniOptimizer),
        ("optimizer", AppdynamicsOptimizer),
        ("settings", CommonConfiguration),
        ("settings", BackoffSettings),
        ("settings", Timeouts),
        ("checks", ChecksConfiguration),
    ],
)
def test_each_key_is_documented(title, model):
    assert [key for key in model.model_fields if f"`{key}`" not in section(title)] == []


def test_no_key_is_documented_that_is_not_there():
    for title, model in (("settings", CommonConfiguration), ("checks", ChecksConfiguration)):
        rows = re.findall(r"^\| (`.*?) \|", section(title), re.MULTILINE)
        assert {key for row in rows for key in re.findall(r"`(\w+)`", row)} == set(model.model_fields)


@pytest.mark.parametrize("key", ["wait", "delay", "halt_on", "remedy", "check_halting", "progressive"])
def test_the_defaults_of_checks_are_those(key):
    default = ChecksConfiguration.model_validate({}).model_dump(mode="json")[key]
    shown = str(default).lower() if isinstance(default, bool) else default
    assert f"| `{key}` | `{shown}` |" in section("checks")


def test_the_default_of_the_command_timeout_is_that():
    timeout = CommonConfiguration.model_validate({}).command_timeout
    assert f"| `command_timeout` | `{timeout}` |" in section("settings")


@pytest.mark.parametrize("model", [OpsaniOptimizer, AppdynamicsOptimizer])
def test_each_variable_of_an_optimizer_is_documented(model):
    for name, info in model.model_fields.items():
        for variable in environment.env_names(model, name):
            assert f"`{variable}`" in section("optimizer")
            assert not environment.may_be_file(info) or f"`{variable}_FILE`" in section("optimizer")


def test_each_variable_of_the_top_is_documented():
    fields = set(BaseServoConfiguration.model_fields)
    variables = {name for key in fields for name in environment.env_names(BaseServoConfiguration, key)}
    assert [name for name in sorted(variables) if f"`{name}`" not in section("Environment variables")] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_each_example_is_valid(example):
    assert read(example)


def test_the_examples_do_what_the_page_says():
    """The three forms of ``connectors``, aliases, none, and several servos."""
    routes = [[list(routes) for _, routes in read(example)] for example in EXAMPLES]
    expected = [["process", "load"], ["wait", "scripts"], ["inner", "outer"], ["pause"], []]
    assert [[each] in routes for each in expected] == [True] * len(expected)
    several = next(example for example in EXAMPLES if "\n---\n" in example)
    assert [config.name for config, _ in read(several)] == ["one", "two"]
    kinds = {type(config.optimizer) for example in EXAMPLES for config, _ in read(example)}
    assert kinds == {OpsaniOptimizer, AppdynamicsOptimizer}


def test_the_precedence_is_that_of_the_page():
    aliases = next(example for example in EXAMPLES if "inner: load" in example)
    without = aliases.replace(", rate: 50", "")
    one = {**TOKEN, "SERVO_INNER_RATE": "7", "SERVO_OUTER": '{"rate": 8, "seed": 5}', "SERVO_OUTER_SEED": "6"}
    ((config, _),) = read(without, one)
    assert (config.inner.rate, config.outer.rate, config.outer.seed) == (7, 8, 6)
    ((config, _),) = read(aliases, one)
    assert config.inner.rate == 50


def test_the_limits_are_those():
    limits = section("Limits and errors")
    assert f"at most {document.MAX_BYTES // 1024**2} MiB large, {document.MAX_DEPTH} levels" in limits
    assert f"{document.MAX_VALUES:,} values" in limits
    assert f"up to {environment._MAX_FILE // 1024} KiB" in limits
    assert MAX_PROBLEMS == 10
    assert "at most ten of them" in limits

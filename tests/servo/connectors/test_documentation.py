"""docs/connectors.md says what there is."""

from __future__ import annotations

import re
import typing
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

import servo.connectors.kubernetes
from servo.connectors.builds import BuildsConfiguration, BuildsConnector
from servo.connectors.builds.metrics import GAUGES, HELP
from servo.connectors.inspection import InspectionConfiguration, InspectionConnector
from servo.connectors.inspection.figures import METRICS as INSPECTED
from servo.connectors.kubernetes import KubernetesConfiguration, KubernetesConnector
from servo.connectors.load import LoadConfiguration, LoadConnector
from servo.connectors.load.report import metrics
from servo.connectors.process import ProcessConfiguration, ProcessConnector
from servo.connectors.process.metrics import METRICS
from servo.connectors.prometheus import PrometheusConfiguration, PrometheusConnector
from servo.connectors.scripts import ScriptsConfiguration, ScriptsConnector
from servo.connectors.vegeta import VegetaConfiguration, VegetaConnector
from servo.connectors.vegeta.report import METRICS as VEGETA_METRICS
from servo.connectors.wait import WaitConfiguration, WaitConnector

CODE = Path(servo.connectors.kubernetes.__file__).parent
PAGE = Path(__file__).parents[3] / "docs" / "connectors.md"
SECTIONS = {
    "process": ProcessConfiguration,
    "load": LoadConfiguration,
    "prometheus": PrometheusConfiguration,
    "vegeta": VegetaConfiguration,
    "wait": WaitConfiguration,
    "scripts": ScriptsConfiguration,
    "inspection": InspectionConfiguration,
}


def section(name: str) -> str:
    return re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1 + list(SECTIONS).index(name)]


def models(annotation: object) -> set[type[BaseModel]]:
    """Models that a type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    return {model for member in typing.get_args(annotation) for model in models(member)}


def keys(model: type[BaseModel]) -> set[str]:
    below = [found for field in model.model_fields.values() for found in models(field.annotation)]
    return set(model.model_fields).union(*map(keys, below))


@pytest.mark.parametrize(("name", "model"), SECTIONS.items())
def test_each_key_is_documented(name, model):
    missing = sorted(key for key in keys(model) if f"`{key}`" not in section(name))
    assert missing == []


@pytest.mark.parametrize(("name", "model"), SECTIONS.items())
def test_each_key_has_a_description_of_its_own_too(name, model):
    assert [key for key, field in model.model_fields.items() if not field.description] == []


def test_each_metric_is_documented():
    load = metrics(LoadConfiguration(url="http://h/", steps=[1]))
    assert [metric.name for metric in METRICS if f"`{metric.name}`" not in section("process")] == []
    assert [metric.name for metric in load if f"`{metric.name}`" not in section("load")] == []
    assert [metric.name for metric in VEGETA_METRICS if f"`{metric.name}`" not in section("vegeta")] == []
    assert [metric.name for metric in INSPECTED if f"`{metric.name}`" not in section("inspection")] == []


def test_the_example_is_valid():
    example = yaml.safe_load(re.search(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)[1])
    assert ProcessConfiguration.model_validate(example["process"]).settings[1].name == "cache"
    assert len(LoadConfiguration.model_validate(example["load"]).parse_targets()) == 2


def test_the_example_of_metrics_is_valid():
    example = yaml.safe_load(re.search(r"```yaml\n(.*?)```", section("prometheus"), re.DOTALL)[1])
    found = PrometheusConfiguration.model_validate(example["prometheus"])
    assert [metric.absent for metric in found.metrics] == ["ignore", "fail", "zero"]


def test_the_example_of_a_stack_is_valid():
    example = yaml.safe_load(re.search(r"```yaml\n(.*?)```", section("inspection"), re.DOTALL)[1])
    assert InspectionConfiguration.model_validate(example["inspection"]).packages["numpy"].first == "2.2.6"


def test_the_example_of_targets_is_valid(tmp_path):
    (tmp_path / "order.json").write_text("{}")
    text = re.search(r"```\n(GET /products.*?)```", PAGE.read_text(), re.DOTALL)[1]
    (tmp_path / "targets").write_text(text)
    found = LoadConfiguration(url="http://h", rate=1, targets_file=tmp_path / "targets").parse_targets()
    assert [target.method for target in found] == ["GET", "POST"]


def test_each_key_and_metric_of_builds_has_its_page():
    page = (PAGE.parent / "builds-agent.md").read_text()
    assert sorted(key for key in keys(BuildsConfiguration) if f"`{key}`" not in page) == []
    assert [name for name in (*HELP, *GAUGES) if f"`{name}`" not in page] == []


def test_each_key_of_kubernetes_has_its_page():
    page = (PAGE.parent / "kubernetes.md").read_text()
    assert sorted(key for key in keys(KubernetesConfiguration) - {"root"} if f"`{key}`" not in page) == []


def test_the_example_of_kubernetes_is_valid():
    page = (PAGE.parent / "kubernetes.md").read_text()
    example = yaml.safe_load(re.search(r"```yaml\n(.*?)```", page, re.DOTALL)[1])
    assert KubernetesConfiguration.model_validate(example["kubernetes"]).targets[0].canary


def test_each_reason_of_kubernetes_has_its_page():
    """A reason is a literal beside a Fault, or a rule of where errors are told."""
    page = (PAGE.parent / "kubernetes.md").read_text()
    source = "\n".join(path.read_text() for path in CODE.glob("*.py"))
    reasons = set(re.findall(r'(?:Fault\(\s*|reason=|\(\w+Error, )"([a-z-]+)"', source))
    assert {"unschedulable", "lease-held", "target-changed"} <= reasons
    assert sorted(reason for reason in reasons if f"`{reason}`" not in page) == []


def test_each_option_of_kubernetes_has_its_page():
    import typer

    from servo.cli.kubernetes import cli

    page = (PAGE.parent / "kubernetes.md").read_text()
    options = {
        option
        for command in typer.main.get_command(cli).commands.values()
        for each in command.params
        for option in each.opts
        if option.startswith("--")
    }
    assert sorted(option for option in options if f"`{option}`" not in page) == []


def test_each_option_of_builds_has_its_page():
    import typer

    from servo.cli.builds import cli

    page = (PAGE.parent / "builds-agent.md").read_text()
    commands = typer.main.get_command(cli).commands
    options = {
        (name, option)
        for name, command in commands.items()
        for each in command.params
        for option in each.opts
    }
    missing = [
        (name, option) for name, option in options if option.startswith("-") and f"`{option}`" not in page
    ]
    assert missing == []
    variables = {each.envvar for command in commands.values() for each in command.params if each.envvar}
    assert [name for name in variables if f"`{name}`" not in page] == []


@pytest.mark.parametrize(
    "connector",
    [
        BuildsConnector,
        InspectionConnector,
        KubernetesConnector,
        ProcessConnector,
        LoadConnector,
        WaitConnector,
        ScriptsConnector,
        PrometheusConnector,
        VegetaConnector,
    ],
)
def test_each_connector_says_what_it_is(connector):
    assert connector.full_name == f"{connector.__name__.removesuffix('Connector')} Connector"
    assert None not in (connector.description, connector.license, connector.maturity)
    assert connector.__default_name__ == connector.__name__.removesuffix("Connector").lower()

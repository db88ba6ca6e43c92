"""docs/opsani-dev.md says what there is."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from servo.connectors.kubernetes import sidecar
from servo.connectors.opsani_dev import OpsaniDevChecks, OpsaniDevConfiguration, OpsaniDevConnector
from servo.connectors.opsani_dev.checks.target import PERMISSIONS

PAGE = (Path(__file__).parents[5] / "docs" / "opsani-dev.md").read_text()


def test_each_key_and_metric_is_documented():
    keys = {field.alias or name for name, field in OpsaniDevConfiguration.model_fields.items()}
    assert sorted(key for key in keys if f"`{key}`" not in PAGE) == []
    metrics = OpsaniDevConfiguration.generate().generate_prometheus_config().metrics
    assert [each.name for each in metrics if f"`{each.name}`" not in PAGE] == []


def test_each_check_is_documented():
    checks = {name for name in dir(OpsaniDevChecks) if name.startswith("check_")}
    assert len(checks) == 29
    assert sorted(name for name in checks if f"`{name}`" not in PAGE) == []


def test_each_permission_of_its_own_is_documented():
    assert [name for each in PERMISSIONS[-2:] for name in each.resources if f"`{name}`" not in PAGE] == []


def test_the_example_is_valid():
    example = yaml.safe_load(re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1])
    assert OpsaniDevConfiguration.model_validate(example["opsani_dev"]).workload_name == "web"


def test_the_configuration_of_prometheus_keeps_the_labels_that_queries_need():
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    config = yaml.safe_load(yaml.safe_load(blocks[1])["data"]["prometheus.yaml"])
    (job,) = config["scrape_configs"]
    written = {each.get("target_label") for each in job["relabel_configs"]}
    assert {"__scheme__", "__metrics_path__", "__address__", "kubernetes_pod_name"} <= written


def test_each_variable_of_the_proxy_is_documented():
    names = [each["name"] for each in sidecar.Sidecar("i").container(80)["env"]]
    assert len(names) == 3
    assert [name for name in names if f"`{name}`" not in PAGE] == []


def test_each_option_of_the_commands_is_documented():
    import typer

    from servo.cli.operations import cli

    commands = typer.main.get_command(cli).commands
    options = {
        option
        for name in ("inject-sidecar", "eject-sidecar")
        for each in commands[name].params
        for option in each.opts
        if option.startswith("--")
    }
    assert {"--image", "--service"} <= options
    assert sorted(option for option in options if f"`{option}`" not in PAGE) == []


def test_it_says_what_it_is():
    assert (OpsaniDevConnector.full_name, OpsaniDevConnector.__default_name__) == (
        "OpsaniDev Connector",
        "opsani_dev",
    )
    assert None not in (
        OpsaniDevConnector.description,
        OpsaniDevConnector.license,
        OpsaniDevConnector.maturity,
    )

"""docs/kube-metrics.md says what there is."""

import re
from pathlib import Path

import yaml

from servo.connectors.kube_metrics import KubeMetric, KubeMetricsConfiguration

PAGE = (Path(__file__).parents[4] / "docs" / "kube-metrics.md").read_text()


def test_each_key_and_metric_is_documented():
    assert [key for key in KubeMetricsConfiguration.model_fields if f"`{key}`" not in PAGE] == []
    assert [each.value for each in KubeMetric if f"`{each}`" not in PAGE] == []


def test_each_key_has_a_description_of_its_own_too():
    assert [
        key for key, field in KubeMetricsConfiguration.model_fields.items() if not field.description
    ] == []


def test_the_example_is_valid():
    example = yaml.safe_load(re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1])
    assert KubeMetricsConfiguration.model_validate(example["kube_metrics"]).container == "app"

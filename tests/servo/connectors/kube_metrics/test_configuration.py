"""The `kube_metrics` section."""

import pytest
from pydantic import ValidationError

from servo.connectors.kube_metrics import KubeMetric, KubeMetricsConfiguration


def configured(**values):
    return KubeMetricsConfiguration.model_validate({"namespace": "shop", "name": "web", **values})


def test_the_defaults_are_those_of_the_original():
    config = configured()
    assert config.kind == "Deployment"
    assert config.container is None
    assert config.metrics_to_collect == list(KubeMetric)
    assert str(config.metric_collection_frequency) == "1m"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"kind": "DaemonSet"}, "Deployment"),
        ({"metrics_to_collect": ["cpu"]}, "main_cpu_usage"),
        ({"metric_collection_frequency": "10ms"}, "is too often"),
        ({"name": "a/b"}, "pattern"),
        ({"namespace": "../kube-system"}, "pattern"),
        ({"name": None}, "string"),
        ({"surprise": 1}, "Extra inputs"),
    ],
)
def test_what_is_wrong_is_told(values, said):
    with pytest.raises(ValidationError, match=said):
        configured(**values)


def test_a_sample_is_generated():
    assert KubeMetricsConfiguration.generate().namespace == "default"

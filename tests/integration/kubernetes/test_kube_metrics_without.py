"""The `kube_metrics` connector where a cluster has no metrics API."""

import contextlib
import fcntl
import tempfile
from pathlib import Path

import pytest

from servo.errors import MeasurementFailedError
from servo.types.api import Control

# Whoever has registered an API is waited for.
pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


@contextlib.contextmanager
def alone():
    """Nobody else registers a metrics API meanwhile."""
    with Path(tempfile.gettempdir(), "trimtab-test-metrics-api.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


async def test_what_is_in_the_pods_needs_no_metrics_api(deployment, connector):
    wanted = ["main_cpu_limit", "main_pod_restart_count"]
    measured = await connector(metrics_to_collect=wanted).measure(control=Control(duration="0s"))
    assert {series.metric.name for series in measured.readings} == set(wanted)


async def test_without_a_metrics_api_the_measurement_fails_and_says_how_to_mend_it(
    deployment, connector, client
):
    with alone():
        if await client.find("metrics.k8s.io", "pods"):
            pytest.skip("this cluster has a metrics API")
        with pytest.raises(MeasurementFailedError, match="install metrics-server"):
            await connector().measure(control=Control(duration="0s"))
        checks = await connector().check(None, None)
    assert {check.id: check.success for check in checks} == {
        "check_target": True,
        "check_metrics_api_permissions": True,
        "check_metrics_api": False,
        "check_container": True,
    }
    assert "metrics-server" in checks[2].hint

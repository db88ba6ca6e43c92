"""The Grafana dashboard shows metrics that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from servo.connectors.builds.metrics import GAUGES, HELP
from servo.runner.health import METRICS
from trimtab.catalog import Database
from trimtab.server.metrics import Metrics

DASHBOARD = Path(__file__).parents[3] / "deploy" / "chart" / "dashboards" / "trimtab.json"
NAME = re.compile(r"\b(?:trimtab|servo|build_watcher)_[a-z_]+\b")


@pytest.fixture
def dashboard():
    return json.loads(DASHBOARD.read_text())


@pytest.fixture
def existing(tmp_path) -> set[str]:
    """Names of all metrics, as a scraper sees them."""
    from prometheus_client import generate_latest

    database = Database(f"sqlite:///{tmp_path / 'trimtab.sqlite'}")
    metrics = Metrics(database)
    metrics.seconds.labels("/", "200").observe(1)
    for count, labels in ((metrics.posts, 2), (metrics.parts, 2), (metrics.ended, 2)):
        count.labels(*["x"] * labels).inc()
    text = generate_latest(metrics.registry).decode()
    served = set(re.findall(r"^([a-z_]+)(?:\{| )", text, re.MULTILINE)) | set(
        re.findall(r"# TYPE ([a-z_]+)", text)
    )
    return served | set(HELP) | set(GAUGES) | set(METRICS)


def test_each_metric_exists(dashboard, existing):
    shown = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert len(shown) > 10
    assert sorted({name for each in shown for name in NAME.findall(each)} - existing) == []


def test_panels_do_not_cover_each_other(dashboard):
    taken = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_each_panel_asks_the_chosen_source_for_the_chosen_namespace(dashboard):
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            assert target["datasource"]["uid"] == "${datasource}"
            assert 'namespace=~"$namespace"' in target["expr"]
    assert [each["name"] for each in dashboard["templating"]["list"]] == ["datasource", "namespace"]

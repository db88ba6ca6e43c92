"""Helm, and a cluster to try manifests at."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
CHART = ROOT / "deploy" / "chart"

Manifest = dict[str, Any]


@pytest.fixture(scope="session")
def helm() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs Helm."""
    program = ROOT / "scripts" / "helm"
    tried = subprocess.run([program, "version"], capture_output=True, text=True, timeout=400, check=False)
    if tried.returncode:
        pytest.skip(f"no Helm, and none to be had by npm: {tried.stderr.strip()[-200:]}")
    return lambda *arguments, **options: subprocess.run(
        [program, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False, **options
    )


@pytest.fixture(scope="session")
def render(helm) -> Callable[..., list[Manifest]]:
    """What the chart gives with some values, in the namespace `trimtab`."""

    def make(values: dict[str, Any] | None = None, *more: str) -> list[Manifest]:
        result = helm(
            "template", "trimtab", CHART, "--namespace", "trimtab", "--values", "-", *more,
            input=json.dumps(values or {}),
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        return [each for each in yaml.safe_load_all(result.stdout) if each]

    return make


@pytest.fixture(scope="session")
def kubectl() -> Callable[..., str]:
    """Runs kubectl at a real cluster."""
    if shutil.which("kubectl") is None or not os.environ.get("KUBECONFIG"):
        pytest.skip("no cluster: start one (shared/testbed/cluster up), and set KUBECONFIG")

    def run(*arguments: str, check: bool = True, **options: Any) -> str:
        found = subprocess.run(
            ["kubectl", *arguments], capture_output=True, text=True, timeout=60, check=False, **options
        )
        assert not check or found.returncode == 0, found.stderr
        return found.stdout if found.returncode == 0 else found.stderr

    if "Unable to connect" in (said := run("version", "--request-timeout=5s", check=False)):
        pytest.skip(f"the cluster of KUBECONFIG does not answer: {said.strip()[-200:]}")
    return run

"""A real Prometheus that scrapes an exporter of ours."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SCRAPE_SECONDS = 0.2


def _exporter_module() -> Any:
    name = "prometheus_test_exporter"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("exporter.py"))
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


@dataclass
class Prometheus:
    """A running server.

    Attributes:
        url: Where it is.
        exporter: What it scrapes.
        process: The server.
    """

    url: str
    exporter: Any
    process: subprocess.Popen

    def ask(self, query: str) -> str:
        """The raw answer to a query, at present."""
        with urllib.request.urlopen(f"{self.url}/api/v1/query?query={query}", timeout=5) as answer:
            return answer.read().decode()

    def wait_for(self, query: str, timeout: float = 20.0) -> None:
        """Wait until a query gives something."""
        deadline = time.monotonic() + timeout
        while '"result":[]' in self.ask(query):
            assert time.monotonic() < deadline, f"{query} gives nothing"
            time.sleep(0.05)


@pytest.fixture(scope="module")
def start_prometheus(tmp_path_factory, unused_tcp_port_factory) -> Iterator[Callable[..., Prometheus]]:
    """Starts servers: with options, and with a web configuration for TLS and users."""
    if shutil.which("prometheus") is None:
        pytest.skip("no Prometheus: scripts/system-packages installs it")
    module, running = _exporter_module(), []

    def start(*options: str, web: str | None = None, wait: bool = True) -> Prometheus:
        folder, port, exporter = (
            tmp_path_factory.mktemp("prometheus"),
            unused_tcp_port_factory(),
            module.Exporter(),
        )
        running.append(module.serve(exporter))
        config = folder / "prometheus.yml"
        config.write_text(
            f"global: {{scrape_interval: {round(SCRAPE_SECONDS * 1000)}ms, scrape_timeout: {round(SCRAPE_SECONDS * 1000)}ms}}\n"
            "scrape_configs:\n  - job_name: shop\n    static_configs:\n"
            f"      - targets: ['127.0.0.1:{exporter.port}']\n        labels: {{tier: web}}\n"
        )
        if web is not None:
            (folder / "web.yml").write_text(web)
            options = (*options, f"--web.config.file={folder / 'web.yml'}")
        command = [
            "prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn", *options,
        ]  # fmt: skip
        log = (folder / "log").open("wb")
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        running.append(process)
        log.close()
        found = Prometheus(f"http://127.0.0.1:{port}", exporter, process)
        if wait:
            _await_ready(found, folder / "log")
        return found

    yield start
    for each in reversed(running):
        if isinstance(each, subprocess.Popen):
            each.kill()
            each.wait()
        else:
            each.shutdown()
            each.server_close()


def _await_ready(found: Prometheus, log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        assert found.process.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(f"{found.url}/-/ready", timeout=5).close()
        except OSError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="module")
def prometheus(start_prometheus) -> Prometheus:
    """One server for the tests of a module, with metrics of a shop."""
    found = start_prometheus()
    began = time.monotonic()
    found.exporter.values = {
        'shop_requests_total{pod="a"}': lambda: 50 * (time.monotonic() - began),
        'shop_requests_total{pod="b"}': lambda: 150 * (time.monotonic() - began),
        "shop_latency_ms": 120,
        "shop_nan": "NaN",
    }
    found.wait_for("shop_latency_ms")
    return found

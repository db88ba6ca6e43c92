"""`servo prometheus` and `servo vegeta` (reference 2.3)."""

import http.server
import json
import threading
from datetime import UTC, datetime

import pytest
import yaml

OPTIMIZER = {"id": "example.com/app", "token": "t", "base_url": "http://127.0.0.1:18999"}
TARGETS = {
    "activeTargets": [
        {
            "scrapePool": "shop", "scrapeUrl": "http://127.0.0.1:8000/metrics", "health": "down",
            "labels": {"instance": "127.0.0.1:8000", "job": "shop\u001b[2J"}, "discoveredLabels": {},
            "lastError": "connection refused", "lastScrape": "2020-01-01T00:00:00Z", "lastScrapeDuration": 0.1,
        },
        {"scrapePool": "new", "scrapeUrl": "http://n/", "health": "unknown", "labels": {}, "lastScrape": "0001-01-01T00:00:00Z"},
    ]
}  # fmt: skip


@pytest.fixture
def url():
    """A server that knows targets, and nothing else."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            assert self.path == "/api/v1/targets?state=active"
            body = json.dumps({"status": "success", "data": TARGETS}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def two_servers(config, url):
    sections = {
        "staging": {"base_url": url, "metrics": []},
        "other": {"base_url": "http://127.0.0.1:9", "metrics": []},
    }
    config(
        yaml.safe_dump(
            {"optimizer": OPTIMIZER, "connectors": dict.fromkeys(sections, "prometheus"), **sections}
        )
    )


def test_targets_are_a_table(servo, config, url):
    config(
        yaml.safe_dump(
            {
                "optimizer": OPTIMIZER,
                "connectors": ["prometheus"],
                "prometheus": {"base_url": url, "metrics": []},
            }
        )
    )
    result = servo("prometheus", "targets")
    assert result.exit_code == 0, result.stderr
    header, first, second, third, *_ = result.stdout.splitlines()
    assert header.split("  ")[0] == "POOL"
    assert [word for word in ("HEALTH", "URL", "LABELS", "LAST SCRAPED", "ERROR") if word not in header] == []
    years = (datetime.now(UTC) - datetime(2020, 1, 1, tzinfo=UTC)).days // 365
    assert first.split() == [
        "shop", "down", "http://127.0.0.1:8000/metrics", "instance=127.0.0.1:8000", str(years), "years", "ago",
        "connection", "refused",
    ]  # fmt: skip
    assert second.strip() == "job=shop"
    assert third.split() == ["new", "unknown", "http://n/", "never"]


def test_targets_for_programs_of_one_of_two_servers(servo, two_servers):
    result = servo("prometheus", "-c", "staging", "targets", "--output", "json")
    found = json.loads(result.stdout)
    assert [each["health"] for each in found] == ["down", "unknown"]
    unclear = servo("prometheus", "targets")
    assert unclear.exit_code == 2
    assert "several connectors to choose from" in unclear.stderr


def test_a_server_that_is_not_there_is_one_line(servo, two_servers, monkeypatch):
    monkeypatch.setenv("SERVO_OTHER_RETRY_TIME", "0s")
    result = servo("prometheus", "-c", "other", "targets")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: cannot reach Prometheus at http://127.0.0.1:9/api/v1: ")
    assert len(result.stderr.splitlines()) == 1


def test_an_attack_without_vegeta_says_so(servo, config, monkeypatch, tmp_path):
    """Reference 6.3: `vegeta attack` did nothing."""
    section = {"rate": 1, "target": "GET http://127.0.0.1:9/"}
    config(yaml.safe_dump({"optimizer": OPTIMIZER, "connectors": ["vegeta"], "vegeta": section}))
    monkeypatch.setenv("PATH", str(tmp_path))
    result = servo("vegeta", "attack", "-d", "1s")
    assert result.exit_code == 1
    assert "not on the PATH" in result.stderr
    assert servo("vegeta", "attack", "-d", "x").exit_code == 2


def test_commands_of_connectors_that_are_not_active(servo, config):
    config()
    for command in (("prometheus", "targets"), ("vegeta", "attack")):
        result = servo(*command)
        assert result.exit_code == 2
        assert "no active connector of type" in result.stderr

"""The metrics API, for clusters that have none: what metrics-server does, in little.

It is an aggregated API: the API server hands `/apis/metrics.k8s.io/v1beta1` on to it. Its figures are those of the kubelet,
read through the API server as metrics-server reads them.
"""

from __future__ import annotations

import http.server
import json
import re
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

ROOT = "/apis/metrics.k8s.io/v1beta1"
KINDS = {
    "kind": "APIResourceList",
    "apiVersion": "v1",
    "groupVersion": "metrics.k8s.io/v1beta1",
    "resources": [
        {
            "name": "pods",
            "singularName": "",
            "namespaced": True,
            "kind": "PodMetrics",
            "verbs": ["get", "list"],
        }
    ],
}


class MetricsAPI:
    """Serves pods' metrics over TLS on this machine.

    Args:
        kubeconfig: Of the cluster whose kubelets are asked.
        directory: Where its certificate is made.
    """

    def __init__(self, kubeconfig: Path, directory: Path) -> None:
        self._kubeconfig = kubeconfig
        self.failing = False
        made = directory / "certificate.pem"
        subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
        new = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject)
        subprocess.run(
            [*new, "-keyout", str(made), "-out", str(directory / "public.pem")],
            check=True,
            capture_output=True,
        )
        made.write_text(made.read_text() + (directory / "public.pem").read_text())
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = outer.answer(self.path)
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                """The API server opens connections that it does not use."""

        self._server = Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(made)
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, target: str) -> tuple[int, Any]:
        """Return status and body for a request."""
        parts = urlsplit(target)
        if self.failing:
            return 503, {"kind": "Status", "code": 503, "reason": "ServiceUnavailable", "message": "not now"}
        if parts.path == ROOT:
            return 200, KINDS
        found = re.fullmatch(f"{ROOT}/namespaces/([^/]+)/pods", parts.path)
        if found is None:
            return 404, {"kind": "Status", "code": 404, "reason": "NotFound", "message": "no such path"}
        labels = parse_qs(parts.query).get("labelSelector", [""])[0]
        metadata = {"resourceVersion": ""}
        items = self._items(found[1], labels)
        return 200, {
            "kind": "PodMetricsList",
            "apiVersion": "metrics.k8s.io/v1beta1",
            "metadata": metadata,
            "items": items,
        }

    def _items(self, namespace: str, labels: str) -> list[dict[str, Any]]:
        selected = self._get("get", "pods", "-n", namespace, "-l", labels, "-o", "json")["items"]
        names = {pod["metadata"]["name"]: pod["metadata"].get("labels") for pod in selected}
        items = []
        for node in self._get("get", "nodes", "-o", "json")["items"]:
            summary = self._get(
                "get", "--raw", f"/api/v1/nodes/{node['metadata']['name']}/proxy/stats/summary"
            )
            for pod in summary["pods"]:
                reference = pod["podRef"]
                if reference["namespace"] == namespace and reference["name"] in names:
                    items.append(_metrics(pod, names[reference["name"]]))
        return [item for item in items if item["containers"]]

    def _get(self, *arguments: str) -> Any:
        command = ["kubectl", "--kubeconfig", str(self._kubeconfig), *arguments]
        return json.loads(subprocess.run(command, capture_output=True, check=True, timeout=30).stdout)


def _metrics(pod: dict[str, Any], labels: Any) -> dict[str, Any]:
    """A pod's figures as metrics-server writes them; one whose figures the kubelet has not yet is not there."""
    containers = [
        {
            "name": each["name"],
            "usage": {
                "cpu": f"{each['cpu']['usageNanoCores']}n",
                "memory": f"{each['memory']['workingSetBytes'] // 1024}Ki",
            },
        }
        for each in pod.get("containers", ())
        if "usageNanoCores" in each.get("cpu", {}) and "workingSetBytes" in each.get("memory", {})
    ]
    reference = pod["podRef"]
    return {
        "metadata": {"name": reference["name"], "namespace": reference["namespace"], "labels": labels},
        "timestamp": pod.get("cpu", {}).get("time"),
        "window": "15s",
        "containers": containers,
    }

"""A backend over HTTP in this process, for commands that talk to one."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclass
class HttpBackend:
    """What was posted to it, and how it answers.

    Attributes:
        url: Its address.
        taken: Body of each submission, by key.
        asked: Method, path and headers of each request.
        answer: Called with a submission's body: status and document. By default it is taken.
        result: Status and document of an analysis that is asked for.
    """

    url: str = ""
    taken: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    answer: Callable[[dict[str, Any]], tuple[int, dict[str, Any]]] | None = None
    result: tuple[int, dict[str, Any]] = (200, {"state": "succeeded"})

    def respond(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        self.asked.append((method, path, headers))
        if method == "GET":
            return self.result
        document = json.loads(body)
        if self.answer is not None:
            return self.answer(document)
        self.taken[headers["idempotency-key"]] = document
        return 202, {"build_analysis": {"analysis_id": f"build-analysis-{len(self.taken)}"}}


@pytest.fixture
def backend():
    """A backend that takes what it is given."""
    known = HttpBackend()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            self.reply(self.rfile.read(int(self.headers["Content-Length"])))

        def do_GET(self):
            self.reply(b"")

        def reply(self, body):
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, document = known.respond(self.command, self.path, headers, body)
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        known.url = f"http://127.0.0.1:{server.server_port}"
        yield known
        server.shutdown()


@pytest.fixture(autouse=True)
def _no_variables(_clean, monkeypatch):
    """No variable of the original, and no token, is set."""
    for name in list(os.environ):
        if name.startswith(("THOTH_", "THAMOS_", "TRIMTAB_", "PROMETHEUS_", "SENTRY_", "SKOPEO_")):
            monkeypatch.delenv(name)

"""A small exporter: an application's metrics, set by tests, in the text format that Prometheus scrapes."""

from __future__ import annotations

import http.server
import threading
from dataclasses import dataclass, field


@dataclass
class Exporter:
    """Serves what it is told.

    Attributes:
        values: Series, such as ``up_to{pod="a"}``, and their values; a function is asked at each scrape.
        scrapes: How often it was scraped.
    """

    values: dict[str, object] = field(default_factory=dict)
    scrapes: int = 0
    port: int = 0

    def text(self) -> str:
        self.scrapes += 1
        lines = [f"{name} {value() if callable(value) else value}" for name, value in self.values.items()]
        return "\n".join([*lines, ""])


def serve(exporter: Exporter) -> http.server.ThreadingHTTPServer:
    """Start to serve; the caller shuts the server down."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = exporter.text().encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request, client_address):
            """A scrape that Prometheus breaks off at its end."""

    server = Server(("127.0.0.1", 0), Handler)
    exporter.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server

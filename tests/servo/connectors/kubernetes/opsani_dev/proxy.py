"""A proxy that stands in for Envoy, of which there is no image here: it passes requests on, and counts them as Envoy does."""

import http.client
import http.server
import os
import threading
import time

LISTENS = int(os.environ["OPSANI_ENVOY_PROXY_SERVICE_PORT"])
BEHIND = int(os.environ["OPSANI_ENVOY_PROXIED_CONTAINER_PORT"])
MEASURES = int(os.environ["OPSANI_ENVOY_PROXY_METRICS_PORT"])
BUCKETS = (0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 10000)

lock = threading.Lock()
classes = {2: 0, 3: 0, 4: 0, 5: 0}
buckets = dict.fromkeys(BUCKETS, 0)


def count(status, milliseconds):
    with lock:
        classes[status // 100] = classes.get(status // 100, 0) + 1
        for bound in BUCKETS:
            buckets[bound] += milliseconds <= bound


def exposition():
    cluster = 'envoy_cluster_name="opsani_proxied"'
    with lock:
        total = sum(classes.values())
        lines = [
            f"envoy_cluster_upstream_rq_total{{{cluster}}} {total}",
            f"envoy_cluster_membership_healthy{{{cluster}}} 1",
        ]
        for number, found in classes.items():
            lines.append(
                f'envoy_cluster_upstream_rq_xx{{envoy_response_code_class="{number}",{cluster}}} {found}'
            )
        for bound, found in [*buckets.items(), ("+Inf", total)]:
            lines.append(f'envoy_cluster_upstream_rq_time_bucket{{{cluster},le="{bound}"}} {found}')
    return ("\n".join(lines) + "\n").encode()


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Proxy(Handler):
    def do_GET(self):
        began = time.monotonic()
        try:
            behind = http.client.HTTPConnection("127.0.0.1", BEHIND, timeout=10)
            behind.request("GET", self.path)
            answer = behind.getresponse()
            status, body = answer.status, answer.read()
            behind.close()
        except OSError:
            status, body = 503, b"no healthy upstream"
        count(status, 1000 * (time.monotonic() - began))
        self.answer(status, body)


class Metrics(Handler):
    def do_GET(self):
        found = self.path == "/stats/prometheus"
        self.answer(200 if found else 404, exposition() if found else b"")


threading.Thread(
    target=http.server.ThreadingHTTPServer(("", MEASURES), Metrics).serve_forever, daemon=True
).start()
http.server.ThreadingHTTPServer(("", LISTENS), Proxy).serve_forever()

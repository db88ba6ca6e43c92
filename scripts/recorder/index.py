"""An index on the loopback: good answers, and each way to answer badly."""

import contextlib
import hashlib
import html
import http.server
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

__all__ = ["FILES", "serving"]

FILES: dict[str, bytes] = {}
"""What it serves; filled once, before it starts."""
_STATUSES = {"401", "403", "404", "429", "500", "503"}
_LONG = 60


class _Index(http.server.BaseHTTPRequestHandler):
    repositories: Path

    def do_GET(self) -> None:
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts[0] in _STATUSES:
            self._answer(int(parts[0]), b"")
        elif parts[0] == "slow":
            threading.Event().wait(_LONG)
        elif parts[0] == "reset":
            # No farewell: the other side sees a reset, not an end.
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
            )
            self.close_connection = True
            self.connection.close()
        elif parts[0] == "short" and parts[1] == "files":
            self._answer(
                200, FILES[parts[-1]][:300], "application/octet-stream", length=len(FILES[parts[-1]])
            )
        elif parts[0] == "repositories" and self.repositories.joinpath(*parts[1:]).is_file():
            self._answer(200, self.repositories.joinpath(*parts[1:]).read_bytes(), "application/octet-stream")
        elif parts[0] == "files" and parts[-1] in FILES:
            self._answer(200, FILES[parts[-1]], "application/octet-stream")
        elif "simple" in parts[:2] and (page := self._page(parts)):
            self._answer(200, page)
        else:
            self._answer(404, b"")

    do_HEAD = do_GET  # noqa: N815 # the name http.server calls

    def _page(self, parts: list[str]) -> bytes:
        prefix, project = "/short" if parts[0] == "short" else "", parts[-1]
        links = []
        for name, content in sorted(FILES.items()):
            if re.sub(r"[-_.]+", "-", name.split("-")[0]).lower() == project:
                python = (
                    f' data-requires-python="{html.escape(">=4.0")}"' if name.startswith("future") else ""
                )
                digest = hashlib.sha256(content).hexdigest()
                links.append(f'<a href="{prefix}/files/{name}#sha256={digest}"{python}>{name}</a>')
        return (
            ("<!DOCTYPE html><html><body>" + "\n".join(links) + "</body></html>").encode() if links else b""
        )

    def _answer(
        self, status: int, body: bytes, kind: str = "text/html", *, length: int | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """What clients do to their connections is what is recorded."""


@contextlib.contextmanager
def serving(work: Path) -> Iterator[tuple[str, str]]:
    """Its address, and another by TLS with a certificate that nobody knows."""
    _Index.repositories = work / "repositories"
    plain = _Server(("127.0.0.1", 0), _Index)
    secure = _Server(("127.0.0.1", 0), _Index)
    secure.socket = _tls(work).wrap_socket(secure.socket, server_side=True, do_handshake_on_connect=False)
    for each in (plain, secure):
        threading.Thread(target=each.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{plain.server_port}", f"https://127.0.0.1:{secure.server_port}"
    for each in (plain, secure):
        each.shutdown()


def _tls(work: Path) -> ssl.SSLContext:
    key, certificate = work / "key.pem", work / "certificate.pem"
    if not certificate.exists():
        options = ("-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=127.0.0.1")
        command = ["openssl", "req", "-x509", *options, "-addext", "subjectAltName=IP:127.0.0.1"]
        subprocess.run(
            [*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context

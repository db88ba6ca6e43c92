"""A server that analyses, a registry that answers what a test tells it, and images for it."""

import asyncio
import contextlib
import gzip
import hashlib
import http.server
import io
import json
import tarfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from trimtab.server.app import create_app
from trimtab.settings import ServerSettings

TOKENS = {name: f"{name}-0123456789abcdef" for name in ("alice", "bob", "watcher", "root", "ci")}
SCOPES = {"alice": "submit", "bob": "submit", "watcher": "read", "root": "admin", "ci": "agent"}
LOG = "STEP 1/2: FROM registry.example/python\nCollecting six==1.16.0\nSuccessfully installed six-1.16.0\n"
STATUS = b"Package: a\nStatus: install ok installed\nVersion: 1\n"


def sha(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Registry:
    """A registry over HTTP, whose answers are set by path: status, headers, body; or a function of the handler."""

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def push(self, name: str = "app", tag: str = "1", files: dict[str, bytes] | None = None) -> str:
        """Put an image of one layer there; its digest."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as archive:
            for path, content in (files or {"var/lib/dpkg/status": STATUS}).items():
                member = tarfile.TarInfo(path)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        layer = gzip.compress(out.getvalue(), mtime=0)
        config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Env": ["A=1"]}}).encode()
        media = "application/vnd.oci.image"
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{media}.manifest.v1+json",
            "config": {"mediaType": f"{media}.config.v1+json", "digest": sha(config), "size": len(config)},
            "layers": [
                {"mediaType": f"{media}.layer.v1.tar+gzip", "digest": sha(layer), "size": len(layer)}
            ],
        }
        document = json.dumps(manifest).encode()
        told = {"Docker-Content-Digest": sha(document), "Content-Type": manifest["mediaType"]}
        for version in (tag, sha(document)):
            self.answers[f"/v2/{name}/manifests/{version}"] = (200, told, document)
        for blob in (config, layer):
            self.answers[f"/v2/{name}/blobs/{sha(blob)}"] = (200, {}, blob)
        self.layer = f"/v2/{name}/blobs/{sha(layer)}"
        return sha(document)


@pytest.fixture
def registry() -> Iterator[Registry]:
    """A registry that this machine alone reaches."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            found.asked.append((self.path, dict(self.headers)))
            answer = found.answers.get(self.path.partition("?")[0], (404, {}, b""))
            status, headers, body = answer(self) if callable(answer) else answer
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request, client_address):
            """Clients that are ended close their connections."""

    served = Server(("127.0.0.1", 0), Handler)
    found = Registry(served.server_port)
    thread = threading.Thread(target=served.serve_forever, args=(0.01,))
    thread.start()
    yield found
    served.shutdown()
    served.server_close()
    thread.join()


@pytest.fixture
def serve(place, tmp_path) -> Callable[..., Any]:
    """Serves the place, and analyses; each caller has a client of its own, by its name."""
    file = tmp_path / "tokens"
    file.write_text("".join(f"{name}:{SCOPES[name]}:{token}\n" for name, token in TOKENS.items()))

    @asynccontextmanager
    async def serve_(**settings: Any) -> AsyncIterator[dict[str, httpx2.AsyncClient]]:
        values = {"token_file": file, "engine": "docker"} | settings
        app = create_app(ServerSettings(**values), place=place)
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with app.router.lifespan_context(app):
            yield {
                name: httpx2.AsyncClient(
                    transport=transport,
                    base_url="http://localhost",
                    headers={"Authorization": f"Bearer {token}"} if token else {},
                    timeout=60,
                )
                for name, token in {**TOKENS, "nobody": ""}.items()
            }

    return serve_


@pytest.fixture
async def callers(serve) -> AsyncIterator[dict[str, httpx2.AsyncClient]]:
    """Those of a server that analyses."""
    async with serve() as found:
        yield found


@pytest.fixture
async def accepting(serve) -> AsyncIterator[dict[str, httpx2.AsyncClient]]:
    """Those of a server that accepts, and leaves the work to others."""
    async with serve(worker=False) as found:
        yield found


@pytest.fixture
def root(callers) -> httpx2.AsyncClient:
    return callers["root"]


async def until_over(client: httpx2.AsyncClient, path: str, seconds: float = 90) -> httpx2.Response:
    """The first answer that is not 202."""
    deadline = time.monotonic() + seconds
    while (response := await client.get(path)).status_code == 202:
        assert time.monotonic() < deadline, response.text
        await asyncio.sleep(0.1)
    return response


@pytest.fixture
def over() -> Callable[..., Any]:
    return until_over


@pytest.fixture
def log_text() -> str:
    return LOG

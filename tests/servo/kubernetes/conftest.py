"""A small HTTPS server of ours: for streams that break off, 410s, 429s, certificates and credentials at will.

What a real API server does is tested against a real one, in tests/integration/kubernetes.
"""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from servo.kubernetes import Client
from servo.kubernetes.access import Access


@dataclass
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    certificate: dict[str, Any] | None

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    """What is answered: a body, or a stream of chunks that may break off without its end."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    chunks: Callable[[], AsyncIterator[bytes]] | None = None
    cut: bool = False
    upgraded: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any] | None = None


def status(code: int, reason: str = "", message: str = "", **details: Any) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "code": code,
        "reason": reason,
        "message": message,
        "details": details,
    }


class Server:
    """Answers each request by ``answer``: an `Answer`, or a body of 200."""

    Answer = Answer

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answer: Callable[[Asked], Any] = lambda asked: self.failed(404, "NotFound")
        self.port = 0

    @staticmethod
    def failed(
        code: int, reason: str = "", message: str = "", headers: dict[str, str] | None = None, **details: Any
    ) -> Answer:
        """An error as the API writes it."""
        return Answer(code, status(code, reason, message, **details), headers or {})

    @staticmethod
    def streamed(*chunks: bytes, cut: bool = False, until: asyncio.Event | None = None) -> Answer:
        """Chunks one after the other; then the end, at once or when `until` is set, or none where it is cut."""

        async def pieces() -> AsyncIterator[bytes]:
            for chunk in chunks:
                yield chunk
            if until is not None:
                await until.wait()

        return Answer(chunks=pieces, cut=cut)

    @staticmethod
    def event(kind: str, found: Any) -> bytes:
        """An event of a watch, as its line."""
        return json.dumps({"type": kind, "object": found}).encode() + b"\n"

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._one(head, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _one(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *rest = head.decode().strip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        parts = urlsplit(target)
        asked = Asked(
            method,
            parts.path,
            parse_qs(parts.query),
            headers,
            body,
            writer.get_extra_info("peercert") or None,
        )
        self.asked.append(asked)
        found = self.answer(asked)
        answer = found if isinstance(found, Answer) else Answer(200, found)
        if answer.upgraded:
            writer.write(b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
            await answer.upgraded(reader, writer)
            raise ConnectionError("ended")
        await self._write(answer, writer)

    async def _write(self, answer: Answer, writer: asyncio.StreamWriter) -> None:
        content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        length = {"Transfer-Encoding": "chunked"} if answer.chunks else {"Content-Length": str(len(content))}
        lines = [f"HTTP/1.1 {answer.status} Answer"]
        lines += [f"{name}: {value}" for name, value in {**length, **answer.headers}.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + (b"" if answer.chunks else content))
        if answer.chunks:
            async for chunk in answer.chunks():
                writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                await writer.drain()
            if not answer.cut:
                writer.write(b"0\r\n\r\n")
        await writer.drain()
        if answer.cut:
            raise ConnectionError("cut")


@dataclass
class Certificates:
    """An authority, and two pairs that it has signed."""

    authority: Path
    server: Path
    client: Path

    def key(self, name: str) -> Path:
        return self.authority.parent / f"{name}.key"


@pytest.fixture(scope="session")
def certificates(tmp_path_factory) -> Certificates:
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificates of this test, and is not installed")
    directory = tmp_path_factory.mktemp("certificates")

    def run(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    ec = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    ca = (
        "-addext",
        "basicConstraints=critical,CA:TRUE",
        "-addext",
        "keyUsage=critical,keyCertSign,digitalSignature",
    )
    run(
        "req",
        "-x509",
        *ec,
        "-days",
        "2",
        "-subj",
        "/CN=authority",
        *ca,
        "-keyout",
        "ca.key",
        "-out",
        "ca.crt",
    )
    for name, alternative in (("server", "IP:127.0.0.1,DNS:api.internal"), ("client", "DNS:client")):
        run("req", *ec, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        (directory / "extensions").write_text(
            f"subjectAltName={alternative}\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
        )
        signed = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "extensions")
        run("x509", "-req", "-days", "2", "-in", f"{name}.csr", *signed, "-out", f"{name}.crt")
    return Certificates(directory / "ca.crt", directory / "server.crt", directory / "client.crt")


@pytest.fixture
async def server(certificates) -> AsyncIterator[Server]:
    """Our server, over TLS; it asks for a client's certificate, and does without one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.key("server"))
    context.load_verify_locations(certificates.authority)
    context.verify_mode = ssl.CERT_OPTIONAL
    found = Server()
    running = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        running.add(task)
        await found.serve(reader, writer)
        running.discard(task)

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    found.port = listening.sockets[0].getsockname()[1]
    yield found
    listening.close()
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


@pytest.fixture
def access(server, certificates) -> Access:
    return Access(
        server=server.url, source="a test", namespace="shop", authority=certificates.authority.read_bytes()
    )


@pytest.fixture
async def client(access) -> AsyncIterator[Client]:
    async with Client(access, timeout=10) as opened:
        yield opened


@pytest.fixture
def write_kubeconfig(tmp_path, server, certificates) -> Callable[..., Path]:
    """Writes a kubeconfig for our server; what is given replaces parts of it."""

    def write(name: str = "config", *, user: Any = None, cluster: Any = None, **document: Any) -> Path:
        authority = base64.b64encode(certificates.authority.read_bytes()).decode()
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": "ours",
                    "cluster": cluster or {"server": server.url, "certificate-authority-data": authority},
                }
            ],
            "users": [{"name": "me", "user": user or {"token": "secret-token"}}],
            "contexts": [{"name": "shop", "context": {"cluster": "ours", "user": "me", "namespace": "shop"}}],
            "current-context": "shop",
            **document,
        }
        path = tmp_path / name
        path.write_text(yaml.safe_dump(content))
        return path

    return write

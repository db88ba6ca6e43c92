"""The way to the backend: TLS, proxies, and servers that do not behave."""

from __future__ import annotations

import asyncio
import base64
import shutil
import ssl
import subprocess

import pytest

from servo.connectors.builds.backend import Backend
from servo.connectors.builds.http import MAX_ANSWER, DirectTransport, ExchangeError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Answers each request with the next of its answers, and remembers what was asked; a connection goes on after `OK` only.

    Attributes:
        answers: Bytes that are written for a request; the last one again and again. None: the connection is closed.
        requests: Head and body of each.
        connections: How many there were.
    """

    def __init__(self, *answers: bytes | None) -> None:
        self.answers, self.requests, self.connections = list(answers or (OK,)), [], 0

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            while await self.exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def exchange(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.requests.append((head, await self.body(head, reader)))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            return False
        writer.write(answer)
        await writer.drain()
        return answer == OK

    @staticmethod
    async def body(head, reader):
        if "Content-Length: " in head:
            return await reader.readexactly(int(head.partition("Content-Length: ")[2].split("\r\n")[0]))
        found = b""
        while "chunked" in head and (size := int(await reader.readline(), 16)):
            found += (await reader.readexactly(size + 2))[:-2]
        return found


@pytest.fixture
async def listening():
    """Starts servers; returns the port of one."""
    started = []

    async def start(server, context=None):
        started.append(await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context))
        return started[-1].sockets[0].getsockname()[1]

    yield start
    for each in started:
        each.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A certificate authority of our own, what it has signed for localhost, and one that nobody trusts."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificates of this test, and is not installed")
    where = tmp_path_factory.mktemp("tls")

    def run(text):
        subprocess.run(f"openssl {text}".split(), cwd=where, check=True, capture_output=True)

    (where / "ext").write_text("subjectAltName=DNS:localhost\n")
    for name in ("ca", "other"):
        run(f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} -keyout {name}.key -out {name}.pem")
    run("req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key.pem -out request.pem")
    run(
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out cert.pem"
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(where / "cert.pem", where / "key.pem")
    return where, context


@pytest.fixture
def told(config):
    """Asks a backend of a configuration whether it answers."""

    async def ask(**settings):
        backend = Backend(config(backend=settings))
        try:
            return await backend.check()
        finally:
            await backend.aclose()

    return ask


async def test_a_backend_whose_authority_is_ours_is_trusted(listening, authority, told):
    where, context = authority
    server = Server()
    port = await listening(server, context)
    assert (
        await told(url=f"https://localhost:{port}", ca_file=where / "ca.pem")
        == f"https://localhost:{port} answers"
    )
    assert f"Host: localhost:{port}\r\n" in server.requests[0][0]


@pytest.mark.parametrize("ca", ["other.pem", None])
async def test_one_that_nobody_we_trust_vouches_for_hears_no_token(
    listening, authority, told, ca, monkeypatch
):
    monkeypatch.setenv("TRIMTAB_TOKEN", "a-token")
    where, context = authority
    server = Server()
    port = await listening(server, context)
    with pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
        await told(url=f"https://localhost:{port}", **({"ca_file": where / ca} if ca else {}))
    assert server.requests == []


async def test_nor_does_one_of_another_name(listening, authority, told):
    where, context = authority
    server = Server()
    port = await listening(server, context)
    with pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
        await told(url=f"https://127.0.0.1:{port}", ca_file=where / "ca.pem")
    assert server.requests == []


async def test_verification_can_be_switched_off(listening, authority, told):
    _, context = authority
    port = await listening(Server(), context)
    assert await told(url=f"https://127.0.0.1:{port}", verify_tls=False)


async def test_a_file_of_certificates_that_is_not_there_is_told(told, tmp_path):
    with pytest.raises(Exception, match=r"none\.pem"):
        await told(url="https://localhost:9", ca_file=tmp_path / "none.pem")


class Proxy:
    """Passes on what it is asked to: requests of http, tunnels of https."""

    def __init__(self) -> None:
        self.heads: list[str] = []

    async def serve(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.heads.append(head)
            method, target, _ = head.split(" ", 2)
            place = target if method == "CONNECT" else target.removeprefix("http://").split("/")[0]
            host, _, port = place.partition(":")
            there, on = await asyncio.open_connection(host, int(port))
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                on.write(head.encode())
            await asyncio.gather(self.pass_on(reader, on), self.pass_on(there, writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    @staticmethod
    async def pass_on(reader, writer):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
        writer.close()


async def test_through_a_proxy(listening, told):
    server, proxy = Server(), Proxy()
    port, through = await listening(server), await listening(proxy)
    url = f"http://127.0.0.1:{port}"
    assert await told(url=url, proxy=f"http://me:pass@127.0.0.1:{through}")
    assert proxy.heads[0].startswith(f"GET {url}/api/v1/build-analysis/")
    credentials = base64.b64encode(b"me:pass").decode()
    assert f"proxy-authorization: basic {credentials}".lower() in proxy.heads[0].lower()
    assert len(server.requests) == 1


async def test_through_a_proxy_by_tls_it_sees_nothing_but_the_name(listening, authority, told, monkeypatch):
    monkeypatch.setenv("TRIMTAB_TOKEN", "a-token")
    where, context = authority
    server, proxy = Server(), Proxy()
    port, through = await listening(server, context), await listening(proxy)
    url = f"https://localhost:{port}"
    assert await told(url=url, proxy=f"http://127.0.0.1:{through}", ca_file=where / "ca.pem")
    assert [head.split("\r\n")[0] for head in proxy.heads] == [f"CONNECT localhost:{port} HTTP/1.1"]
    assert "a-token" not in "".join(proxy.heads)
    assert "uthorization: Bearer a-token" in server.requests[0][0]


async def test_the_proxy_of_the_environment_only_where_that_is_asked_for(listening, told, monkeypatch):
    server, proxy = Server(), Proxy()
    port, through = await listening(server), await listening(proxy)
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{through}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{through}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    await told(url=f"http://127.0.0.1:{port}")
    assert proxy.heads == []
    await told(url=f"http://127.0.0.1:{port}", proxy="environment")
    assert len(proxy.heads) == 1


async def test_a_proxy_that_is_away_is_told(told):
    with pytest.raises(Exception, match="does not answer"):
        await told(url="http://backend.example", proxy="http://127.0.0.1:9")


@pytest.fixture
async def asked(listening):
    """Sends requests to a server that answers with what is given."""
    opened = []

    async def ask(*answers, body=b"", times=1, seconds=10.0):
        server = Server(*answers)
        transport = DirectTransport(f"http://127.0.0.1:{await listening(server)}", timeout=seconds)
        opened.append(transport)
        found = [await transport.request("POST", "/x", {"A": "b"}, body) for _ in range(times)]
        return found, server

    yield ask
    for each in opened:
        await each.aclose()


async def test_connections_are_kept(asked):
    found, server = await asked(times=5)
    assert [each.status for each in found] == [200] * 5
    assert server.connections == 1


async def test_one_that_the_server_closed_is_opened_anew(asked):
    closing = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    found, server = await asked(closing, times=3)
    assert (len(found), server.connections) == (3, 3)


async def test_pieces_are_sent_as_pieces(asked):
    async def pieces():
        for each in (b"one", b"", b"two" * 50_000):
            yield each

    _, server = await asked(body=pieces())
    assert server.requests[0][1] == b"one" + b"two" * 50_000


ANSWERS = {
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "an interim answer first": b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
    "until the connection ends": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}",
    "of HTTP 1.0": b"HTTP/1.0 200 OK\r\n\r\n{}",
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_answers_in_each_form(asked, answer):
    (found,), _ = await asked(answer)
    assert (found.status, found.json()) == (200, {})


BROKEN = {
    "none": None,
    "nonsense": b"hello\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-",
    "half a body, and no end": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\n{}",
    "half a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{}",
    "too long": b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b"x" * (MAX_ANSWER + 1),
    "too long, without an end": b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * (MAX_ANSWER + 1),
    "too many headers": b"HTTP/1.1 200 OK\r\n"
    + b"A: b\r\n" * (MAX_ANSWER // 6 + 1)
    + b"Content-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
async def test_what_is_no_answer_is_told(asked, answer):
    with pytest.raises(ExchangeError):
        await asked(answer, seconds=3.0)


async def test_an_answer_that_does_not_come_is_not_waited_for(listening):
    waiting = asyncio.Event()

    async def silent(reader, writer):
        await waiting.wait()
        writer.close()

    server = Server()
    server.serve = silent
    transport = DirectTransport(f"http://127.0.0.1:{await listening(server)}", timeout=0.05)
    with pytest.raises(ExchangeError, match=r"no answer within 0\.05 s"):
        await transport.request("GET", "/", {})
    waiting.set()
    await transport.aclose()


@pytest.mark.parametrize(("target", "value"), [("/x\r\nB: c", "d"), ("/x", "d\r\nE: f"), ("/x", "d\nE: f")])
async def test_nothing_is_slipped_into_a_request(target, value):
    with pytest.raises(ExchangeError, match="line break"):
        await DirectTransport("http://127.0.0.1:9").request("GET", target, {"A": value})


async def test_nobody_who_listens_is_told():
    with pytest.raises(ExchangeError, match="ConnectionRefused"):
        await DirectTransport("http://127.0.0.1:9").request("GET", "/", {})

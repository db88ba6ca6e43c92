"""The way to a server: proxies, and servers that are not verified."""

import asyncio
import contextlib
import gc
import warnings

import pytest
from loguru import logger

from servo.kubernetes import Client, ConfigurationError, UnreachableError
from servo.kubernetes.access import Access
from servo.kubernetes.connection import Connection


@pytest.fixture
async def proxy():
    """A proxy of ours; what it connected to."""
    asked: list[str] = []

    async def pump(reader, writer):
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        target = head.split()[1]
        asked.append(target)
        host, _, port = target.rpartition(":")
        other = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(pump(reader, other[1]), pump(other[0], writer))

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", asked
    listening.close()


async def test_a_proxy_is_gone_through_and_certificates_are_verified_all_the_same(server, access, proxy):
    url, asked = proxy
    server.answer = lambda _: {"major": "1", "minor": "20"}
    through = Access(server.url, "a test", authority=access.authority, proxy=url)
    async with Client(through) as client:
        assert await client.version() == (1, 20)
    assert asked == [f"127.0.0.1:{server.port}"]
    async with Client(Access(server.url, "a test", proxy=url)) as stranger:
        with pytest.raises(UnreachableError, match="certificate verify failed"):
            await stranger.version()


async def test_a_proxy_that_cannot_be_used_is_told(access):
    wrong = Access("https://api", "the kubeconfig", proxy="gopher://x")
    async with Client(wrong) as client:
        with pytest.raises(ConfigurationError, match="the kubeconfig: proxy-url"):
            await client.version()


@pytest.mark.parametrize(
    ("server", "variables", "expected"),
    [
        ("https://api.example", {"https_proxy": "http://p:1"}, "http://p:1"),
        ("https://api.example", {"https_proxy": "http://p:1", "no_proxy": "example"}, None),
        ("https://api.example", {"http_proxy": "http://p:1"}, None),
        ("https://api.example", {"all_proxy": "http://p:1"}, "http://p:1"),
        ("https://127.0.0.1:6443", {"https_proxy": "http://p:1"}, None),
        ("https://api.example", {}, None),
    ],
)
def test_proxies_of_the_environment_are_used_where_the_kubeconfig_names_none(
    monkeypatch, server, variables, expected
):
    for name in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name.upper()}_PROXY", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Connection(Access(server, "a test"), timeout=1)._proxy() == expected
    assert Connection(Access(server, "a test", proxy=None), timeout=1)._proxy() is None


async def test_a_server_is_not_verified_where_the_kubeconfig_says_so_and_the_log_says_it_too(server):
    said: list[str] = []
    sink = logger.add(lambda message: said.append(str(message)), level="WARNING")
    server.answer = lambda asked: {"major": "1", "minor": "20"}
    try:
        async with Client(Access(server.url, "the kubeconfig", insecure=True)) as client:
            assert await client.version() == (1, 20)
            await client.find("", "pods")
    finally:
        logger.remove(sink)
    assert len(said) == 1
    assert "certificate is not verified, as the kubeconfig says" in said[0]


async def test_whenever_a_request_is_cancelled_its_connection_is_closed(server, access):
    """The library does so after an error, and not when a request is cancelled while encryption is agreed on."""
    server.answer = lambda asked: {"major": "1", "minor": "20"}
    left, steps, done = {}, 0, False
    gc.collect()
    while not done:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            async with Client(access) as client:
                asking = asyncio.create_task(client.version())
                for _ in range(steps):
                    await asyncio.sleep(0)
                done = asking.done() or steps > 500
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
            del asking, client
            gc.collect()
        unclosed = [str(each.message) for each in said if "unclosed" in str(each.message)]
        if unclosed:
            left[steps] = unclosed
        steps += 1
    assert left == {}
    assert steps > 5

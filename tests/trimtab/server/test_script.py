"""Scripts that are fetched by their URL: within bounds, and from nowhere that is near."""

import asyncio
import gzip
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from trimtab.server.addresses import Allowed
from trimtab.server.script import ScriptError, Scripts

SCRIPT = "#!/bin/sh\necho \N{GREEK SMALL LETTER ALPHA}\n"
HERE = Allowed.of(["127.0.0.1"])


@pytest.fixture
def files():  # noqa: C901 # one method for each kind of answer
    """A server of files on loopback, which remembers what it was asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, dict(self.headers)))
            name, _, rest = self.path[1:].partition("/")
            getattr(self, f"_{name}")(rest)

        def _reply(self, code, body=b"", **headers):
            self.send_response(code)
            for key, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(key.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def _script(self, _):
            self._reply(200, SCRIPT.encode())

        def _code(self, rest):
            self._reply(int(rest), b"what is wrong")

        def _to(self, rest):
            self._reply(302, Location=rest)

        def _loop(self, _):
            self._reply(302, Location="/loop")

        def _gzip(self, _):
            self._reply(200, gzip.compress(SCRIPT.encode()), Content_Encoding="gzip")

        def _bytes(self, rest):
            self._reply(200, bytes.fromhex(rest))

        def _endless(self, _):
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"x" * 65536)
            except OSError:
                pass  # the client has had enough

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    server.asked = asked
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    server.server_close()


async def test_a_script_is_fetched_to_the_byte(files):
    assert await Scripts(HERE).fetch(f"{files.url}/script") == SCRIPT
    (path, headers), *_ = files.asked
    assert (path, headers["Accept-Encoding"]) == ("/script", "identity")
    assert headers["Host"] == f"127.0.0.1:{files.server_port}"
    assert "Authorization" not in headers


async def test_a_host_is_called_by_its_name_at_the_address_that_was_checked(files):
    scripts = Scripts(Allowed.of(["localhost"]))
    assert await scripts.fetch(f"http://localhost:{files.server_port}/script") == SCRIPT
    assert files.asked[0][1]["Host"] == f"localhost:{files.server_port}"


@pytest.mark.parametrize("code", [404, 500, 403, 204 + 100])
async def test_a_status_is_told_as_the_original_did(files, code):
    url = f"{files.url}/code/{code}"
    with pytest.raises(ScriptError) as caught:
        await Scripts(HERE).fetch(url)
    assert str(caught.value) == f"Failed to obtain script from {url} (HTTP status: {code})"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/script",
        "http://localhost:{port}/script",
        "http://127.1:{port}/script",
        "http://2130706433:{port}/script",
        "http://0x7f000001:{port}/script",
        "http://0:{port}/script",
        "http://[::1]:{port}/script",
        "http://[::ffff:127.0.0.1]:{port}/script",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1%25lo]:{port}/script",
    ],
)
async def test_this_machine_is_not_asked_whatever_it_is_called(files, url):
    with pytest.raises(ScriptError):
        await Scripts().fetch(url.format(port=files.server_port))
    assert files.asked == []


async def test_each_redirect_is_checked(files):
    scripts = Scripts(HERE)
    assert await scripts.fetch(f"{files.url}/to/{files.url}/script") == SCRIPT
    assert await scripts.fetch(f"{files.url}/to//script") == SCRIPT
    files.asked.clear()
    with pytest.raises(ScriptError, match="no public address"):
        await scripts.fetch(f"{files.url}/to/http://127.0.0.2:{files.server_port}/script")
    assert len(files.asked) == 1
    for target in ("ftp://files.example/script", "file:///etc/passwd", "http://a:b@files.example/script"):
        with pytest.raises(ScriptError, match=r"\((it is no http|a password)"):
            await scripts.fetch(f"{files.url}/to/{target}")


async def test_redirects_have_an_end(files):
    with pytest.raises(ScriptError, match="more than 5 times"):
        await Scripts(HERE).fetch(f"{files.url}/loop")
    assert len(files.asked) == 6


async def test_a_name_that_changes_its_address_is_asked_once(files, monkeypatch):
    """DNS rebinding: the first answer is public, the second is this machine. There is no second question."""
    answers = iter(["203.0.114.7", "127.0.0.1"])
    asked = []

    async def getaddrinfo(host, port, **_options):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    with pytest.raises(ScriptError, match=r"did not come within|connection failed"):
        await Scripts(patience=0.2).fetch(f"http://rebinding.example:{files.server_port}/script")
    assert (asked, files.asked) == (["rebinding.example"], [])


async def test_of_several_addresses_only_public_ones_are_taken(files, monkeypatch):
    async def getaddrinfo(_host, port, **_options):
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in ("127.0.0.1", "10.0.0.1")
        ]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    with pytest.raises(ScriptError, match="no public address"):
        await Scripts().fetch(f"http://mixed.example:{files.server_port}/script")


async def test_size_is_bounded_whatever_was_said_before(files):
    with pytest.raises(ScriptError, match="more than 100000 bytes"):
        await Scripts(HERE, limit=100_000).fetch(f"{files.url}/endless")


async def test_time_is_bounded():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(ScriptError, match=r"within 0\.1 s"):
            await Scripts(HERE, patience=0.1).fetch(f"http://127.0.0.1:{silent.getsockname()[1]}/")


@pytest.mark.parametrize(
    ("path", "said"),
    [("gzip", "compressed"), ("bytes/ff", "UTF-8"), ("bytes/", "empty"), ("bytes/6100", "NUL")],
)
async def test_what_is_no_script_is_refused(files, path, said):
    with pytest.raises(ScriptError, match=said):
        await Scripts(HERE).fetch(f"{files.url}/{path}")


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///x",
        "https://exa mple/",
        "http://[::1",
        "http://user:geheim@files.example/",
        "http://a:99999/",
        "http://nowhere.invalid/",
        f"http://{'a' * 300}/",
        "http://\ud800/",
        "http://xn--/",
    ],
)
async def test_what_is_no_url_is_refused(url):
    with pytest.raises(ScriptError, match="Failed to obtain script"):
        await Scripts().fetch(url)

"""The client against a real server that may be rude, and its retries in virtual time."""

from __future__ import annotations

import asyncio
import json

import httpx2
import pytest

from servo.api import Connections, InvalidResponseError, OptimizerClient, full_jitter, retry_after, user_agent
from servo.api import client as module
from servo.configuration import AppdynamicsOptimizer, CommonConfiguration, OpsaniOptimizer

ONE_TRY = {"__default__": {"max_tries": 1}, "connect": {"max_tries": 1}}


def client_for(url, *, settings=None, **options):
    optimizer = OpsaniOptimizer(id="example.com/app", token="hunter2", base_url=url)
    return OptimizerClient(
        optimizer, CommonConfiguration(**{"backoff": ONE_TRY, **(settings or {})}), **options
    )


@pytest.fixture
async def closing():
    """Close clients with the test."""
    clients = []
    yield lambda client: clients.append(client) or client
    for client in clients:
        await client.aclose()


class TestExchange:
    async def test_messages_are_of_the_documented_form(self, raw_server, http_response, closing):
        async def answer(_request, writer):
            writer.write(http_response(200, {"status": "ok"}))

        server = await raw_server(answer)
        client = closing(client_for(server.url, servo_uid="uid"))
        await client.hello({"agent": "x"})
        head, body = server.requests[0]
        assert head.startswith("POST /accounts/example.com/applications/app/servo HTTP/1.1\r\n")
        assert "\r\nauthorization: bearer hunter2\r\n" in head.lower()
        assert f"\r\nuser-agent: {user_agent()}\r\n" in head.lower()
        assert "\r\ncontent-type: application/json\r\n" in head.lower()
        assert body == {"event": "HELLO", "param": {"agent": "x"}, "servo_uid": "uid"}

    async def test_connections_are_kept(self, raw_server, http_response, closing):
        async def answer(_request, writer):
            writer.write(http_response(200, {"status": "ok"}))

        server = await raw_server(answer)
        client = closing(client_for(server.url))
        for _ in range(3):
            await client.post("HELLO", None)
        assert server.open == 1

    @pytest.mark.parametrize(
        ("status", "body", "said"),
        [
            (401, {"detail": "no"}, "answered 401 .*check the token.*no"),
            (403, b"", "answered 403"),
            (400, b"<html>" + b"x" * 10_000, "answered 400 .*<html>"),
            (301, b"", "answered 301"),
        ],
    )
    async def test_statuses_are_errors_with_a_bounded_detail(
        self, raw_server, http_response, closing, status, body, said
    ):
        async def answer(_request, writer):
            writer.write(http_response(status, body))

        server = await raw_server(answer)
        client = closing(client_for(server.url, settings={"backoff": {}}))
        with pytest.raises(httpx2.HTTPStatusError, match=said) as caught:
            await client.post("WHATS_NEXT", None)
        assert len(str(caught.value)) < 1000
        assert "hunter2" not in str(caught.value)
        assert len(server.requests) == 1, "final statuses are not retried"

    @pytest.mark.parametrize(
        "body", [b"", b"garbage", b"[1]", b'"text"', b"{", b'{"a": NaN}', b"[" * 100_000]
    )
    async def test_garbage_is_an_error_of_its_own(self, raw_server, http_response, closing, body):
        async def answer(_request, writer):
            writer.write(http_response(200, body))

        client = closing(client_for((await raw_server(answer)).url))
        with pytest.raises(InvalidResponseError, match="no JSON object"):
            await client.post("WHATS_NEXT", None)

    async def test_an_answer_without_status_is_an_error(self, raw_server, http_response, closing):
        async def answer(_request, writer):
            writer.write(http_response(200, {"hello": "there"}))

        client = closing(client_for((await raw_server(answer)).url))
        with pytest.raises(InvalidResponseError, match="has no status"):
            await client.post_event("DESCRIPTION", {})

    async def test_an_endless_answer_is_cut_off(self, raw_server, closing, monkeypatch):
        monkeypatch.setattr(module, "MAX_RESPONSE", 100_000)
        sent = 0

        async def answer(_request, writer):
            nonlocal sent
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
                sent += 4096
                await writer.drain()

        client = closing(client_for((await raw_server(answer)).url))
        with pytest.raises(InvalidResponseError, match="larger than"):
            await client.post("WHATS_NEXT", None)
        assert sent < 50_000_000

    async def test_a_compressed_answer_is_refused_before_it_unfolds(self, raw_server, http_response, closing):
        async def answer(_request, writer):
            writer.write(http_response(200, b"\x1f\x8b", "Content-Encoding: gzip"))

        server = await raw_server(answer)
        client = closing(client_for(server.url))
        with pytest.raises(InvalidResponseError, match="compressed"):
            await client.post("WHATS_NEXT", None)
        assert "accept-encoding: identity" in server.requests[0][0].lower()

    @pytest.mark.parametrize(
        "sent", [b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", b"SSH-2.0-x\r\n"]
    )
    async def test_a_connection_closed_in_the_middle_is_a_transport_error(self, raw_server, closing, sent):
        async def answer(_request, writer):
            writer.write(sent)
            await writer.drain()
            writer.close()

        client = closing(client_for((await raw_server(answer)).url))
        with pytest.raises(httpx2.TransportError):
            await client.post("WHATS_NEXT", None)

    async def test_a_silent_server_times_out(self, raw_server, closing):
        """Reference 6.1 #1: without `timeouts` there were none at all."""

        async def answer(_request, _writer):
            await asyncio.sleep(30)

        client = closing(client_for((await raw_server(answer)).url, settings={"timeouts": {"read": 0.05}}))
        with pytest.raises(httpx2.TimeoutException):
            await client.post("WHATS_NEXT", None)

    async def test_a_dripping_server_times_out_as_a_whole(self, raw_server, closing):
        async def answer(_request, writer):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.01)

        client = closing(client_for((await raw_server(answer)).url, settings={"timeouts": 0.05}))
        with pytest.raises(httpx2.ReadTimeout, match=r"no complete answer within 0\.2 s"):
            await client.post("WHATS_NEXT", None)

    async def test_nobody_there_is_a_connect_error(self, closing):
        client = closing(client_for("http://127.0.0.1:9"))
        with pytest.raises(httpx2.ConnectError):
            await client.post("WHATS_NEXT", None)

    async def test_a_closed_transport_is_rebuilt(self, raw_server, http_response, closing):
        async def answer(_request, writer):
            writer.write(http_response(200, {"status": "ok"}))

        client = closing(client_for((await raw_server(answer)).url))
        await client.post("HELLO", None)
        await client._connections.client(client.url, client.settings).http.aclose()
        assert await client.post("HELLO", None) == {"status": "ok"}

    async def test_values_that_json_does_not_know_are_refused(self, closing):
        client = closing(client_for("http://127.0.0.1:9"))
        with pytest.raises(ValueError, match="JSON compliant"):
            await client.post("MEASUREMENT", {"value": float("nan")})


class TestTls:
    async def test_certificates_are_verified_by_default(self, monkeypatch):
        """Reference 6.1 #1: verification was off by default."""
        made = []
        monkeypatch.setattr(httpx2, "AsyncClient", lambda **options: made.append(options) or FakeClient())
        connections = Connections()
        connections.client("https://a.example/", CommonConfiguration())
        connections.client("https://b.example/", CommonConfiguration())
        connections.client("https://a.example/", CommonConfiguration(ssl_verify=False))
        import ssl

        assert made[0]["verify"].verify_mode is ssl.CERT_REQUIRED
        assert made[0]["verify"].check_hostname
        assert made[1]["verify"] is made[0]["verify"], "one context serves all"
        assert made[2]["verify"] is False

    async def test_every_timeout_is_finite_by_default(self, monkeypatch):
        """Reference 6.1 #1: there were no timeouts by default."""
        made = []
        monkeypatch.setattr(httpx2, "AsyncClient", lambda **options: made.append(options) or FakeClient())
        Connections().client("http://a.example/", CommonConfiguration())
        timeout = made[0]["timeout"]
        assert (timeout.connect, timeout.read, timeout.write, timeout.pool) == (10, 60, 30, 60)

    @pytest.mark.parametrize(
        ("proxies", "option"),
        [("http://p.example:1", "proxy"), ({"https://": "http://p.example:1", "http://": None}, "mounts")],
    )
    async def test_proxies_replace_those_of_the_environment(self, monkeypatch, proxies, option):
        made = []
        monkeypatch.setattr(httpx2, "AsyncClient", lambda **options: made.append(options) or FakeClient())
        Connections().client("http://a.example/", CommonConfiguration(proxies=proxies))
        Connections().client("http://a.example/", CommonConfiguration())
        assert option in made[0]
        assert made[0]["trust_env"] is False
        assert made[1]["trust_env"] is True

    async def test_requests_go_through_the_proxy(self, raw_server, http_response, closing):
        async def answer(_request, writer):
            writer.write(http_response(200, {"status": "ok"}))

        proxy = await raw_server(answer)
        client = closing(client_for("http://nowhere.example", settings={"proxies": proxy.url}))
        await client.post("HELLO", None)
        assert proxy.requests[0][0].startswith("POST http://nowhere.example/accounts/")

    async def test_servos_that_talk_alike_share_a_client(self):
        connections, settings = Connections(), CommonConfiguration()
        one = connections.client("http://a.example/x", settings)
        assert connections.client("http://a.example/y", CommonConfiguration()) is one
        assert connections.client("http://b.example/", settings) is not one
        assert connections.client("http://a.example/", CommonConfiguration(timeouts=3)) is not one
        await connections.aclose()


class FakeClient:
    is_closed = False


@pytest.mark.looptime
class TestRetries:
    def client(self, replies, **settings):
        self.times = []

        async def handle(_request):
            self.times.append(asyncio.get_running_loop().time())
            reply = replies[min(len(self.times), len(replies)) - 1]
            if isinstance(reply, Exception):
                raise reply
            return reply

        return client_for(
            "http://a.example", settings={"backoff": {}, **settings}, transport=httpx2.MockTransport(handle)
        )

    @pytest.mark.parametrize(
        "failure",
        [
            httpx2.Response(500),
            httpx2.Response(503),
            httpx2.Response(404),
            httpx2.ReadTimeout("slow"),
            httpx2.ConnectError("refused"),
            httpx2.RemoteProtocolError("closed"),
        ],
    )
    async def test_what_may_pass_is_tried_again(self, failure):
        client = self.client([failure, failure, httpx2.Response(200, json={"status": "ok"})])
        assert await client.post("HELLO", None) == {"status": "ok"}
        assert len(self.times) == 3

    @pytest.mark.parametrize("status", [400, 401, 403, 405, 410, 429])
    async def test_what_will_not_pass_is_raised_at_once(self, status):
        client = self.client([httpx2.Response(status)])
        with pytest.raises(httpx2.HTTPStatusError):
            await client.post("WHATS_NEXT", None)
        assert len(self.times) == 1

    async def test_retries_end_with_the_time_of_their_context(self):
        client = self.client([httpx2.Response(500)])
        with pytest.raises(httpx2.HTTPStatusError):
            await client.post("WHATS_NEXT", None)
        assert 500 < self.times[-1] - self.times[0] <= 600
        assert 10 < len(self.times) < 100, "pauses grow, to a minute at most"

    async def test_connections_have_a_context_of_their_own(self):
        """Reference 6.4: the context `connect` was never consulted."""
        client = self.client([httpx2.ConnectError("refused")])
        with pytest.raises(httpx2.ConnectError):
            await client.post("WHATS_NEXT", None)
        assert 3400 < self.times[-1] - self.times[0] <= 3600

    @pytest.mark.parametrize("failure", [httpx2.ConnectError("refused"), httpx2.ReadTimeout("")], ids=repr)
    async def test_what_is_raised_says_who_did_not_answer(self, failure):
        client = self.client(
            [failure], backoff={"__default__": {"max_tries": 1}, "connect": {"max_tries": 1}}
        )
        with pytest.raises(type(failure), match=rf"^a\.example: {str(failure) or 'ReadTimeout'}$"):
            await client.post("WHATS_NEXT", None)

    async def test_tries_are_limited_where_configured(self):
        client = self.client([httpx2.Response(500)], backoff={"__default__": {"max_tries": 3}})
        with pytest.raises(httpx2.HTTPStatusError):
            await client.post("WHATS_NEXT", None)
        assert len(self.times) == 3

    async def test_hello_is_tried_again_whatever_the_status(self):
        client = self.client(
            [
                httpx2.Response(401),
                httpx2.Response(200, content=b"?"),
                httpx2.Response(200, json={"status": "ok"}),
            ]
        )
        assert (await client.hello(None)).status == "ok"
        assert len(self.times) == 3

    async def test_hello_once_is_tried_once(self):
        client = self.client([httpx2.Response(500)])
        with pytest.raises(httpx2.HTTPStatusError):
            await client.hello(None, once=True)
        assert len(self.times) == 1

    async def test_a_server_may_ask_for_patience_within_bounds(self):
        busy = httpx2.Response(503, headers={"Retry-After": "100"})
        client = self.client([busy, httpx2.Response(200, json={"status": "ok"})])
        await client.post("HELLO", None)
        assert self.times[1] - self.times[0] >= 100


class TestPauses:
    def test_jitter_is_full_and_bounded(self):
        pauses = [full_jitter(attempt) for attempt in [0, 3, 10, 10_000] for _ in range(200)]
        assert all(0 <= pause <= 60 for pause in pauses)
        assert min(pauses[200:400]) < 1
        assert 7 < max(pauses[200:400]) <= 8

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("3", 3),
            ("999999", 300),
            ("", None),
            ("soon", None),
            ("-5", None),
            ("9" * 5000, None),
            ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
            ("Wed, 21 Oct 2099 07:28:00 GMT", 300),
        ],
    )
    def test_retry_after_is_read_within_bounds(self, value, expected):
        request = httpx2.Request("POST", "http://a")
        response = httpx2.Response(503, headers={"Retry-After": value}, request=request)
        assert retry_after(httpx2.HTTPStatusError("", request=request, response=response)) == expected

    def test_other_errors_ask_for_nothing(self):
        assert retry_after(httpx2.ReadTimeout("")) is None


TENANT = {
    "optimizer_id": "OPT",
    "tenant_id": "T",
    "base_url": "http://t.example",
    "client_id": "id",
    "client_secret": "hunter2",
}


@pytest.mark.looptime
class TestClientCredentials:
    def client(self, lifetime=3600, **replies):
        self.requests = []

        async def handle(request):
            self.requests.append(request)
            if request.url.path.endswith("/token"):
                tokens = sum(each.url.path.endswith("/token") for each in self.requests)
                default = httpx2.Response(
                    200, json={"access_token": f"token-{tokens}", "expires_in": lifetime}
                )
                return replies.get("token", default)
            reply = replies.get("servo", httpx2.Response(200, json={"status": "ok"}))
            return reply(request) if callable(reply) else reply

        optimizer = AppdynamicsOptimizer(**TENANT)
        return OptimizerClient(optimizer, transport=httpx2.MockTransport(handle))

    def posted(self):
        return [
            each.headers.get("Authorization") for each in self.requests if each.url.path.endswith("/servo")
        ]

    async def test_a_token_is_issued_once_and_sent(self):
        client = self.client()
        await asyncio.gather(client.post("HELLO", None), client.post("HELLO", None))
        assert self.posted() == ["Bearer token-1"] * 2
        issued = self.requests[0]
        assert str(issued.url) == "http://t.example/auth/T/default/oauth2/token"
        assert issued.headers["Authorization"].startswith("Basic ")
        assert issued.content == b"grant_type=client_credentials"
        assert str(self.requests[-1].url) == "http://t.example/rest/optimize/co/v1/optimizers/OPT/servo"

    async def test_it_is_renewed_before_it_expires(self):
        client = self.client(lifetime=600)
        await client.post("HELLO", None)
        await asyncio.sleep(530)
        await client.post("HELLO", None)
        await asyncio.sleep(20)
        await client.post("HELLO", None)
        assert self.posted() == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]

    async def test_one_that_was_withdrawn_is_renewed_once(self):
        def servo(request):
            good = request.headers["Authorization"] == "Bearer token-2"
            return httpx2.Response(200, json={"status": "ok"}) if good else httpx2.Response(401)

        client = self.client(servo=servo)
        await client.post("HELLO", None)
        assert self.posted() == ["Bearer token-1", "Bearer token-2"]

    async def test_one_that_is_never_accepted_does_not_loop(self):
        client = self.client(servo=httpx2.Response(401))
        with pytest.raises(httpx2.HTTPStatusError, match="401"):
            await client.post("WHATS_NEXT", None)
        assert len(self.posted()) == 2

    async def test_a_refused_request_for_a_token_is_raised(self):
        client = self.client(token=httpx2.Response(401, json={"error": "invalid_client"}))
        with pytest.raises(httpx2.HTTPStatusError, match="invalid_client") as caught:
            await client.post("WHATS_NEXT", None)
        assert "hunter2" not in str(caught.value)
        assert len(self.requests) == 1

    @pytest.mark.parametrize(
        "body", [{}, {"access_token": 3}, {"access_token": ""}, {"access_token": "a\r\nb"}]
    )
    async def test_an_answer_without_a_token_is_an_error(self, body):
        client = self.client(token=httpx2.Response(200, json=body))
        client.settings = CommonConfiguration(backoff=ONE_TRY)
        with pytest.raises(httpx2.DecodingError):
            await client.post("WHATS_NEXT", None)


class TestConnectionFile:
    async def test_a_changed_file_is_taken_over_with_the_next_message(self, tmp_path):
        path = tmp_path / "connection.yaml"
        path.write_text("Authorization: Bearer one\nEndpoint: http://one.example\nTenantId: T\n")
        requests = []

        async def handle(request):
            requests.append((str(request.url.host), request.headers["Authorization"]))
            return httpx2.Response(200, json={"status": "ok"})

        optimizer = AppdynamicsOptimizer(optimizer_id="OPT", connection_file=path)
        client = OptimizerClient(optimizer, transport=httpx2.MockTransport(handle))
        await client.post("HELLO", None)
        path.write_text("Authorization: Bearer second\nEndpoint: http://two.example\nTenantId: T\n")
        await client.post("HELLO", None)
        path.write_text("half written [")
        await client.post("HELLO", None)
        path.unlink()
        await client.post("HELLO", None)
        path.write_text("Authorization: Bearer third-one\nEndpoint: http://two.example\nTenantId: T\n")
        await client.post("HELLO", None)
        assert requests == [
            ("one.example", "Bearer one"),
            ("two.example", "Bearer second"),
            ("two.example", "Bearer second"),
            ("two.example", "Bearer second"),
            ("two.example", "Bearer third-one"),
        ]


def test_the_events_of_a_client_are_json():
    assert json.loads(module.encode({"event": "HELLO", "param": {"ü": 1}})) == {
        "event": "HELLO",
        "param": {"ü": 1},
    }

"""Commands in containers, against a server that speaks the protocol; a real kubelet is in tests/integration/kubernetes."""

import asyncio
import json

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping

from servo.kubernetes import AnswerError, ApiError, CommandTimeoutError, ForbiddenError, UnreachableError

SUCCESS = {"status": "Success"}


def failure(code):
    return {"status": "Failure", "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]}}


@pytest.fixture
def commanded(server):
    """Answers an exec by messages; returns what came in, by channel."""

    def command(*messages, version=(1, 20), close=True, wait_for=0):
        came: list[bytes] = []

        async def serve(reader, writer):
            frames = Connection(ConnectionType.SERVER)
            parts: list[bytes] = []
            while sum(map(len, came)) < wait_for:
                frames.receive_data(await reader.read(65536))
                for event in frames.events():
                    parts.append(bytes(event.data))
                    if event.message_finished:
                        came.append(b"".join(parts))
                        parts.clear()
            for each in messages:
                event = BytesMessage(each) if isinstance(each, bytes) else each
                writer.write(frames.send(event))
            if close:
                writer.write(frames.send(CloseConnection(code=1000)))
            await writer.drain()
            if not close:
                await asyncio.Event().wait()

        major, minor = version
        server.answer = lambda asked: (
            {"major": str(major), "minor": str(minor)}
            if asked.path == "/version"
            else server.Answer(upgraded=serve)
        )
        return came

    return command


def told(status):
    return b"\x03" + json.dumps(status).encode()


async def test_what_a_command_prints_is_told_apart_and_its_code_is_returned(server, client, commanded):
    commanded(
        b"\x01",
        b"",
        b"\x01out",
        b"\x02err",
        Ping(b"x"),
        BytesMessage(b"\x01-mo", message_finished=False),
        BytesMessage(b"re", message_finished=True),
        told(failure(3)),
    )
    found = await client.exec("web", ["ls", "a b", "$(x)"], container="app", timeout=10)
    assert (found.exit_code, found.stdout, found.stderr) == (3, b"out-more", b"err")
    asked = server.asked[0]
    assert asked.path == "/api/v1/namespaces/shop/pods/web/exec"
    assert asked.query["command"] == ["ls", "a b", "$(x)"]
    assert asked.query["container"] == ["app"]
    assert "stdin" not in asked.query
    assert asked.headers["sec-websocket-protocol"] == "v4.channel.k8s.io"


async def test_input_is_ended_by_head_where_the_protocol_cannot(server, client, commanded):
    data = bytes(range(256)) * 400
    came = commanded(told(SUCCESS), wait_for=len(data) + 4)
    assert (await client.exec("web", ["cat", "-"], stdin=data, timeout=10)).exit_code == 0
    assert b"".join(part[1:] for part in came) == data
    command = server.asked[-1].query["command"]
    assert command == ["sh", "-c", 'head -c "$0" | "$@"', str(len(data)), "cat", "-"]


async def test_input_is_ended_by_a_message_from_1_30_on(server, client, commanded):
    came = commanded(told(SUCCESS), version=(1, 30), wait_for=8)
    await client.exec("web", ["cat"], stdin=b"hello", timeout=10)
    assert came == [b"\x00hello", b"\xff\x00"]
    assert server.asked[-1].query["command"] == ["cat"]
    assert server.asked[-1].headers["sec-websocket-protocol"] == "v5.channel.k8s.io"


async def test_a_command_that_cannot_be_started_is_an_error_of_the_api(client, commanded):
    commanded(
        told({"status": "Failure", "code": 500, "reason": "InternalError", "message": "no such program"})
    )
    with pytest.raises(ApiError, match="no such program"):
        await client.exec("web", ["nothing"], timeout=10)


async def test_a_connection_that_ends_before_the_command_is_told(client, commanded):
    commanded(b"\x01half")
    with pytest.raises(UnreachableError, match="before the command's end was told"):
        await client.exec("web", ["ls"], timeout=10)


async def test_a_command_that_takes_too_long_is_told(client, commanded):
    commanded(b"\x01half", close=False)
    with pytest.raises(CommandTimeoutError, match=r"sleep in pod web did not end within 0\.3 s") as caught:
        await client.exec("web", ["sleep"], timeout=0.3)
    assert isinstance(caught.value, TimeoutError)


async def test_what_a_command_prints_is_bounded(client, commanded, monkeypatch):
    monkeypatch.setattr("servo.kubernetes.execution.MAX_OUTPUT", 100)
    commanded(*[b"\x01" + b"x" * 60] * 2, close=False)
    with pytest.raises(AnswerError, match="yes printed more than 100 bytes"):
        await client.exec("web", ["yes"], timeout=10)


async def test_a_refusal_is_that_of_any_request(server, client):
    server.answer = lambda asked: server.failed(403, "Forbidden", "pods/exec is forbidden")
    with pytest.raises(ForbiddenError, match="pods/exec is forbidden"):
        await client.exec("web", ["ls"], timeout=10)


async def test_a_server_without_websockets_is_told(server, client):
    server.answer = lambda asked: {}
    with pytest.raises(AnswerError, match="speaks no WebSocket"):
        await client.exec("web", ["ls"], timeout=10)

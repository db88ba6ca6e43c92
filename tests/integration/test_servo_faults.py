"""A real agent process against a real, rude optimizer: nothing spins, nothing leaks, and a signal ends it well."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.integration

AGENT = """
import asyncio, sys
import servo
from servo.assembly import Assembly
from servo.runner import AssemblyRunner


class FaultProbeConnector(servo.BaseConnector):
    config: servo.BaseConfiguration

    @servo.on_event()
    async def measure(
        self, *, metrics: list[str] | None = None, control: servo.Control = servo.Control()
    ) -> servo.Measurement:
        child = await asyncio.create_subprocess_exec("sleep", "600")
        try:
            await child.wait()
        finally:
            child.kill()
            await child.wait()
        return servo.Measurement()

    @servo.on_event()
    async def shutdown(self) -> None:
        print("restored", flush=True)


assembly = asyncio.run(Assembly.assemble(config_file=sys.argv[1]))
sys.exit(AssemblyRunner(assembly).run())
"""


@pytest.fixture
async def start(tmp_path):
    """Start agents against a server; they are gone when the test is."""
    agents = []

    async def run(url):
        script, config = tmp_path / "agent.py", tmp_path / "servo.yaml"
        script.write_text(AGENT)
        optimizer = f"optimizer: {{id: example.com/app, token: hunter2, base_url: '{url}'}}\n"
        config.write_text(f"{optimizer}connectors: [fault_probe]\nfault_probe: {{}}\n")
        agent = await asyncio.create_subprocess_exec(
            sys.executable,
            str(script),
            str(config),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")},
        )
        agents.append(agent)
        return agent

    yield run
    for agent in agents:
        if agent.returncode is None:
            agent.kill()
            await agent.wait()


@pytest.fixture
async def optimizer():
    """Start a real server; its behaviour is called with the message and the stream, and may be anything."""
    state = {"messages": [], "behaviour": None}
    tasks = set()

    async def accept(reader, writer):
        tasks.add(asyncio.current_task())
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(head.split("content-length:")[1].split("\r\n")[0])
                message = json.loads(await reader.readexactly(length))
                state["messages"].append((time.monotonic(), message))
                await state["behaviour"](message, writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    state["url"] = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield state
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def answer(writer, body, status=200):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(content), content))


def events(optimizer):
    return [message["event"] for _, message in optimizer["messages"]]


async def until(condition, seconds=20.0):
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - another process brings it about
            await asyncio.sleep(0.02)


async def ended(agent, sent=signal.SIGTERM):
    agent.send_signal(sent)
    async with asyncio.timeout(20):
        out, err = await agent.communicate()
    return agent.returncode, out.decode(), err.decode()


async def polite(message, writer):
    answer(writer, {"cmd": "SLEEP"} if message["event"] == "WHATS_NEXT" else {"status": "ok"})


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
async def test_a_signal_while_asleep_is_an_orderly_end(start, optimizer, sent):
    """Reference 6.1 #11: SIGINT and SIGTERM ended with exit code 1 and a traceback."""
    optimizer["behaviour"] = polite
    agent = await start(optimizer["url"])
    await until(lambda: "WHATS_NEXT" in events(optimizer))
    code, out, err = await ended(agent, sent)
    assert code == 0, err
    assert out == "restored\n"
    assert "Traceback" not in err
    assert optimizer["messages"][-1][1] == {
        "event": "GOODBYE",
        "param": {"reason": sent.name},
        "servo_uid": None,
    }


async def test_a_signal_during_a_command_ends_its_children_and_posts_a_status(start, optimizer):
    async def measure(message, writer):
        if message["event"] == "WHATS_NEXT":
            answer(writer, {"cmd": "MEASURE", "cmd_uid": "m", "param": {"metrics": [], "control": {}}})
        else:
            answer(writer, {"status": "ok"})

    optimizer["behaviour"] = measure
    agent = await start(optimizer["url"])
    process = psutil.Process(agent.pid)
    await until(lambda: "WHATS_NEXT" in events(optimizer) and process.children())
    children = process.children(recursive=True)
    code, out, err = await ended(agent)
    assert code == 0, err
    assert out == "restored\n"
    assert not any(child.is_running() for child in children)
    assert events(optimizer)[-2:] == ["MEASUREMENT", "GOODBYE"]
    assert optimizer["messages"][-2][1]["param"]["status"] == "cancelled"


async def _unauthorized(_message, writer):
    answer(writer, {"detail": "no"}, 401)


async def _not_found(_message, writer):
    answer(writer, b"", 404)


async def _gone(_message, writer):
    answer(writer, {"detail": "unexpected servo_uid"}, 410)


async def _broken(_message, writer):
    answer(writer, b"oops", 500)


async def _garbage(_message, writer):
    answer(writer, b"<html>garbage")


async def _silent(_message, _writer):
    await asyncio.sleep(60)


async def _hang_up(_message, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{")
    await writer.drain()
    writer.close()


FAULTS = [_unauthorized, _not_found, _gone, _broken, _garbage, _silent, _hang_up]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__.strip("_"))
@pytest.mark.parametrize("greeted", [True, False], ids=["in the loop", "at hello"])
async def test_a_rude_optimizer_is_met_with_patience(start, optimizer, fault, greeted):
    """Nothing spins, no secret is logged, no descriptor leaks, and a signal still ends it well."""

    async def behaviour(message, writer):
        rude = message["event"] != "GOODBYE" and (message["event"] != "HELLO" or not greeted)
        await (fault if rude else polite)(message, writer)

    optimizer["behaviour"] = behaviour
    agent = await start(optimizer["url"])
    await until(lambda: len(optimizer["messages"]) > greeted)
    process = psutil.Process(agent.pid)
    descriptors, cpu = process.num_fds(), sum(process.cpu_times()[:2])
    count = len(optimizer["messages"])
    await asyncio.sleep(2)
    assert len(optimizer["messages"]) - count <= 12, "a few tries, no loop"
    assert sum(process.cpu_times()[:2]) - cpu < 1
    assert process.num_fds() <= descriptors + 3
    code, _, err = await ended(agent)
    assert code == 0, err
    assert "hunter2" not in err
    assert ("GOODBYE" in events(optimizer)) is greeted


async def test_nobody_there_is_waited_for(start):
    agent = await start("http://127.0.0.1:9")
    async with asyncio.timeout(20):
        while b"ConnectError: 127.0.0.1:9: " not in (line := await agent.stderr.readline()):
            assert line, "it has ended"
    code, _, err = await ended(agent)
    assert code == 0, err

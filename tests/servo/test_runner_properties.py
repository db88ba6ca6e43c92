"""No sequence of answers ends the loop, spins it, or keeps it from a goodbye."""

from __future__ import annotations

import asyncio

import httpx2
import looptime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import servo
from servo.api import Connections
from servo.assembly import Assembly
from servo.configuration import Document
from servo.runner import AssemblyRunner

HOUR = 3600.0
OK = {"status": "ok"}
VALUES = st.none() | st.integers(-5, 5) | st.sampled_from(["raise", "reject", "hang", "1.5", {}, []])


class PropertyProbeConnector(servo.BaseConnector):
    config: servo.BaseConfiguration

    @servo.on_event()
    async def adjust(
        self,
        adjustments: list[servo.Adjustment],
        control: servo.Control = servo.Control(),  # noqa: B008 - the event's default
    ) -> servo.Description:
        servo.logger.info("adjusting", progress=50)
        await asyncio.sleep(1)
        match adjustments[0].value if adjustments else None:
            case "raise":
                raise KeyError("a defect")
            case "reject":
                raise servo.AdjustmentRejectedError("no", reason="unstable")
            case "hang":
                await asyncio.sleep(1e6)
        return servo.Description()


def adjust(value):
    components = {"web": {"settings": {"cpu": {"value": value}}}}
    return {"cmd": "ADJUST", "cmd_uid": "a", "param": {"state": {"application": {"components": components}}}}


COMMANDS = st.one_of(
    VALUES.map(adjust),
    st.sampled_from(
        [
            {"cmd": "SLEEP", "param": {"duration": 1}},
            {"cmd": "DESCRIBE"},
            {"cmd": "MEASURE", "param": {"metrics": []}},
            {"cmd": "MEASURE", "param": {"metrics": [], "control": {}}},
            {"cmd": "ADJUST", "param": []},
            {"cmd": 3},
            OK,
            [],
            401,
            404,
            410,
            500,
            b"garbage",
            httpx2.ReadError("closed"),
        ]
    ),
)
REPLIES = st.sampled_from(
    [OK, OK, {"status": "cancel"}, {"status": "unexpected-event"}, {"status": "?"}, {}, 410, 500]
)


class Capricious(httpx2.AsyncBaseTransport):
    def __init__(self, commands, replies):
        self.commands, self.replies = list(commands), list(replies)
        self.events: list[str] = []
        self.results: list[dict] = []

    async def handle_async_request(self, request):
        import json

        message = json.loads(await request.aread())
        self.events.append(message["event"])
        param = message["param"] or {}
        if "status" in param:
            self.results.append(param)
        if message["event"] == "WHATS_NEXT":
            return self._response(self.commands.pop(0) if self.commands else {"cmd": "SLEEP"})
        return self._response(self.replies.pop(0) if self.replies and message["event"] != "GOODBYE" else OK)

    def _response(self, reply):
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, int):
            return httpx2.Response(reply)
        return (
            httpx2.Response(200, content=reply)
            if isinstance(reply, bytes)
            else httpx2.Response(200, json=reply)
        )


async def run(optimizer):
    config = {
        "optimizer": {"id": "example.com/app", "token": "t"},
        "connectors": ["property_probe"],
        "property_probe": {},
    }
    assembly = Assembly(connections=Connections(optimizer))
    assembly.servos.append(assembly.build(Document.of(config), {}))
    runner = AssemblyRunner(assembly)
    task = asyncio.ensure_future(runner.run_async())
    await asyncio.sleep(HOUR)
    assert not task.done(), "nothing but a request ends the loop"
    before = asyncio.get_running_loop().time()
    await runner.shutdown(reason="SIGTERM")
    assert await task == 0
    assert asyncio.get_running_loop().time() - before <= 60


@pytest.mark.timeout(120)
@settings(max_examples=60)
@given(st.lists(COMMANDS, max_size=8), st.lists(REPLIES, max_size=6))
def test_any_answers_are_survived(commands, replies):
    optimizer = Capricious(commands, replies)
    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        runner.run(run(optimizer))
    assert optimizer.events[-1] == "GOODBYE"
    assert len(optimizer.events) < 600, "no loop is hot"
    assert all(result["status"] in {"ok", "failed", "rejected", "cancelled"} for result in optimizer.results)

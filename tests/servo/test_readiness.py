"""The progressive loop of checks."""

from __future__ import annotations

import asyncio

import pytest

import servo
from servo.errors import ConnectorNotFoundError, EventHandlersNotFoundError

pytestmark = pytest.mark.looptime

state: dict[str, object] = {}


@pytest.fixture(autouse=True)
def _reset():
    state.clear()
    state["calls"] = []
    state["remedied"] = []
    state["log"] = []
    sink = servo.logger.add(
        lambda m: state["log"].append((m.record["level"].name, m.record["message"])), level=0
    )
    yield
    servo.logger.remove(sink)


class ReadyProbeConnector(servo.BaseConnector):
    """Its check passes once ``state[name]`` is at most the number of the call."""

    config: servo.BaseConfiguration

    @servo.on_event()
    async def check(
        self,
        matching: servo.CheckFilter | None = None,
        halt_on: servo.ErrorSeverity | None = servo.ErrorSeverity.critical,
    ) -> list[servo.Check]:
        state["calls"].append((self.name, asyncio.get_running_loop().time(), matching, halt_on))
        passes_at = state.get(self.name, 1)
        count = sum(1 for name, *_ in state["calls"] if name == self.name)
        if passes_at == "raise":
            raise RuntimeError("a defect")
        if passes_at == "odd":
            return "fine"  # type: ignore[return-value]  # what is tested
        return [
            servo.Check(
                name="Ready?",
                id="ready",
                success=count >= passes_at,
                message="not yet",
                hint="wait a little",
                remedy=state.get("remedy"),
            )
        ]


class ReadySilentConnector(servo.BaseConnector):
    config: servo.BaseConfiguration


PROBES = {"first": ReadyProbeConnector, "second": ReadyProbeConnector}


def times(name="first"):
    return [time for each, time, *_ in state["calls"] if each == name]


def lines(level=None):
    return [text for name, text in state["log"] if level in {None, name}]


async def test_all_passing_checks_are_ready_at_once(scripted, make_servo):
    assert await make_servo(scripted(), PROBES).check_servo()
    assert times() == [0]
    assert sum("passed" in line for line in lines("SUCCESS")) == 3, "two connectors and the servo itself"


async def test_failing_checks_are_tried_again_with_doubling_pauses(scripted, make_servo):
    state["first"] = 4
    assert await make_servo(scripted(), PROBES).check_servo()
    assert times() == [0, 8, 24, 56]


async def test_a_fixed_pause_may_be_configured(scripted, make_servo):
    state["first"] = 3
    assert await make_servo(scripted(), PROBES, checks={"delay": "5s"}).check_servo()
    assert times() == [0, 5, 10]


async def test_it_gives_up_when_the_time_is_over(scripted, make_servo):
    state["first"] = 1000
    assert not await make_servo(scripted(), PROBES, checks={"delay": "10s", "wait": "1m"}).check_servo()
    assert times() == [0, 10, 20, 30, 40, 50, 60]


@pytest.mark.parametrize("wait", ["0", ""])
async def test_no_time_is_one_pass_without_a_pause(scripted, make_servo, wait):
    """Reference 1.7: with "0" a failing pass still slept one delay before it returned."""
    state["first"] = 1000
    assert not await make_servo(scripted(), PROBES, checks={"wait": wait}).check_servo()
    assert times() == [0]
    assert asyncio.get_running_loop().time() == 0


async def test_only_the_selected_connectors_are_asked(scripted, make_servo):
    """Reference 6.4: the event went to all connectors, not only to those selected."""
    optimizer = scripted()
    assert await make_servo(optimizer, PROBES, checks={"connectors": ["second"]}).check_servo()
    assert [name for name, *_ in state["calls"]] == ["second"]
    assert optimizer.events() == []


async def test_equal_ids_of_two_connectors_are_two_checks(scripted, make_servo):
    """Reference 6.4: results were kept by id across connectors, so one hid the other."""
    state["second"] = 2
    assert await make_servo(scripted(), PROBES).check_servo()
    assert times("second") == [0, 8]
    assert sum("Ready?" in line for line in lines("SUCCESS")) == 2


async def test_what_passed_is_said_once(scripted, make_servo):
    state["second"] = 3
    assert await make_servo(scripted(), PROBES).check_servo()
    assert sum("Ready?" in line for line in lines("SUCCESS")) == 2


async def test_filters_and_halting_reach_the_handlers(scripted, make_servo):
    checks = {"name": ["/Read/"], "id": "a,ready", "tag": "x,y", "halt_on": "common", "wait": "0"}
    await make_servo(scripted(), PROBES, checks=checks).check_servo()
    _, _, matching, halt_on = state["calls"][0]
    assert matching.name.pattern == "Read"
    assert matching.id == ["a", "ready"]
    assert matching.tags == {"x", "y"}
    assert halt_on is servo.ErrorSeverity.common


async def test_failures_are_said_with_hint_and_remedied(scripted, make_servo):
    async def remedy():
        state["remedied"].append("yes")

    state["first"], state["remedy"] = 2, remedy
    assert await make_servo(scripted(), {"first": ReadyProbeConnector}).check_servo()
    assert any("not yet" in line for line in lines("WARNING"))
    assert any("wait a little" in line for line in lines("INFO"))
    assert state["remedied"] == ["yes"]


async def test_remedies_may_be_switched_off(scripted, make_servo):
    state["first"], state["remedy"] = 2, lambda: state["remedied"].append("yes")
    await make_servo(scripted(), {"first": ReadyProbeConnector}, checks={"remedy": False}).check_servo()
    assert state["remedied"] == []


async def test_a_remedy_has_ten_seconds(scripted, make_servo):
    async def forever():
        await asyncio.sleep(1e9)

    state["first"], state["remedy"] = 2, forever
    assert await make_servo(scripted(), {"first": ReadyProbeConnector}).check_servo()
    assert times() == [0, 18]


@pytest.mark.parametrize("defect", ["raise", "odd"])
async def test_a_connector_that_fails_to_check_is_not_ready(scripted, make_servo, defect):
    state["first"] = defect
    assert not await make_servo(scripted(), PROBES, checks={"wait": "0"}).check_servo()
    assert len(times("second")) == 1


async def test_tables_are_printed_when_not_progressive(scripted, make_servo):
    state["first"] = 1000
    printed = []
    config = {"wait": "0", "progressive": False, "connectors": ["first"]}
    await make_servo(scripted(), PROBES, checks=config).check_servo(printed.append)
    assert printed[0].splitlines()[0].split() == ["CONNECTOR", "STATUS", "ERRORS"]
    assert "X FAILED" in printed[0]
    await make_servo(scripted(), PROBES, checks={**config, "quiet": True}).check_servo(printed.append)
    assert len(printed) == 1


async def test_unknown_connectors_are_named(scripted, make_servo):
    agent = make_servo(scripted(), PROBES, checks={"connectors": ["first", "nothing"]})
    with pytest.raises(
        ConnectorNotFoundError, match="no active connector is named nothing; active are first"
    ):
        await agent.check_servo()


async def test_connectors_without_checks_are_named(scripted, make_servo):
    agent = make_servo(scripted(), {"silent": ReadySilentConnector}, checks={"connectors": ["silent"]})
    with pytest.raises(EventHandlersNotFoundError, match="no checks are defined by silent"):
        await agent.check_servo()

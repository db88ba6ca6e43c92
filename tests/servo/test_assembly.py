"""Assemblies: many servos of one file."""

from __future__ import annotations

import asyncio

import pytest

import servo
from servo.assembly import Assembly
from servo.errors import ConfigurationError, ServoError
from servo.runner import AssemblyRunner

pytestmark = pytest.mark.looptime

FILE = """
optimizer: {id: example.com/one, token: t}
connectors: [assembly_probe]
assembly_probe: {factor: 2}
---
optimizer: {id: example.com/two, token: t}
name: second
connectors: {alias: assembly_probe}
alias: {}
"""


detached: list[str] = []


class AssemblyProbeConfiguration(servo.BaseConfiguration):
    factor: int = 1


class AssemblyProbeConnector(servo.BaseConnector):
    """Written as for the original: plain classes, nothing of ours."""

    config: AssemblyProbeConfiguration

    @servo.on_event()
    async def attach(self, servo_: servo.Servo) -> None:
        if self.config.factor < 0:
            raise ValueError("a factor cannot be negative")
        assert servo.current_servo() is servo_

    @servo.on_event()
    async def detach(self, servo_: servo.Servo) -> None:
        assert servo.current_servo() is servo_
        detached.append(self.name)

    @servo.on_event()
    async def metrics(self) -> list[servo.Metric]:
        return [servo.Metric(f"{servo.current_servo().name}-{self.config.factor}")]


@pytest.fixture
def servo_yaml(tmp_path):
    def write(text=FILE):
        path = tmp_path / "servo.yaml"
        path.write_text(text)
        return path

    return write


async def test_each_document_is_a_servo(servo_yaml):
    path = servo_yaml()
    assembly = await Assembly.assemble(config_file=path, env={})
    assert assembly.config_file == path
    assert [each.name for each in assembly.servos] == ["example.com/one", "second"]
    assert [each.name for each in assembly.servos[1].connectors] == ["alias"]
    assert assembly.all_connector_types() == {servo.Servo, AssemblyProbeConnector}


async def test_servos_share_connections_but_no_telemetry(servo_yaml):
    first, second = (await Assembly.assemble(config_file=servo_yaml(), env={})).servos
    assert first.client._connections is second.client._connections
    assert first.telemetry is not second.telemetry
    assert first.__connectors__ is not second.__connectors__


async def test_the_environment_is_what_is_given(servo_yaml):
    """Reference 1.9: the parameter env was unused."""
    path = servo_yaml("connectors: []\n")
    assembly = await Assembly.assemble(
        config_file=path, env={"OPSANI_OPTIMIZER": "example.com/env", "OPSANI_TOKEN": "t"}
    )
    assert assembly.servos[0].name == "example.com/env"
    with pytest.raises(ConfigurationError, match="optimizer: is required"):
        await Assembly.assemble(config_file=path, env={})


async def test_events_go_to_all_servos(servo_yaml):
    """Reference 1.9: `prepositions` was not handed on."""
    assembly = await Assembly.assemble(config_file=servo_yaml(), env={})
    results = await assembly.dispatch_event("metrics")
    assert [metric.name for result in results for metric in result.value] == ["example.com/one-2", "second-1"]
    assert await assembly.dispatch_event("metrics", _prepositions=servo.Preposition.before) == []
    assert len(await assembly.dispatch_event("metrics", first=True)) == 2


async def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        await Assembly.assemble(config_file=tmp_path / "servo.yaml")


async def test_errors_name_the_document(servo_yaml):
    path = servo_yaml(FILE.replace("alias: {}", "alias: {factr: 3}"))
    with pytest.raises(ConfigurationError, match=r"servo.yaml:9:9: alias.factr: .* did you mean 'factor'\?"):
        await Assembly.assemble(config_file=path, env={})


@pytest.mark.parametrize(("value", "said"), [("wait", "is no JSON"), ('["nobody"]', 'identifier "nobody"')])
async def test_errors_name_the_variable_where_it_chose_the_connectors(servo_yaml, value, said):
    path = servo_yaml("optimizer: {id: example.com/app, token: t}\n")
    place = "^environment variable SERVO_CONNECTORS: connectors: "
    with pytest.raises(ConfigurationError, match=f"{place}.*{said}"):
        await Assembly.assemble(config_file=path, env={"SERVO_CONNECTORS": value})


async def test_a_connector_that_cannot_attach_is_said(servo_yaml):
    path = servo_yaml(FILE.replace("factor: 2", "factor: -1"))
    with pytest.raises(
        ServoError, match=r"the connector '\w+' failed with ValueError: a factor cannot be negative"
    ):
        await Assembly.assemble(config_file=path, env={})


async def test_an_empty_file_is_one_document(servo_yaml):
    env = {"SERVO_CONNECTORS": "[]", "OPSANI_OPTIMIZER": "example.com/env", "OPSANI_TOKEN": "t"}
    assembly = await Assembly.assemble(config_file=servo_yaml(""), env=env)
    assert [each.connectors for each in assembly.servos] == [[]]


async def test_configurations_may_be_given_instead_of_a_file(scripted):
    optimizer = {"id": "example.com/app", "token": "t"}
    first = await Assembly.assemble(
        configs=[{"optimizer": optimizer, "connectors": ["assembly_probe"], "assembly_probe": {}}], env={}
    )
    again = await Assembly.assemble(configs=[first.servos[0].config], env={})
    assert [each.name for each in again.servos[0].connectors] == ["assembly_probe"]


async def test_it_starts_and_shuts_down_all(servo_yaml, scripted):
    optimizer = scripted()
    assembly = await Assembly.assemble(config_file=servo_yaml(), env={}, transport=optimizer)
    await assembly.startup()
    assert all(each.is_running for each in assembly.servos)
    await assembly.shutdown("SIGHUP")
    assert sorted(optimizer.events()) == ["GOODBYE", "GOODBYE", "HELLO", "HELLO"]
    await assembly.shutdown("again")
    assert len(optimizer.messages) == 4


async def test_connectors_are_detached_whether_their_servo_runs_or_not(servo_yaml, scripted):
    """A servo that could not start, or start again, has connectors that are attached all the same."""
    assembly = await Assembly.assemble(config_file=servo_yaml(), env={}, transport=scripted())
    detached.clear()
    await assembly.servos[0].startup()
    await assembly.shutdown()
    assert sorted(detached) == ["alias", "assembly_probe"]
    await assembly.shutdown()
    assert len(detached) == 2


async def test_servos_join_and_leave_without_a_runner(servo_yaml, scripted):
    optimizer = scripted()
    assembly = await Assembly.assemble(config_file=servo_yaml(), env={}, transport=optimizer)
    leaving = assembly.servos[0]
    await assembly.remove_servo(leaving)
    assert [each.name for each in assembly.servos] == ["second"]
    await assembly.add_servo(leaving)
    assert len(assembly.servos) == 2
    assert optimizer.messages == []


async def test_the_current_assembly_is_known(servo_yaml):
    assembly = await Assembly.assemble(config_file=servo_yaml(), env={})
    assert servo.current_assembly() is None
    with assembly.current(), assembly.servos[0].current():
        assert servo.current_assembly() is assembly
        assert servo.current_servo() is assembly.servos[0]


async def test_a_polling_servo_is_one_task_and_shares_all_else(scripted):
    optimizer = scripted()
    configs = [
        {
            "optimizer": {"id": f"example.com/app-{number}", "token": "t"},
            "connectors": ["assembly_probe"],
            "assembly_probe": {},
        }
        for number in range(50)
    ]
    assembly = await Assembly.assemble(configs=configs, env={}, transport=optimizer)
    runner = AssemblyRunner(assembly)
    before = len(asyncio.all_tasks())
    task = asyncio.ensure_future(runner.run_async())
    await asyncio.sleep(30)
    assert len(asyncio.all_tasks()) - before == 1 + 50
    assert len(assembly.connections._clients) == 1
    assert len({type(each.config) for each in assembly.servos}) == 1
    await runner.shutdown()
    assert await task == 0
    assert optimizer.events().count("GOODBYE") == 50

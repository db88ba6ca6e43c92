"""Commands that connectors bring along (reference 2.3), and what of other packages is loaded when."""

import asyncio
import re
import sys
from importlib.metadata import EntryPoint

import pytest
import typer

import servo as package
from servo.cli import ConnectorCLI, Context, Section, connectors, run_async

ONE = """
optimizer: {id: example.com/app, token: T}
connectors: {fake: fakeconn.FakeConnector}
fake: {}
"""
ALIASES = """
name: first
optimizer: {id: example.com/app, token: T}
connectors: {left: fakeconn.FakeConnector, right: fakeconn.FakeConnector, wait: wait}
left: {}
right: {}
wait: {measure_enabled: false}
---
name: second
optimizer: {id: example.com/two, token: T}
connectors: [wait]
wait: {measure_enabled: false}
"""


@pytest.fixture(autouse=True)
def fake_commands(monkeypatch):
    """Commands of the recorded connector, for the length of a test."""
    import fakeconn

    monkeypatch.setattr(ConnectorCLI, "__clis__", set())
    monkeypatch.setattr(ConnectorCLI, "_built", {})
    cli = ConnectorCLI(fakeconn.FakeConnector)

    @cli.command()
    def status(context: Context) -> None:
        """Display the status."""
        typer.echo(f"{context.connector.name} of {context.servo.name} in {context.config_file.name}")

    @cli.command()
    def measure(context: Context) -> None:
        """Measure once."""
        measurement = run_async(context.connector.measure())
        typer.echo(len(measurement.readings))

    return cli


def test_the_group_is_listed_with_the_connector_s_description(servo):
    page = servo("--help").stdout
    commands = page.partition("Connector Commands:\n")[2].splitlines()
    assert ["fake", "A connector that answers"] in [re.split(r" {2,}", line.strip()) for line in commands]
    assert (
        page.index("Configuration Commands") < page.index("Connector Commands") < page.index("Other Commands")
    )


def test_a_command_gets_its_connector(servo, config):
    config(ONE)
    assert servo("fake", "status").stdout == "fake of example.com/app in servo.yaml\n"


def test_a_command_can_wait_for_coroutines(servo, config):
    """Reference 2.3 B: `vegeta attack` forgot to await, so nothing happened."""
    config(ONE)
    assert servo("fake", "measure").stdout == "2\n"


def test_a_command_is_told_the_global_options(servo, config, fake_commands):
    config(ONE)

    @fake_commands.command(section=Section.other)
    def told(context: Context) -> None:
        assert context.servo is context.servo_
        assert context.assembly.servos == [context.servo]
        typer.echo(f"{context.name} {context.limit} {context.section.value}")

    assert (
        servo("-n", "example.com/app", "--limit", "3", "fake", "told").stdout
        == "example.com/app 3 Other Commands\n"
    )


def test_a_plain_typer_context_is_told_as_well(servo, config, fake_commands):
    config(ONE)

    @fake_commands.command()
    def told(context: typer.Context) -> None:
        typer.echo(context.connector.name)

    assert servo("fake", "told").stdout == "fake\n"


def test_one_of_several_is_chosen_by_option(servo, config):
    config(ALIASES)
    assert servo("-n", "first", "fake", "-c", "right", "status").stdout.startswith("right of first")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("fake status", "no servo selected: choose one of 'first', 'second' with 'servo --name NAME ...'"),
        ("-n second fake status", "no active connector of type FakeConnector"),
        (
            "-n first fake status",
            "several connectors to choose from: pick one of 'left', 'right' with --connector",
        ),
        ("-n first fake -c wait status", "no connector named 'wait': there is 'left', 'right'"),
    ],
)
def test_without_a_clear_choice_it_is_a_usage_error(servo, config, arguments, message):
    config(ALIASES)
    result = servo(*arguments.split())
    assert result.exit_code == 2
    assert message in result.stderr


def test_help_needs_no_configuration(servo):
    assert servo("fake", "--help").exit_code == 0
    assert servo("fake", "status", "--help").exit_code == 0
    assert servo("fake").exit_code == 0


def test_name_help_and_section_can_be_given(servo):
    import fakeconn

    cli = ConnectorCLI(fakeconn.FakeConnector, name="bogus", help="Do things", section=Section.other)
    cli.command("go")(lambda: None)
    page = servo("--help").stdout
    assert "  bogus    Do things" in page.partition("Other Commands:")[2]


def test_our_own_commands_cannot_be_replaced(servo, config):
    import fakeconn

    config(ONE)
    ConnectorCLI(fakeconn.FakeConnector, name="list").command("go")(lambda: None)
    assert "example.com/app" in servo("list").stdout


def test_the_name_of_a_default_is_dashed():
    class DeepThoughtConnector(package.BaseConnector):
        config: package.BaseConfiguration

    DeepThoughtConnector.description = "Thinks"
    assert ConnectorCLI(DeepThoughtConnector).info.name == "deep-thought"


@pytest.fixture
def third_party(monkeypatch, tmp_path):
    """Entry points of other packages, as if they were installed."""

    def install(**modules):
        points = []
        for name, source in modules.items():
            (tmp_path / f"thirdparty_{name}.py").write_text(source)
            points.append(EntryPoint(name, f"thirdparty_{name}:Connector", "servo.connectors"))
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setattr(connectors, "_loaded", False)
        monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points)

    yield install
    for name in [name for name in sys.modules if name.startswith("thirdparty_")]:
        del sys.modules[name]


def test_a_package_that_cannot_be_imported_is_a_warning_and_never_fatal(servo, third_party):
    third_party(broken="raise ZeroDivisionError('at import')", missing="import nowhere_to_be_found")
    result = servo("--help")
    assert result.exit_code == 0
    assert "WARNING" in result.stderr
    assert (
        "Connector 'broken' (thirdparty_broken:Connector) cannot be imported: ZeroDivisionError: at import"
        in result.stderr
    )
    assert "nowhere_to_be_found" in result.stderr


def test_our_own_commands_do_not_import_other_packages(servo, third_party):
    third_party(marked="MARK = 1")
    servo("run", "--help")
    assert "thirdparty_marked" not in sys.modules
    servo("nonsense")
    assert "thirdparty_marked" in sys.modules


def test_bundled_connectors_are_not_imported_for_help(monkeypatch, servo):
    monkeypatch.setattr(connectors, "_loaded", False)
    before = {name for name in sys.modules if name.startswith("servo.connectors.")}
    servo("--help")
    assert {name for name in sys.modules if name.startswith("servo.connectors.")} == before


def test_run_async_outside_of_a_command_runs_a_loop_of_its_own():
    async def answer():
        await asyncio.sleep(0)
        return 42

    assert run_async(answer()) == 42

"""Every setting, command, option, route, state and field has its place in the documents."""

import importlib
import re
from pathlib import Path

import pytest
from typer.main import get_command

from trimtab.cli import COMMANDS, LazyCommand, app
from trimtab.optimizer.session_document import Document, Trial
from trimtab.optimizer.session_machine import State, Step
from trimtab.optimizer.session_spec import SessionSpec
from trimtab.settings import ClientSettings, ServerSettings

DOCS = Path(__file__).parents[2] / "docs"


def text(*names):
    return "\n".join((DOCS / name).read_text() for name in names if (DOCS / name).exists())


def test_every_setting_is_in_the_server_page_with_its_default():
    page = text("server.md")
    for name, field in {**ServerSettings.model_fields, **ClientSettings.model_fields}.items():
        lines = [each for each in page.splitlines() if each.startswith(f"| `TRIMTAB_{name.upper()}` |")]
        assert lines, f"TRIMTAB_{name.upper()} is not in docs/server.md"
        if isinstance(field.default, bool):
            assert any(str(field.default).lower() in each for each in lines)
        elif isinstance(field.default, int | float):
            assert any(f"{field.default:.0f}" in each for each in lines)


def commands():
    for name, (module, _) in COMMANDS.items():
        command = get_command(importlib.import_module(module).app)
        yield name, name, command
        for sub, each in getattr(command, "commands", {}).items():
            yield f"{name} {sub}", name, each


def test_every_command_and_option_is_in_its_page():
    for path, name, command in commands():
        page = text("cli.md", f"{name}.md")
        assert f"`trimtab {path}" in page, f"trimtab {path} is in no page"
        for param in command.params:
            for option in [*param.opts, *param.secondary_opts]:
                if option.startswith("--") and option != "--help":
                    assert f"`{option}`" in page, f"{option} of trimtab {path} is in no page"


def test_every_option_of_the_program_is_in_its_page():
    page = text("cli.md")
    for param in get_command(app).params:
        assert param.opts[0] in page


def test_every_route_is_in_the_server_page(app_of_server):
    page = text("server.md")
    for path, operations in app_of_server.openapi()["paths"].items():
        for method in operations:
            assert f"`{method.upper()} {path}`" in page


def test_every_metric_is_in_the_server_page(app_of_server, tmp_path):
    page = text("server.md")
    names = set(re.findall(r"^# TYPE (\S+)", app_of_server.state.metrics_text(), re.MULTILINE))
    assert "trimtab_posts_total" in names
    for name in names:
        assert name.removesuffix("_created") in page or name.endswith("_created")


@pytest.fixture
def app_of_server(sessions, tmp_path):
    from prometheus_client import generate_latest

    from trimtab.server.app import create_app
    from trimtab.store import Inspections, Store
    from trimtab.workflows import Place

    place = Place(sessions.database, Inspections(Store.open(str(tmp_path / "store")), "test"), tmp_path)
    created = create_app(ServerSettings(), sessions, place=place)
    created.state.metrics_text = lambda: generate_latest(created.state.metrics.registry).decode()
    return created


def test_every_state_and_field_of_the_document_is_in_the_page_of_sessions():
    page = text("sessions.md")
    fields = [*Document.model_fields, *Trial.model_fields, *SessionSpec.model_fields, *State, *Step]
    for name in fields:
        assert f"`{name}`" in page, f"{name} is not in docs/sessions.md"


def test_the_summary_of_each_command_says_what_its_help_says():
    """The summary is written twice, so that listing commands imports none; they must not drift apart."""
    for name, (module, summary) in COMMANDS.items():
        assert LazyCommand(name, module, summary).get_short_help_str(200)
        assert importlib.import_module(module).app is not None


def test_links_between_pages_lead_somewhere():
    for page in ("server.md", "cli.md", "sessions.md", "inspection.md", "optimizer-protocol.md"):
        for link in re.findall(r"\]\(([^)#]+)\)", text(page)):
            assert "://" in link or (DOCS / link).exists(), f"{page} links to {link}"

"""Commands as they are typed, in a home directory of their own, and inspections to speak of."""

from collections.abc import Callable

import pytest
from click.testing import Result
from typer.testing import CliRunner

from trimtab.cli import app
from trimtab.settings import Settings
from trimtab.workflows import Place


@pytest.fixture
def home(tmp_path, monkeypatch):
    path = tmp_path / "home"
    monkeypatch.setenv("TRIMTAB_HOME", str(path))
    return path


@pytest.fixture
def command(home) -> Callable[..., Result]:
    """Runs a command, and holds it to its exit code."""

    def invoke(*arguments, code=0, **options):
        result = CliRunner().invoke(app, list(arguments), **options)
        assert result.exit_code == code, result.output
        return result

    return invoke


@pytest.fixture
def make_inspection(home, keep_inspection) -> Callable[..., str]:
    """Stores an inspection where the commands look, with its rows."""

    def make(number, results, specification=None, *, record=True, **report):
        from trimtab.catalog import record as write
        from trimtab.catalog.rebuild import documents_of

        name = f"inspection-a-2101010000{number:02}-0123456789abcdef"
        with Place.open(Settings()) as place:
            stored = keep_inspection(place.inspections, name, results, specification, **report)
            if record:
                with place.database.write() as connection:
                    write(connection, documents_of(stored))
        return name

    return make


TOKEN = "0123456789abcdef0123"


@pytest.fixture
def served(monkeypatch) -> Callable[..., list[str]]:
    """Has commands speak with an application over HTTP, and gives the option that says so; the token is in the environment."""
    import asyncio

    import httpx2

    from trimtab.server.app import create_app
    from trimtab.settings import ServerSettings

    def serve(*arguments, **more):
        settings = ServerSettings(token=TOKEN, worker=False)
        application = create_app(settings, *arguments, **more)
        original = httpx2.Client

        class Bridge(httpx2.BaseTransport):
            def handle_request(self, request):
                async def ask():
                    async with httpx2.ASGITransport(application) as transport:
                        content = request.read()
                        passed = httpx2.Request(
                            request.method, request.url, headers=request.headers, content=content
                        )
                        response = await transport.handle_async_request(passed)
                        return response.status_code, response.headers, await response.aread()

                with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
                    code, headers, body = runner.run(ask())
                return httpx2.Response(code, headers=headers, content=body)

        monkeypatch.setattr(httpx2, "Client", lambda **options: original(transport=Bridge(), **options))
        monkeypatch.setenv("TRIMTAB_TOKEN", TOKEN)
        return ["--server", "http://localhost:1"]

    return serve

"""The helper processes import little, so that they start at once and weigh nothing."""

import subprocess
import sys

HEAVY = {"pydantic", "httpx2", "loguru", "typer", "rich", "yaml"}


def imported(program: str) -> set[str]:
    code = f"{program}\nimport sys; print(*sys.modules)"
    found = subprocess.run(
        [sys.executable, "-P", "-c", code], check=True, capture_output=True, text=True
    ).stdout
    return set(found.split())


def test_the_load_generator_imports_nothing_of_the_agent():
    assert imported("import servo.connectors.load.worker").isdisjoint(HEAVY)


def test_the_supervisor_imports_the_standard_library_only():
    modules = imported("import servo.connectors.process.supervisor")
    assert modules.isdisjoint(HEAVY | {"psutil", "asyncio", "subprocess", "pathlib"} - _preloaded())


def _preloaded() -> set[str]:
    # What site-packages load into any interpreter is not the supervisor's: it runs without them.
    return imported("")


def test_the_command_line_imports_builds_only_when_they_are_asked_for():
    modules = imported("import servo.cli.application; servo.cli.application.ServoCLI()")
    assert not [each for each in modules if each.startswith("servo.connectors")]
    assert modules.isdisjoint({"sqlite3", "httptools", "pydantic"})


def test_the_packages_know_their_names():
    import servo.connectors.builds
    import servo.connectors.kubernetes
    import servo.connectors.load
    import servo.connectors.process
    import servo.connectors.prometheus
    import servo.connectors.vegeta

    for package in (
        servo.connectors.builds,
        servo.connectors.load,
        servo.connectors.process,
        servo.connectors.prometheus,
        servo.connectors.vegeta,
    ):
        for name in package.__all__:
            assert getattr(package, name).__name__ == name
        assert getattr(package, "Nonsense", None) is None

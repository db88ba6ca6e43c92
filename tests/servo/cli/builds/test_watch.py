"""`servo builds watch`: each option and variable of the original does what it did, and the page says so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from servo.connectors.builds.configuration import BuildsConfiguration
from servo.connectors.builds.options import _UNUSED

PAGE = Path(__file__).parents[4] / "docs" / "builds-agent.md"
FLAGS = {
    "--no-tls-verify": ("backend.verify_tls", False),
    "--no-src-registry-tls-verify": ("source_registry.verify_tls", False),
    "--no-dst-registry-tls-verify": ("destination_registry.verify_tls", False),
    "--pass-token": ("pass_token", True),
    "--analyze-existing": ("analyze_existing", True),
    "--no-base": ("base_image", False),
    "--no-output": ("output_image", False),
    "--no-build-log": ("build_log", False),
    "--debug": ("debug", True),
    "--force": ("force", True),
}
VALUES = {
    "--build-watcher-namespace": ("namespace", "team", "team"),
    "--thoth-api-host": ("backend.url", "trimtab.example", "https://trimtab.example"),
    "--src-registry-user": ("source_registry.user", "reader", "reader"),
    "--src-registry-password": ("source_registry.password", "a-word", "**********"),
    "--dst-registry-user": ("destination_registry.user", "writer", "writer"),
    "--dst-registry-password": ("destination_registry.password", "a-word", "**********"),
    "--push-registry": ("copy_to.registry", "push.example/builds", "push.example/builds"),
    "--workers-count": ("workers", "3", 3),
    "--environment-type": ("environment_type", "buildtime", "buildtime"),
    "--journal": ("journal", "elsewhere.sqlite", Path("elsewhere.sqlite")),
    "--metrics-port": ("metrics.port", "9464", 9464),
}
# Names, variables and keys of each row of the page's table.
ROWS = [
    [re.findall(r"`([^`]+)`", cell) for cell in line.split("|")[1:4]]
    for line in PAGE.read_text().partition("### Options of watch")[2].partition("`-u` is")[0].splitlines()
    if line.startswith("| `-")
]
BASE = {"--backend": "http://backend.example", "--source": "podman"}
# What else an option needs to make sense.
NEEDS = {
    "--src-registry-user": ("--push-registry", "push.example/x"),
    "--src-registry-password": ("--push-registry", "push.example/x"),
}


@pytest.fixture
def watched(servo, monkeypatch):
    """Runs the command up to where it would begin to watch, and gives back its configuration."""
    found: list[BuildsConfiguration] = []

    async def watch(config):
        found.append(config)

    monkeypatch.setattr("servo.cli.builds._watch", watch)

    def run(*args, base=BASE, env=None):
        whole = [each for pair in base.items() for each in pair]
        result = servo("builds", "watch", *whole, *args, env=env)
        assert result.exit_code == 0, result.stderr
        return found.pop()

    return run


def value(config, key):
    for each in key.split("."):
        config = getattr(config, each)
    return str(config) if type(config).__name__ == "SecretStr" else config


def spellings(option):
    return next(names for names, _, _ in ROWS if option in names)


def variable(option):
    return next(variables[0] for names, variables, _ in ROWS if option in names)


@pytest.mark.parametrize(("option", "key", "set_to"), [(name, *each) for name, each in FLAGS.items()])
def test_flags_and_their_variables(watched, option, key, set_to):
    assert value(watched(), key) is not set_to
    for name in spellings(option):
        assert value(watched(name), key) is set_to
    for word in ("1", "true", "True", "yes"):
        assert value(watched(env={variable(option): word}), key) is set_to
    for word in ("0", "false", ""):
        assert value(watched(env={variable(option): word}), key) is not set_to


@pytest.mark.parametrize(
    ("option", "key", "given", "found"), [(name, *each) for name, each in VALUES.items()]
)
def test_options_with_values_and_their_variables(watched, option, key, given, found):
    more = NEEDS.get(option, ())
    base = {name: each for name, each in BASE.items() if name not in spellings(option)}
    for name in spellings(option):
        assert value(watched(name, given, *more, base=base), key) == found
    assert value(watched(*more, base=base, env={variable(option): given}), key) == found


def test_an_option_wins_over_its_variable_and_both_over_the_file(watched, config):
    config(
        "builds: {backend: {url: 'http://file.example'}, namespace: file, workers: 2, sources: [{type: docker}]}"
    )
    only = {"--force": "--debug"}
    found = watched(base=only)
    assert (found.backend.url, found.namespace, found.sources[0].type) == (
        "http://file.example",
        "file",
        "docker",
    )
    variables = {"THOTH_WATCHED_NAMESPACE": "variable", "THOTH_BUILD_WATCHER_WORKERS": "5"}
    found = watched("-n", "option", base=only, env=variables)
    assert (found.namespace, found.workers, found.backend.url) == ("option", 5, "http://file.example")


def test_every_option_of_the_table_is_one_and_none_is_left_out(servo):
    told = servo("builds", "watch", "--help").stdout
    named = [name for names, _, _ in ROWS for name in names]
    assert [name for name in named if not re.search(rf"(?<![\w-]){name}(?![\w-])", told)] == []
    known = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", told)) - {"--help"}
    assert known - set(named) == set()
    tried = {*FLAGS, *VALUES, "--verbose", "--source"}
    assert [names for names, _, _ in ROWS if tried.isdisjoint(names)] == []


def test_each_variable_of_the_original_is_told_of(servo):
    page = PAGE.read_text()
    assert [name for name in _UNUSED if name not in page and name != "PROMETHEUS_PUSHGATEWAY_PORT"] == []


def test_each_short_form_is_one_options(servo):
    """W10: `-u` was the short form of four."""
    shorts = [name for names, _, _ in ROWS for name in names if re.fullmatch("-[A-Za-z]", name)]
    assert sorted(shorts) == sorted(set(shorts))
    assert {"-v", "-n", "-a", "-T", "-S", "-D", "-p", "-u", "-r"} <= set(shorts)


@pytest.mark.parametrize(
    ("text", "kind", "place"),
    [
        ("podman", "podman", None),
        ("docker:unix:///run/other.sock", "docker", "unix:///run/other.sock"),
        ("directory:/var/log/builds", "directory", Path("/var/log/builds")),
        ("pipe:/run/builds", "pipe", Path("/run/builds")),
    ],
)
def test_sources(watched, text, kind, place):
    (source,) = watched("--source", text, base={"--backend": "http://b.example"}).sources
    assert source.type == kind
    assert (source.host if kind in {"podman", "docker"} else source.path) == place


def test_several_sources_may_be_named(watched):
    assert [each.type for each in watched("--source", "directory:/a").sources] == ["podman", "directory"]


def test_the_skopeo_of_the_variable_is_used(watched):
    found = watched("-r", "push.example/x", env={"SKOPEO_EXEC_PATH": "/opt/skopeo"})
    assert found.copy_to.skopeo == "/opt/skopeo"
    assert watched(env={"SKOPEO_EXEC_PATH": "/opt/skopeo"}).copy_to is None


def test_an_empty_push_registry_is_none(watched):
    assert watched(env={"THOTH_PUSH_REGISTRY": ""}).copy_to is None


WRONG = {
    "nothing to send": (["--no-base", "--no-output", "--no-build-log"], "nothing would be sent"),
    "source credentials and no copies": (["-u", "reader"], "no registry to copy to"),
    "token and password": (["-p", "--src-registry-password", "x", "-r", "push.example/x"], "both `pass_token` and a password"),
    "a registry that is none": (["-r", "a b"], "host and path of a registry"),
    "a source that is none": (["--source", "tarball"], "no source 'tarball': there are podman, docker, directory:PATH, pipe:PATH, kubernetes"),
    "a directory without a path": (["--source", "directory"], "no source 'directory'"),
    "the same source twice": (["--source", "podman"], "two sources are called podman"),
    "no workers": (["--workers-count", "0"], "workers"),
    "no number": (["--workers-count", "many"], "--workers-count"),
    "an environment that there is not": (["--environment-type", "test"], "is not one of runtime, buildtime"),
    "a port that is none": (["--metrics-port", "70000"], "metrics.port"),
    "credentials in the backend's URL": (["--backend", "https://a:b@c.example"], "credentials do not belong into a URL"),
}  # fmt: skip


@pytest.mark.parametrize(("args", "message"), WRONG.values(), ids=WRONG)
def test_what_is_asked_for_wrongly_is_told(servo, args, message):
    base = [each for pair in BASE.items() for each in pair]
    result = servo("builds", "watch", *base, *args)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


def test_no_backend_and_no_source_are_told_with_the_remedy(servo):
    result = servo("builds", "watch", "--source", "podman")
    assert (result.exit_code, "THOTH_USER_API_HOST" in result.stderr) == (2, True)
    result = servo("builds", "watch", "--backend", "b.example")
    assert (result.exit_code, "nothing to watch: give --source podman" in result.stderr) == (2, True)


@pytest.mark.parametrize("name", _UNUSED)
def test_a_variable_that_means_nothing_here_is_told(monkeypatch, name):
    from servo.connectors.builds.options import unused

    assert unused() == []
    monkeypatch.setenv(name, "x")
    assert unused() == [f"{name} is not used: {_UNUSED[name]}"]


def test_a_damaged_journal_ends_it_with_the_remedy_and_is_left_as_it_is(servo, tmp_path):
    damaged = tmp_path / "journal.sqlite"
    damaged.write_text("no journal" * 1000)
    result = servo(
        "builds", "watch", "--backend", "http://b.example", "--source", "podman", "--journal", str(damaged)
    )
    assert result.exit_code == 1
    assert "servo builds recover" in result.stderr
    assert damaged.read_text() == "no journal" * 1000


def test_a_port_that_is_taken_ends_it(servo, backend):
    port = backend.url.rpartition(":")[2]
    result = servo("builds", "watch", "--backend", backend.url, "--source", "pipe:p", "--metrics-port", port)
    assert result.exit_code == 1
    assert "in use" in result.stderr

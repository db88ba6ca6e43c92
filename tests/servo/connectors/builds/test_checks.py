"""`servo check`: secrets, journal, backend, registry and sources, each with what to do; nothing is sent."""

from __future__ import annotations

import json
import os
import sqlite3

import pytest

from servo.connectors.builds.checks import BuildsChecks

NOBODY = {"url": "http://127.0.0.1:9"}


@pytest.fixture
def checked(config):
    """Runs a check by its name; whether it passed, and what it said."""

    async def run(name, **settings):
        found = await BuildsChecks(config=config(**settings)).run_all(halt_on=None)
        check = next(each for each in found if each.name == name)
        told = str(check.message) if check.message else str(check.exception)
        return bool(check.success), f"{told} {check.hint or ''}".strip()

    return run


@pytest.fixture
async def answering():
    """A server that answers with a status; its URL, and what it was asked."""
    import asyncio

    servers = []

    async def start(status):
        asked = []

        async def serve(reader, writer):
            asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(
                f"HTTP/1.1 {status} X\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode()
            )
            writer.close()

        servers.append(await asyncio.start_server(serve, "127.0.0.1", 0))
        return f"http://127.0.0.1:{servers[-1].sockets[0].getsockname()[1]}", asked

    yield start
    for each in servers:
        each.close()


@pytest.mark.parametrize("status", [200, 404])
async def test_a_backend_that_answers_is_good(checked, answering, status, monkeypatch):
    monkeypatch.setenv("TRIMTAB_TOKEN", "a-token")
    url, asked = await answering(status)
    assert await checked("Backend", backend={"url": url}) == (True, f"{url} answers")
    assert "Authorization: Bearer a-token\r\n" in asked[0]
    assert all(each.startswith("GET ") for each in asked)  # nothing is sent


@pytest.mark.parametrize(
    ("status", "told"),
    [(401, "it refuses the token (401)"), (403, "it refuses the token (403)"), (503, "it answers with 503")],
)
async def test_one_that_does_not_take_us_is_told(checked, answering, status, told):
    url, _ = await answering(status)
    assert await checked("Backend", backend={"url": url}) == (
        False,
        f"{told} correct `backend.url` or `backend.token`",
    )


async def test_one_that_is_away_is_told(checked):
    passed, told = await checked("Backend", backend=NOBODY)
    assert not passed
    assert told.startswith("http://127.0.0.1:9 does not answer: ConnectionRefused")


async def test_a_tokens_file_that_cannot_be_read_is_told(checked, tmp_path):
    passed, told = await checked("Backend", backend={**NOBODY, "token_file": tmp_path / "none"})
    assert (passed, "the token's file cannot be read" in told) == (False, True)


async def test_a_journal_is_made_and_what_waits_in_it_is_told(checked, tmp_path):
    path = tmp_path / "new" / "journal.sqlite"
    assert await checked("Journal", backend=NOBODY, journal=path) == (True, f"{path}: 0 builds wait")


async def test_a_journal_that_another_agent_uses_is_good(
    checked, agent, config, source, build, backend, until, away
):
    """What is checked is asked beside an agent that runs, too."""
    backend.fault = away
    await agent()
    source.show(build())
    await until(lambda: backend.requests)
    assert await checked("Journal", backend=NOBODY) == (True, f"{config().journal}: 1 builds wait")


async def test_a_damaged_journal_is_told_and_left_as_it_is(checked, tmp_path):
    path = tmp_path / "damaged"
    path.write_text("no journal" * 1000)
    passed, told = await checked("Journal", backend=NOBODY, journal=path)
    assert not passed
    assert "servo builds recover" in told
    assert path.read_text() == "no journal" * 1000


async def test_another_database_is_told(checked, tmp_path):
    with sqlite3.connect(tmp_path / "mine") as db:
        db.execute("CREATE TABLE mine (x)")
    db.close()
    passed, told = await checked("Journal", backend=NOBODY, journal=tmp_path / "mine")
    assert (passed, "no journal of builds" in told) == (False, True)


async def test_a_journal_whose_place_cannot_be_made_is_told(checked, tmp_path):
    (tmp_path / "file").touch()
    passed, told = await checked("Journal", backend=NOBODY, journal=tmp_path / "file" / "journal")
    assert (passed, "name another place with `journal`" in told) == (False, True)


@pytest.fixture
def skopeo(tmp_path):
    """A program that stands for skopeo: it says something, ends with a code, and writes down what it was asked and shown."""

    def make(told, code=1):
        path = tmp_path / "skopeo"
        path.write_text(
            f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n'
            f'for a; do case "$before" in --authfile) cat "$a" > {tmp_path}/auth;; esac; before=$a; done\n'
            f"echo '{told}' >&2\nexit {code}\n"
        )
        path.chmod(0o755)
        return str(path)

    return make


def copying(program, **more):
    return {"backend": NOBODY, "copy_to": {"registry": "push.example/builds", "skopeo": program}, **more}


async def test_a_registry_that_knows_no_such_image_lets_us_in(checked, skopeo, tmp_path):
    settings = copying(skopeo("manifest unknown"), destination_registry={"user": "u", "password": "a-word"})
    assert await checked("Registry", **settings) == (True, "push.example/builds lets us in")
    asked = (tmp_path / "asked").read_text()
    assert "docker://push.example/builds:trimtab-check" in asked
    assert "a-word" not in asked
    assert list(json.loads((tmp_path / "auth").read_text())["auths"]) == ["push.example"]


@pytest.mark.parametrize(
    "told",
    ["unauthorized: authentication required", "dial tcp: connection refused", "x509: certificate", "pinging container registry push.example: StatusCode: 404, 404 page not found"],
)  # fmt: skip
async def test_one_that_does_not_is_told(checked, skopeo, told):
    passed, found = await checked("Registry", **copying(skopeo(told)))
    assert (passed, found) == (False, f"{told} correct `copy_to.registry` or `destination_registry`")


async def test_a_skopeo_that_is_not_there_is_told(checked):
    passed, told = await checked("Registry", **copying("/nowhere/skopeo"))
    assert (passed, told) == (
        False,
        "/nowhere/skopeo is not to be found install skopeo, or name it with `copy_to.skopeo`",
    )


async def test_without_copies_no_registry_is_asked(checked):
    assert await checked("Registry", backend=NOBODY) == (True, "none: nothing is copied")


async def test_the_token_of_the_service_account_is_what_the_registry_is_shown(
    checked, skopeo, tmp_path, monkeypatch
):
    import base64

    monkeypatch.setenv("SERVO_BUILDS_TOKEN_FILE", str(tmp_path / "token"))
    settings = copying(skopeo("manifest unknown"), pass_token=True)
    passed, told = await checked("Registry", **settings)
    assert (passed, told) == (
        False,
        f"the service account's token {tmp_path}/token cannot be read leave out `pass_token`",
    )
    (tmp_path / "token").write_text("the-token\n")
    assert (await checked("Registry", **settings))[0]
    (auth,) = json.loads((tmp_path / "auth").read_text())["auths"].values()
    assert base64.b64decode(auth["auth"]) == b"build-watcher:the-token"
    assert "the-token" not in (tmp_path / "asked").read_text()


async def test_secrets_that_cannot_be_had_are_told(checked, tmp_path, monkeypatch):
    monkeypatch.setenv("INDEX_PASSWORD", "hunter2hunter2")
    (tmp_path / "secrets").write_text("first-secret\nsecond-secret\n")
    log = {"secret_environment": ["INDEX_PASSWORD"], "secret_files": [tmp_path / "secrets"]}
    assert await checked("Secrets", backend=NOBODY, log=log) == (True, "2 values are taken out of logs")
    for broken, told in (
        ({"secret_environment": ["NOT_SET"]}, "the variable NOT_SET of `log.secret_environment` is not set"),
        (
            {"secret_files": [tmp_path / "none"]},
            f"{tmp_path}/none of `log.secret_files` cannot be read: No such file",
        ),
    ):
        passed, found = await checked("Secrets", backend=NOBODY, log=broken)
        assert (passed, found.startswith(told)) == (False, True)
    monkeypatch.setenv("INDEX_PASSWORD", "short")
    passed, found = await checked("Secrets", backend=NOBODY, log={"secret_environment": ["INDEX_PASSWORD"]})
    assert (passed, "short" in found.replace("shorter", "")) == (False, False)


async def test_sources_are_looked_at(checked, tmp_path):
    sources = [{"type": "directory", "path": tmp_path}, {"type": "pipe", "path": tmp_path / "pipe"}]
    passed, told = await checked("Sources", backend=NOBODY, sources=sources)
    assert (passed, told) == (
        True,
        f"directory:{tmp_path}: *.log in {tmp_path}; pipe:{tmp_path}/pipe: {tmp_path}/pipe",
    )
    for source, found in (
        ({"type": "directory", "path": tmp_path / "none"}, "is no directory that can be read"),
        ({"type": "podman", "program": "/nowhere/podman"}, "install it, or name it with `program`"),
    ):
        passed, told = await checked("Sources", backend=NOBODY, sources=[source])
        assert (passed, found in told) == (False, True)


def test_the_command_runs_them_all(tmp_path, monkeypatch):
    """As a user calls it: the section of servo.yaml makes a connector, and its checks are those of `servo check`."""
    import subprocess
    import sys
    from pathlib import Path

    (tmp_path / "servo.yaml").write_text(
        "optimizer: {id: example.com/app, token: T, base_url: 'http://127.0.0.1:9'}\nconnectors: [builds]\n"
        f"builds: {{backend: {{url: 'http://127.0.0.1:9'}}, sources: [{{type: directory, path: {tmp_path}}}]}}\n"
        "checks: {wait: '0', progressive: false}\n"
    )
    command = [
        Path(sys.executable).with_name("servo"),
        "check",
        "builds",
        "--halt-on",
        "never",
        "--output",
        "json",
    ]
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("THOTH_", "SERVO_", "TRIMTAB_"))
    }
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 1, done.stderr
    found = {each["name"]: each["passed"] for each in json.loads(done.stdout)}
    assert found == {"Secrets": True, "Journal": True, "Backend": False, "Registry": True, "Sources": True}

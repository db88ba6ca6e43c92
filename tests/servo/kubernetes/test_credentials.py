"""Credentials that change: rotated files, exec plugins, certificates."""

import asyncio
import os
import stat
import sys

import pytest

from servo.kubernetes import PODS, Client, CredentialsError, UnauthorizedError
from servo.kubernetes.access import Access
from servo.kubernetes.credentials import StoredCredentials
from servo.kubernetes.plugins import Plugin, PluginCredentials

VERSION = "client.authentication.k8s.io/v1"


def accepting(server, *tokens):
    """The server accepts these tokens alone."""
    accepted = {f"Bearer {token}" for token in tokens}

    def answer(asked):
        known = asked.headers.get("authorization") in accepted
        return {"kind": "Pod"} if known else server.failed(401, "Unauthorized")

    server.answer = answer


def shown(server):
    return [asked.headers.get("authorization", "").removeprefix("Bearer ") for asked in server.asked]


async def test_a_token_that_was_replaced_is_read_again_when_it_is_refused(server, access, tmp_path):
    file = tmp_path / "token"
    file.write_text("old")
    rotated = Access(
        server.url, "a test", authority=access.authority, credentials=StoredCredentials(token=file)
    )
    accepting(server, "old")
    async with Client(rotated) as client:
        await client.get(PODS, "a")
        file.write_text("new")
        accepting(server, "new")
        await client.get(PODS, "a")
    assert shown(server) == ["old", "old", "new"]


async def test_a_token_is_read_again_after_a_while(server, access, tmp_path, monkeypatch):
    monkeypatch.setattr("servo.kubernetes.credentials.FRESH", -1.0)
    file = tmp_path / "token"
    file.write_text("old")
    rotated = Access(
        server.url, "a test", authority=access.authority, credentials=StoredCredentials(token=file)
    )
    accepting(server, "old", "new")
    async with Client(rotated) as client:
        await client.get(PODS, "a")
        file.write_text("new")
        await client.get(PODS, "a")
    assert shown(server) == ["old", "new"]


async def test_a_token_that_stays_refused_is_told_after_one_more_try(server, access, tmp_path):
    accepting(server)
    async with Client(access) as client:
        with pytest.raises(UnauthorizedError):
            await client.get(PODS, "a")
    assert len(server.asked) == 2


@pytest.mark.parametrize("content", ["", "two words", "line\nline", "\u00fc"])
async def test_a_file_without_a_token_is_told(tmp_path, content):
    (tmp_path / "token").write_text(content)
    with pytest.raises(CredentialsError, match="holds no token"):
        await StoredCredentials(token=tmp_path / "token").get()


async def test_a_file_that_is_away_is_told(tmp_path):
    with pytest.raises(CredentialsError, match="token cannot be read: No such file"):
        await StoredCredentials(token=tmp_path / "token").get()


async def test_a_client_shows_its_certificate_and_the_next_one_when_it_was_replaced(
    server, access, certificates, tmp_path
):
    pair = tmp_path / "tls.crt", tmp_path / "tls.key"

    def install(name):
        pair[0].write_bytes(getattr(certificates, name).read_bytes())
        pair[1].write_bytes(certificates.key(name).read_bytes())

    def subject(asked):
        return dict(asked.certificate["subject"][0])["commonName"]

    wanted = "client"
    server.answer = lambda asked: (
        {"kind": "Pod"} if subject(asked) == wanted else server.failed(401, "Unauthorized")
    )
    install("client")
    credentials = StoredCredentials(certificate=pair)
    async with Client(
        Access(server.url, "a test", authority=access.authority, credentials=credentials)
    ) as client:
        await client.get(PODS, "a")
        wanted = "server"
        install("server")
        await client.get(PODS, "a")
    assert [subject(asked) for asked in server.asked] == ["client", "client", "server"]


async def test_a_key_that_does_not_belong_to_its_certificate_is_told(server, access, certificates):
    pair = certificates.client, certificates.key("server")
    wrong = Access(
        server.url, "a test", authority=access.authority, credentials=StoredCredentials(certificate=pair)
    )
    async with Client(wrong) as client:
        with pytest.raises(CredentialsError, match="certificate or its key cannot be used"):
            await client.get(PODS, "a")


async def test_nothing_secret_is_sent_without_encryption():
    asked = []

    async def serve(reader, writer):
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    plain = Access(url, "a test", credentials=StoredCredentials("Bearer secret-token"))
    async with Client(plain) as client:
        await client.get(PODS, "a")
    listening.close()
    assert "secret-token" not in asked[0]


@pytest.fixture
def plugin(tmp_path):
    """Makes an exec plugin: a real program, whose body is Python; `n` is how often it was run."""

    def make(body, **options):
        script = tmp_path / "plugin"
        counter = tmp_path / "count"
        script.write_text(
            f"#!{sys.executable}\n"
            "import json, os, pathlib, sys, time\n"
            f"counter = pathlib.Path({str(counter)!r})\n"
            "n = int(counter.read_text()) + 1 if counter.exists() else 1\n"
            "counter.write_text(str(n))\n"
            "info = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
            "def credential(**status):\n"
            "    print(json.dumps({'apiVersion': info['apiVersion'], 'kind': 'ExecCredential', 'status': status}))\n"
            f"{body}\n"
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        return Plugin(str(script), user="me", **options)

    return make


async def test_a_plugin_is_run_once_and_again_when_its_token_is_refused(server, access, plugin):
    credentials = PluginCredentials(plugin("credential(token=f'token-{n}')"))
    with_plugin = Access(server.url, "a test", authority=access.authority, credentials=credentials)
    accepting(server, "token-1")
    async with Client(with_plugin) as client:
        await asyncio.gather(*(client.get(PODS, "a") for _ in range(5)))
        accepting(server, "token-2")
        await asyncio.gather(*(client.get(PODS, "a") for _ in range(5)))
    # However many were refused at once, the plugin was run once for all of them.
    assert set(shown(server)) == {"token-1", "token-2"}


async def test_a_token_that_expires_is_had_anew(plugin):
    near = "time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 5))"
    far = "time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 3600))"
    credentials = PluginCredentials(
        plugin(f"credential(token=str(n), expirationTimestamp={near} if n < 2 else {far})")
    )
    tokens = [(await credentials.get()).authorization for _ in range(3)]
    assert tokens == ["Bearer 1", "Bearer 2", "Bearer 2"]


async def test_a_plugin_gets_its_arguments_variables_and_the_cluster(plugin, write_kubeconfig, server):
    body = 'credential(token=f\'{sys.argv[1]}-{os.environ["GIVEN"]}-{info["spec"]["cluster"]["config"]["audience"]}-{info["spec"]["interactive"]}\')'
    made = plugin(body)
    user = {
        "exec": {
            "apiVersion": VERSION,
            "command": "./plugin",
            "args": ["argument"],
            "env": [{"name": "GIVEN", "value": "variable"}],
            "provideClusterInfo": True,
            "interactiveMode": "IfAvailable",
        }
    }
    cluster = {
        "server": server.url,
        "extensions": [{"name": "client.authentication.k8s.io/exec", "extension": {"audience": "ours"}}],
    }
    assert made.command.endswith("/plugin")
    access = Client.open(write_kubeconfig(user=user, cluster=cluster)).access
    assert (await access.credentials.get()).authorization == "Bearer argument-variable-ours-False"


async def test_a_plugin_may_give_a_certificate(server, access, certificates, plugin):
    pair = {
        "clientCertificateData": certificates.client.read_text(),
        "clientKeyData": certificates.key("client").read_text(),
    }
    credentials = PluginCredentials(plugin(f"credential(**{pair!r})"))
    server.answer = lambda asked: {}
    with_plugin = Access(server.url, "a test", authority=access.authority, credentials=credentials)
    async with Client(with_plugin) as client:
        await client.get(PODS, "a")
    assert server.asked[0].certificate is not None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("sys.exit('log in first')", "ended with 1: log in first"),
        ("sys.exit(3)", "ended with 3: it said nothing"),
        ("print('hello')", "printed no ExecCredential"),
        ("print('[]')", "printed no ExecCredential"),
        ("print('{\"status\": 7}')", "printed no ExecCredential"),
        ("credential()", "neither a token nor a certificate"),
        ("credential(clientKeyData='a')", "neither a token nor a certificate"),
        ("credential(token='t', expirationTimestamp='soon')", "printed no ExecCredential"),
        ("print(json.dumps({'apiVersion': 'other/v1', 'status': {'token': 't'}}))", "speaks 'other/v1'"),
        ("print('x' * 3_000_000)", "printed no ExecCredential"),
    ],
)
async def test_a_plugin_that_gives_nothing_is_told(plugin, body, said):
    with pytest.raises(CredentialsError, match=said) as caught:
        await PluginCredentials(plugin(body)).get()
    assert "the exec plugin" in str(caught.value)
    assert "of user 'me'" in str(caught.value)


async def test_a_plugin_that_is_not_installed_is_told_with_its_hint(tmp_path):
    missing = Plugin(str(tmp_path / "nowhere"), hint="install it from there")
    with pytest.raises(
        CredentialsError, match="cannot be started: No such file or directory; install it from there"
    ):
        await PluginCredentials(missing).get()


async def test_a_plugin_that_does_not_end_is_ended(plugin, tmp_path):
    body = f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid())); time.sleep(600)"
    with pytest.raises(CredentialsError, match="did not end within 2 s"):
        await PluginCredentials(plugin(body), timeout=2).get()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


async def test_credentials_of_a_kubeconfig_reach_the_server(server, write_kubeconfig):
    accepting(server, "secret-token")
    async with Client.open(write_kubeconfig()) as client:
        assert await client.get(PODS, "a") == {"kind": "Pod"}
    assert server.asked[0].path == "/api/v1/namespaces/shop/pods/a"

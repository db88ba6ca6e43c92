"""Kubeconfigs: found, merged, read, and what is wrong with them."""

import base64
import os
from pathlib import Path

import pytest

from servo import errors
from servo.kubernetes import Client, ConfigurationError, kubeconfig, pods
from servo.kubernetes.credentials import StoredCredentials

PEM = "-----BEGIN CERTIFICATE-----\n"


@pytest.fixture(autouse=True)
def _no_cluster(monkeypatch, tmp_path):
    """Keep the clusters of whoever runs the tests out of them."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


FIRST = """
clusters:
- {name: one, cluster: {server: "https://first:6443/", certificate-authority: ca.crt}}
users:
- {name: me, user: {tokenFile: token}}
contexts:
- {name: both, context: {cluster: two, user: me, namespace: shop}}
- {name: one, context: {cluster: one, user: me}}
"""
SECOND = """
clusters:
- {name: one, cluster: {server: "https://ignored"}}
- {name: two, cluster: {server: "https://second", insecure-skip-tls-verify: true, proxy-url: "http://proxy:1"}}
contexts:
- {name: both, context: {cluster: one}}
current-context: both
"""


async def test_files_are_merged_and_the_first_entry_of_a_name_counts(tmp_path, monkeypatch):
    first = write(tmp_path / "a" / "config", FIRST)
    second = write(tmp_path / "b" / "config", SECOND)
    write(tmp_path / "a" / "token", "t0ken\n")
    monkeypatch.setenv("KUBECONFIG", f"{first}{os.pathsep}{tmp_path / 'missing'}{os.pathsep}{second}")
    client = Client.open()
    assert client.access.server == "https://second"
    assert client.access.insecure
    assert client.access.proxy == "http://proxy:1"
    assert client.namespace == "shop"
    # Paths are relative to the file they stand in.
    assert (await client.access.credentials.get()).authorization == "Bearer t0ken"


def test_a_context_is_chosen_by_name(tmp_path):
    file = write(tmp_path / "config", FIRST)
    write(tmp_path / "ca.crt", PEM)
    client = Client.open(file, "one")
    assert client.access.server == "https://first:6443"
    assert client.access.authority == PEM.encode()
    assert client.namespace == "default"
    assert not client.access.insecure


def test_the_default_file_is_that_of_the_home(tmp_path):
    write(tmp_path / "home" / ".kube" / "config", SECOND)
    assert Client.open(context="both").access.server == "https://ignored"


def test_without_any_cluster_the_remedy_is_told():
    with pytest.raises(
        ConfigurationError, match=r"no cluster is named; name a kubeconfig .* or run in a pod"
    ):
        Client.open()


def test_its_error_is_one_of_configurations():
    assert issubclass(ConfigurationError, errors.ConfigurationError)


def test_a_variable_that_names_nothing_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nothing"))
    with pytest.raises(ConfigurationError, match="KUBECONFIG: none of its files is there"):
        Client.open()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", r"config:\d+: is no YAML"),
        ("- 1", "is no kubeconfig"),
        ("clusters: {}", "is no kubeconfig|no current context"),
        ("clusters: 3", "is no kubeconfig"),
        ("", "has no current context"),
        ("current-context: x", "contexts: it has no entry 'x'; the file has none"),
        (f"{SECOND}\ncurrent-context: y\n", "contexts: it has no entry 'y'; there is: both"),
        ("clusters: [{cluster: {}}]", "clusters: an entry has no name"),
        ("clusters: [{name: a, cluster: 7}]", "clusters.a: is no mapping"),
        (SECOND.replace('"https://ignored"', "ftp://x"), "one.server: 'ftp://x' is no URL"),
        (SECOND.replace('"https://ignored"', '"https://"'), "one.server: 'https:' is no URL"),
        (SECOND.replace('"https://ignored"', '"https://a:99999"'), "is no URL"),
        (
            SECOND.replace(
                'server: "https://ignored"',
                'server: "https://a", insecure-skip-tls-verify: true, certificate-authority-data: YQ==',
            ),
            "one.insecure-skip-tls-verify: is set beside a certificate authority; remove it",
        ),
        (
            SECOND.replace('"https://ignored"', '"https://a", certificate-authority: nowhere'),
            "one.certificate-authority: .*nowhere cannot be read",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path, text, said):
    file = write(tmp_path / "config", text)
    with pytest.raises(ConfigurationError, match=said) as caught:
        Client.open(file)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ("auth-provider: {name: gcp}", "auth-provider: Kubernetes has removed these; .* exec plugin"),
        ("client-certificate: a.crt", "certificate and key belong together"),
        ("client-key-data: YQ==", "certificate and key belong together"),
        ("client-key-data: '!'", "me.client-key-data: is not base64"),
        ("exec: {}", "exec: it names no command"),
        (
            "exec: {command: a, apiVersion: client.authentication.k8s.io/v1alpha1}",
            "is not spoken; use one of",
        ),
        (
            "exec: {command: a, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Always}",
            "an agent has no terminal",
        ),
    ],
)
def test_a_user_that_cannot_be_used_is_told(tmp_path, user, said):
    text = (
        SECOND.replace("{cluster: one}", "{cluster: two, user: me}")
        + f"users: [{{name: me, user: {{{user}}}}}]"
    )
    with pytest.raises(ConfigurationError, match=said):
        Client.open(write(tmp_path / "config", text))


async def read_user(tmp_path, user):
    text = (
        SECOND.replace("{cluster: one}", "{cluster: two, user: me}")
        + f"users: [{{name: me, user: {{{user}}}}}]"
    )
    return Client.open(write(tmp_path / "config", text)).access


async def test_name_and_password_are_basic_authentication(tmp_path):
    access = await read_user(tmp_path, "username: me, password: pass")
    found = await access.credentials.get()
    assert found.authorization == f"Basic {base64.b64encode(b'me:pass').decode()}"


async def test_a_token_is_preferred_in_its_file(tmp_path):
    write(tmp_path / "token", "fresh")
    access = await read_user(tmp_path, "token: stale, tokenFile: token")
    assert (await access.credentials.get()).authorization == "Bearer fresh"


async def test_a_certificate_is_preferred_in_the_kubeconfig_itself(tmp_path):
    access = await read_user(
        tmp_path, "client-certificate: x, client-certificate-data: YQ==, client-key-data: Yg=="
    )
    assert (await access.credentials.get()).certificate == (b"a", b"b")


async def test_whom_to_act_as_is_told_to_the_server(tmp_path):
    user = "as: jane, as-uid: '7', as-groups: [a, b], as-user-extra: {scopes: [x]}"
    access = await read_user(tmp_path, user)
    assert access.headers == (
        ("Impersonate-User", "jane"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b"),
        ("Impersonate-Extra-scopes", "x"),
    )


async def test_secrets_are_in_no_representation(tmp_path):
    access = await read_user(tmp_path, "token: very-secret")
    assert "very-secret" not in repr(access)
    assert "very-secret" not in repr(await access.credentials.get())


@pytest.fixture
def account(tmp_path):
    for name, content in (("token", "pod-token\n"), ("ca.crt", PEM), ("namespace", "shop\n")):
        write(tmp_path / "account" / name, content)
    return tmp_path / "account"


async def test_a_pod_has_its_service_account(account):
    access = pods.read({"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "6443"}, account)
    assert access.server == "https://10.96.0.1:6443"
    assert (access.namespace, access.authority, access.proxy) == ("shop", PEM.encode(), None)
    assert (await access.credentials.get()).authorization == "Bearer pod-token"


def test_an_address_of_version_six_is_in_brackets(account):
    assert pods.read({"KUBERNETES_SERVICE_HOST": "fd00::1"}, account).server == "https://[fd00::1]:443"


def test_a_pod_without_its_token_is_told(tmp_path):
    assert pods.read({}, tmp_path) is None
    with pytest.raises(ConfigurationError, match="automountServiceAccountToken"):
        pods.read({"KUBERNETES_SERVICE_HOST": "10.96.0.1"}, tmp_path)


def test_the_environment_is_not_read_where_a_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nothing"))
    assert kubeconfig.read([write(tmp_path / "config", SECOND)], "both").server == "https://ignored"
    assert isinstance(Client.open(tmp_path / "config").access.credentials, StoredCredentials)

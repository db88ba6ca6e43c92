"""Images in a real registry: Debian's docker-registry with TLS and passwords, on this machine."""

import base64
import contextlib
import json
import shutil
import socket
import subprocess
import time

import pytest

from trimtab.images import (
    Access,
    AccessError,
    CertificateError,
    NotFoundError,
    UnavailableError,
    contents,
    opened,
)

NEEDED = ("docker-registry", "htpasswd", "skopeo", "openssl")
MISSING = [each for each in NEEDED if not shutil.which(each)]

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(bool(MISSING), reason=f"no {', '.join(MISSING)}: run scripts/system-packages"),
]

USER, PASSWORD = "reader", "a-secret-word"
CONFIG = """
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {directory}/data}}}}
http:
  addr: 127.0.0.1:{port}
  tls: {{certificate: {directory}/cert.pem, key: {directory}/key.pem}}
auth: {{htpasswd: {{realm: test, path: {directory}/htpasswd}}}}
"""


def run(*command):
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """A registry with an image of one package: its host, and a file of credentials that allow to read it."""
    directory = tmp_path_factory.mktemp("registry")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    key = ["-keyout", str(directory / "key.pem"), "-out", str(directory / "cert.pem")]
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *key)
    run("htpasswd", "-Bbc", str(directory / "htpasswd"), USER, PASSWORD)
    (directory / "config.yml").write_text(CONFIG.format(directory=directory, port=port))
    with (directory / "log").open("wb") as log:
        command = ["docker-registry", "serve", str(directory / "config.yml")]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait(port, process)
        yield directory, f"localhost:{port}"
    finally:
        process.terminate()
        process.wait()


def wait(port, process):
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert process.poll() is None, "the registry ended"
        time.sleep(0.1)
    pytest.fail("the registry does not listen")


@pytest.fixture
def image(registry, read, tmp_path):
    """Pushes an image of one package by skopeo; its name, and how it is reached."""
    directory, host = registry
    files = {"var/lib/dpkg/status": b"Package: a\nStatus: install ok installed\nVersion: 1\n"}
    read(files)
    auth = tmp_path / "auth.json"
    pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    auth.write_text(json.dumps({"auths": {host: {"auth": pair}}}))
    name = f"{host}/team/app:1"
    source = f"oci:{tmp_path / 'layout'}"
    run("skopeo", "copy", "--dest-authfile", str(auth), "--dest-tls-verify=false", source, f"docker://{name}")
    return name, Access(auth_file=auth, authority=directory / "cert.pem")


def names(name, access):
    with opened(name, access) as found:
        return [each.name for each in contents(found).packages]


def test_an_image_is_read_with_the_credentials_of_podman_login(image):
    name, access = image
    assert names(name, access) == ["a"]
    assert names(f"docker://{name}", access) == ["a"]


def test_an_image_is_read_by_its_digest(image):
    name, access = image
    with opened(name, access) as found:
        digest = found.digest
    assert names(f"{name.rpartition(':')[0]}@{digest}", access) == ["a"]


def test_without_credentials_the_remedy_is_told(image, tmp_path):
    name, access = image
    empty = tmp_path / "empty.json"
    empty.write_text("{}")
    with (
        pytest.raises(AccessError, match="podman login"),
        opened(name, Access(None, None, empty, True, access.authority)),
    ):
        pass


def test_a_wrong_password_is_told_and_not_repeated(image, tmp_path):
    name, access = image
    wrong = tmp_path / "wrong.json"
    pair = base64.b64encode(b"reader:not-the-word").decode()
    wrong.write_text(json.dumps({"auths": {name.partition("/")[0]: {"auth": pair}}}))
    with pytest.raises(AccessError, match="credentials are wrong") as caught:  # noqa: SIM117 # the error is of the inner one
        with opened(name, Access(auth_file=wrong, authority=access.authority)):
            pass
    assert "not-the-word" not in str(caught.value)
    assert pair not in str(caught.value)


def test_a_certificate_nobody_vouches_for_is_refused_unless_verification_is_off(image):
    name, access = image
    with (
        pytest.raises(CertificateError, match="not trusted"),
        opened(name, Access(auth_file=access.auth_file)),
    ):
        pass
    assert names(name, Access(auth_file=access.auth_file, verify_tls=False)) == ["a"]


@pytest.mark.parametrize("version", [":none", "@sha256:" + 64 * "0"])
def test_what_the_registry_does_not_have(image, version):
    name, access = image
    with pytest.raises(NotFoundError, match="team/app"), opened(name.rpartition(":")[0] + version, access):
        pass


def test_a_mirror_that_does_not_answer_is_passed_over(image):
    name, access = image
    mirrored = Access(auth_file=access.auth_file, authority=access.authority, mirrors=("localhost:1",))
    assert names(name, mirrored) == ["a"]


def test_a_registry_that_is_not_there(image):
    _, access = image
    with pytest.raises(UnavailableError, match="localhost:1"), opened("localhost:1/team/app", access):
        pass


def test_the_command_says_what_is_wrong_without_a_secret(image):
    from typer.testing import CliRunner

    from trimtab.cli import app

    name, access = image
    options = ["--auth-file", str(access.auth_file), "--certificate-authority", str(access.authority)]
    done = CliRunner().invoke(app, ["packages", name, "--output", "legacy", *options])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["result"]["deb"] == [{"name": "a", "version": "1", "arch": ""}]
    assert PASSWORD not in done.output
    failed = CliRunner().invoke(app, ["packages", name, "--auth-file", str(access.auth_file)])
    assert failed.exit_code == 1
    assert failed.stderr.count("\n") == 1

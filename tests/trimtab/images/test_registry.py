"""Images in a real registry: Debian's docker-registry with TLS and passwords, on this machine."""

import base64
import contextlib
import hashlib
import json
import shutil
import socket
import socketserver
import subprocess
import threading
from dataclasses import replace

import pytest

from trimtab.images import (
    Access,
    CertificateError,
    CredentialsMissingError,
    CredentialsRefusedError,
    ManifestUnknownError,
    RepositoryUnknownError,
    Retries,
    UnavailableError,
    contents,
    opened,
    tags,
)

from .conftest import Layers, write_layout

pytestmark = pytest.mark.integration

FILES = {"var/lib/dpkg/status": b"Package: a\nStatus: install ok installed\nVersion: 1\n"}
PASSWORD = "a-secret-word"


def run(*command):
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def image(secured_registry, read, tmp_path):
    """Pushes an image of one package by skopeo; its name, and how it is reached."""
    read(FILES)
    name = secured_registry.push(f"oci:{tmp_path / 'layout'}", "team/app:1")
    auth = shutil.copy(secured_registry.auth_file, tmp_path / "auth.json")
    return name, Access(auth_file=auth, authority=secured_registry.certificate)


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
        pytest.raises(CredentialsMissingError, match="podman login"),
        opened(name, Access(None, None, empty, True, access.authority)),
    ):
        pass


def test_a_wrong_password_is_told_and_not_repeated(image, tmp_path):
    name, access = image
    wrong = tmp_path / "wrong.json"
    pair = base64.b64encode(b"reader:not-the-word").decode()
    wrong.write_text(json.dumps({"auths": {name.partition("/")[0]: {"auth": pair}}}))
    with pytest.raises(CredentialsRefusedError, match="credentials are wrong") as caught:  # noqa: SIM117 # the error is of the inner one
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
    with (
        pytest.raises(ManifestUnknownError, match="team/app"),
        opened(name.rpartition(":")[0] + version, access),
    ):
        pass


def test_tags_of_a_repository_and_of_one_that_is_not_there(image):
    name, access = image
    again = f"{name.rpartition(':')[0]}:1.0"
    copied = ["--authfile", str(access.auth_file), "--src-tls-verify=false", "--dest-tls-verify=false"]
    run("skopeo", "copy", *copied, f"docker://{name}", f"docker://{again}")
    assert sorted(tags(name, access)) == ["1", "1.0"]
    with pytest.raises(RepositoryUnknownError, match="team/none"):
        tags(f"{name.partition('/')[0]}/team/none", access)


def test_an_image_by_way_of_connections_that_break_off(image, tmp_path):
    """The registry's own answers to requests for parts, behind something that cuts each connection after 200 kB."""
    name, access = image
    host = name.partition("/")[0]
    big = {"noise": hashlib.shake_256(b"noise").digest(1_000_000), **FILES}
    write_layout(tmp_path / "big", [Layers.layer(big)])
    copied = ["--dest-authfile", str(access.auth_file), "--dest-tls-verify=false"]
    run("skopeo", "copy", *copied, f"oci:{tmp_path / 'big'}", f"docker://{host}/team/big:1")
    waits = []
    with cutting(host.partition(":")[2], 200_000) as port:
        auths = json.loads(access.auth_file.read_text())["auths"]
        access.auth_file.write_text(json.dumps({"auths": {f"localhost:{port}": auths[host]}}))
        reached = replace(access, retries=Retries(attempts=20, pause=waits.append))
        assert names(f"localhost:{port}/team/big:1", reached) == ["a"]
    assert len(waits) >= 4


@contextlib.contextmanager
def cutting(port, after):
    """Passes connections on, and ends each after so many bytes of answers."""

    class Passing(socketserver.BaseRequestHandler):
        def handle(self):
            with socket.create_connection(("127.0.0.1", port)) as there:
                asking = threading.Thread(target=pump, args=(self.request, there, 1 << 30))
                asking.start()
                pump(there, self.request, after)
                asking.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Passing) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def pump(one, other, most):
    """Passes on up to so many bytes, then ends both connections."""
    with contextlib.suppress(OSError):
        while most > 0 and (data := one.recv(min(most, 65536))):
            other.sendall(data)
            most -= len(data)
    for each in (one, other):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def test_a_mirror_that_does_not_answer_is_passed_over(image):
    name, access = image
    mirrored = Access(auth_file=access.auth_file, authority=access.authority, mirrors=("localhost:1",))
    assert names(name, mirrored) == ["a"]


def test_a_registry_that_is_not_there(image):
    access = replace(image[1], retries=Retries(attempts=1))
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

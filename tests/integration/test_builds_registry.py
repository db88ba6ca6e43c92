"""A build through a real registry, with TLS and passwords: pushed, submitted to a real server, analysed, read."""

import base64
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

USER, PASSWORD = "reader", "a-secret-word"
PATH = "/api/v1/build-analysis"
LOG = "STEP 1/1: FROM scratch\nCOMMIT app\nGetting image source signatures\n"


def run(*command):
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module")
def image(secured_registry, tmp_path_factory):
    """An image that skopeo pushed: its name."""
    root = tmp_path_factory.mktemp("image")
    (root / "tree" / "var/lib/dpkg").mkdir(parents=True)
    status = "Package: a\nStatus: install ok installed\nVersion: 1\n"
    (root / "tree" / "var/lib/dpkg/status").write_text(status)
    run("tar", "-C", str(root / "tree"), "-cf", str(root / "layer.tar"), ".")
    layer = (root / "layer.tar").read_bytes()
    layout = write_layout(root / "layout", layer)
    return secured_registry.push(f"oci:{layout}", "team/app:1")


def write_layout(directory, layer):
    import hashlib

    def blob(data):
        digest = hashlib.sha256(data).hexdigest()
        (directory / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
        (directory / "blobs" / "sha256" / digest).write_bytes(data)
        return {"digest": f"sha256:{digest}", "size": len(data)}

    kind = "application/vnd.oci.image"
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]}
    config = {"architecture": "amd64", "os": "linux", "rootfs": rootfs, "config": {}}
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{kind}.manifest.v1+json",
        "config": {"mediaType": f"{kind}.config.v1+json", **blob(json.dumps(config).encode())},
        "layers": [{"mediaType": f"{kind}.layer.v1.tar", **blob(layer)}],
    }
    entry = {"mediaType": f"{kind}.manifest.v1+json", **blob(json.dumps(manifest).encode())}
    (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (directory / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return directory


@pytest.fixture(scope="module")
def server(secured_registry, tmp_path_factory):
    """`trimtab serve` without an engine; its URL, its home and its log."""
    home = tmp_path_factory.mktemp("home")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRIMTAB_")}
    environment |= {
        "TRIMTAB_HOME": str(home),
        "TRIMTAB_REGISTRY_CA": str(secured_registry.certificate),
        "TRIMTAB_REGISTRY_SECRETS": str(secured_registry.secrets),
        "TRIMTAB_LOG_LEVEL": "TRACE",
    }
    program = Path(sys.executable).parent / "trimtab"
    log = home.parent / f"{home.name}.log"
    with log.open("wb") as file:
        command = [program, "serve", "--port", "0", "--engine", "docker"]
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
    try:
        while not (found := re.search(r"running on (http://127\.0\.0\.1:\d+)", log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        yield found[1], home, log
    finally:
        process.terminate()
        assert process.wait(60) == 0


def submitted(client, body, **query):
    """A build whose analyses are over, with the answer to it."""
    sent = client.post(PATH, json=body, params=query)
    assert sent.status_code == 202, sent.text
    path = f"{PATH}/{sent.json()['build_analysis']['analysis_id']}"
    while (standing := client.get(path)).status_code == 202:
        time.sleep(0.1)
    return sent.json(), standing.json()


LOGINS = {
    "named": {"name": "team"},
    "sent": {"user": USER, "password": PASSWORD},
}


@pytest.mark.parametrize("login", LOGINS)
def test_a_build_of_a_registry_with_tls_and_passwords_is_taken_apart(server, image, login):
    url, home, log = server
    body = {"output_image": image, "build_log": {"log": LOG}, "credentials": {"output": LOGINS[login]}}
    with httpx2.Client(base_url=url, timeout=100) as client:
        told, standing = submitted(client, body, force=True)
        assert standing["state"] == "succeeded", standing
        found = client.get(f"/api/v1/analyze/{told['output_image_analysis']['analysis_id']}").json()
        assert found["result"]["deb"] == [{"name": "a", "version": "1", "arch": ""}]
        digest = found["result"]["skopeo-inspect"]["Digest"]
        assert client.get(f"/api/v1/analyze/by-hash/{digest}").json() == found
        parsed = client.get(f"/api/v1/buildlog-analysis/{told['buildlog_analysis']['analysis_id']}").json()
        assert parsed["metadata"]["arguments"]["parse"] == {"input": told["buildlog_document_id"]}
    pair = base64.b64encode(f"{USER}:{PASSWORD}".encode())
    for path in (log, *(each for each in home.rglob("*") if each.is_file())):
        content = path.read_bytes()
        assert PASSWORD.encode() not in content, path
        assert pair not in content, path


def test_metadata_tell_the_tags_of_the_repository(server, image):
    url, _, _ = server
    asked = {"image": image, "registry_user": USER, "registry_password": PASSWORD}
    with httpx2.Client(base_url=url, timeout=100) as client:
        told = client.post("/api/v1/image/metadata", params=asked)
    assert told.status_code == 200, told.text
    assert told.json()["tag"] in told.json()["repo_tags"]


def test_who_has_no_credentials_or_wrong_ones_is_told(server, image):
    url, _, _ = server
    wrong = {"credentials": {"output": {"user": USER, "password": "not-it"}}}
    with httpx2.Client(base_url=url, timeout=100) as client:
        assert client.post(PATH, json={"output_image": image}).status_code == 401
        refused = client.post(PATH, json={"output_image": image} | wrong)
        assert (refused.status_code, "not-it" in refused.text) == (403, False)
        unknown = {"output_image": f"{image}0", "credentials": {"output": {"name": "team"}}}
        assert client.post(PATH, json=unknown).status_code == 400


def test_a_certificate_that_nobody_vouches_for_is_refused(image, tmp_path):
    from trimtab.builds import Registries, answer_of, look
    from trimtab.images import CertificateError

    with pytest.raises(CertificateError) as caught:
        look(image, Registries(), None, verify_tls=True)
    assert answer_of(caught.value, None)[0] == 401

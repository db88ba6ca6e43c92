"""What registries answer when something is wrong, by a small server that answers so."""

import contextlib
import hashlib
import json

import pytest

from trimtab.images import (
    Access,
    AccessError,
    CorruptError,
    Credentials,
    ImageReferenceError,
    NotFoundError,
    RateLimitError,
    Retries,
    UnavailableError,
    contents,
    opened,
)
from trimtab.images.reference import Reference
from trimtab.images.sources.registry.challenge import Challenge
from trimtab.images.sources.registry.credentials import stored_credentials


def digest(data):
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def fetch(host, credentials=None, version=":1", waits=None):
    """Reads an image; waits are noted, and not waited for."""
    retries = Retries(pause=(waits if waits is not None else []).append)
    access = Access("linux/amd64", credentials, verify_tls=False, retries=retries)
    with opened(f"{host}/app{version}", access) as image:
        return contents(image)


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (401, {}, AccessError),
        (403, {}, AccessError),
        (404, {}, NotFoundError),
        (429, {"Retry-After": "7"}, RateLimitError),
        (500, {}, UnavailableError),
        (418, {}, UnavailableError),
    ],
)
def test_each_refusal_has_its_error(server, status, headers, error):
    host, answers, _ = server
    answers["/v2/app/manifests/1"] = (status, headers, b"secret body")
    with pytest.raises(error) as caught:
        fetch(host)
    assert "secret" not in str(caught.value)
    if status == 429:
        assert caught.value.after == 7


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"[" * 100_000, b'{"layers": [{}]}', b'{"manifests": 3, "a": 1}']
)
def test_what_is_no_manifest_is_refused(server, body):
    host, answers, _ = server
    answers["/v2/app/manifests/1"] = (200, {}, body)
    with pytest.raises((CorruptError, NotFoundError)):
        fetch(host)


def test_a_manifest_of_another_digest_is_refused(server):
    host, answers, _ = server
    asked = f"sha256:{'0' * 64}"
    answers[f"/v2/app/manifests/{asked}"] = (200, {}, b'{"layers": []}')
    with pytest.raises(CorruptError, match="another digest"):
        fetch(host, version=f"@{asked}")


def image(answers, layer, told=None):
    config = b"{}"
    layers = [{"digest": told or digest(layer), "size": len(layer)}]
    manifest = json.dumps({"config": {"digest": digest(config)}, "layers": layers}).encode()
    answers["/v2/app/manifests/1"] = (200, {}, manifest)
    answers[f"/v2/app/blobs/{digest(config)}"] = (200, {}, config)
    return f"/v2/app/blobs/{layers[0]['digest']}"


def test_half_a_blob_is_refused(server):
    host, answers, _ = server
    answers[image(answers, bytes(10240))] = (200, {"Content-Length": "10240"}, bytes(512))
    with pytest.raises(UnavailableError, match="broke off"):
        fetch(host)


def test_a_blob_of_another_digest_is_refused(server):
    host, answers, _ = server
    answers[image(answers, bytes(10240), f"sha256:{'0' * 64}")] = (200, {}, bytes(10240))
    with pytest.raises(CorruptError, match="another digest"):
        fetch(host)


def test_a_token_is_fetched_with_the_credentials_and_sent_instead_of_them(server):
    host, answers, asked = server
    manifest = json.dumps({"layers": []}).encode()

    def protected(request):
        if request.headers.get("Authorization") == "Bearer the-token":
            return 200, {}, manifest
        header = f'Bearer realm="http://{host}/token",service="s",scope="repository:app:pull"'
        return 401, {"WWW-Authenticate": header}, b""

    answers["/v2/app/manifests/1"] = protected
    answers["/token"] = (200, {}, b'{"token": "the-token"}')
    fetch(host, Credentials("user", "secret-word"))
    (path, headers) = next(each for each in asked if each[0].startswith("/token"))
    assert path == "/token?scope=repository%3Aapp%3Apull&service=s"
    assert headers["Authorization"].startswith("Basic ")
    assert all("secret-word" not in path for path, _ in asked)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"token": 3}', b'{"token": "a\\nb"}', b"{" * 2_000_000]
)
def test_a_service_of_tokens_that_gives_none(server, body):
    host, answers, _ = server
    answers["/v2/app/manifests/1"] = (401, {"WWW-Authenticate": f'Bearer realm="http://{host}/token"'}, b"")
    answers["/token"] = (200, {}, body)
    with pytest.raises(CorruptError):
        fetch(host)


@pytest.mark.parametrize("header", ["", "Negotiate", 'Bearer realm="ftp://x/"', "Bearer", 'Bearer realm="'])
def test_a_challenge_that_cannot_be_met(server, header):
    host, answers, _ = server
    answers["/v2/app/manifests/1"] = (401, {"WWW-Authenticate": header}, b"")
    with pytest.raises(AccessError):
        fetch(host, Credentials("user", "word"))


def test_an_index_is_chosen_from_by_platform(server):
    host, answers, _ = server
    manifest = json.dumps({"layers": []}).encode()
    entries = [
        {"digest": digest(b"other"), "platform": {"os": "linux", "architecture": "s390x"}},
        {"digest": digest(manifest), "platform": {"os": "linux", "architecture": "amd64"}},
    ]
    answers["/v2/app/manifests/1"] = (200, {}, json.dumps({"manifests": entries}).encode())
    answers[f"/v2/app/manifests/{digest(manifest)}"] = (200, {}, manifest)
    assert fetch(host).image.digest == digest(manifest)
    with (
        pytest.raises(NotFoundError, match="linux/amd64, linux/s390x"),
        opened(f"{host}/app:1", Access("linux/arm64", verify_tls=False)),
    ):
        pass


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("python", "docker.io/library/python:latest"),
        ("team/app:1", "docker.io/team/app:1"),
        ("localhost/app", "localhost/app:latest"),
        ("reg.example:5000/a/b:c", "reg.example:5000/a/b:c"),
        (f"reg.example/a@sha256:{'0' * 64}", f"reg.example/a@sha256:{'0' * 64}"),
    ],
)
def test_names_are_taken_apart(text, expected):
    assert str(Reference.parse(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "A/B",
        "a b",
        "$(id)/x",
        "a;b",
        "a/'x",
        "a@sha256:0",
        "a:b:c",
        "-x",
        "a/../b",
        "<b>/x",
        "user:pass@host/x",
    ],
)
def test_what_is_no_name_is_refused(text):
    with pytest.raises(ImageReferenceError):
        Reference.parse(text)


def test_the_most_exact_credentials_are_taken(tmp_path):
    file = tmp_path / "auth.json"
    auths = {
        "r.example": {"auth": "YTox"},
        "r.example/team": {"auth": "Yjoy"},
        "https://t.example/v1/": {"auth": "Yzoz"},
    }
    file.write_text(json.dumps({"auths": auths}))
    assert stored_credentials("r.example", "team/app", file) == Credentials("b", "2")
    assert stored_credentials("r.example", "other", file) == Credentials("a", "1")
    assert stored_credentials("t.example", "x", file) == Credentials("c", "3")
    assert stored_credentials("u.example", "x", file) is None
    assert "2" not in repr(Credentials("b", "2"))


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"auths": []}', '{"auths": {"r.example": {"auth": "%"}}}']
)
def test_a_file_of_credentials_that_cannot_be_read(tmp_path, content):
    file = tmp_path / "auth.json"
    file.write_text(content)
    with contextlib.suppress(AccessError):
        assert stored_credentials("r.example", "x", file) is None


def test_challenges_are_taken_apart():
    found = Challenge.parse('Bearer realm="https://a/t",service="s,1",scope=x')
    assert found == Challenge("bearer", {"realm": "https://a/t", "service": "s,1", "scope": "x"})

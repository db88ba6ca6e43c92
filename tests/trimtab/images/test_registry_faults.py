"""Registries that fail for a while, break off, are slow, or change what a tag names, by a small server that does so."""

import hashlib
import json
import threading
from dataclasses import replace
from email.utils import format_datetime

import pytest

from trimtab.images import (
    Access,
    Credentials,
    CredentialsMissingError,
    CredentialsRefusedError,
    ForbiddenError,
    ImageReferenceError,
    IncompleteCredentialsError,
    LimitError,
    ManifestUnknownError,
    NotFoundError,
    RateLimitError,
    RepositoryUnknownError,
    Retries,
    UnavailableError,
    contents,
    opened,
    tags,
)
from trimtab.images.sources.registry import body, connection, failures

STATUS = b"Package: a\nStatus: install ok installed\nVersion: 1\n"
MANIFEST = "/v2/app/manifests/1"


def digest(data):
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Waits(list):
    """Waits that are noted and not waited for."""

    def access(self, **more):
        return Access("linux/amd64", verify_tls=False, retries=Retries(pause=self.append), **more)


@pytest.fixture
def waits():
    return Waits()


def packages(host, access, name="app:1"):
    with opened(f"{host}/{name}", access) as image:
        found = contents(image)
    return [each.name for each in found.packages], found


@pytest.fixture
def layer(read, tmp_path):
    """A layer with one package and some megabytes beside it, as it is stored."""
    noise = hashlib.shake_256(b"noise").digest(3 << 20)
    read({"noise": noise, "var/lib/dpkg/status": STATUS})
    blobs = (tmp_path / "layout/blobs/sha256").iterdir()
    (found,) = (data for each in blobs if (data := each.read_bytes())[:2] == b"\x1f\x8b")
    return found


def serve(answers, layer, path="app", tag="1"):
    """An image of this layer; the path of its blob."""
    config = b'{"architecture": "amd64", "os": "linux"}'
    layers = [{"digest": digest(layer), "size": len(layer)}]
    document = {"schemaVersion": 2, "config": {"digest": digest(config)}, "layers": layers}
    manifest = json.dumps(document).encode()
    told = {"Docker-Content-Digest": digest(manifest)}
    answers[f"/v2/{path}/manifests/{tag}"] = (200, told, manifest)
    answers[f"/v2/{path}/blobs/{digest(config)}"] = (200, {}, config)
    answers[f"/v2/{path}/blobs/{digest(layer)}"] = (200, {}, layer)
    return f"/v2/{path}/blobs/{digest(layer)}"


def at_first(answers, path, *first):
    """Answers of the first requests; what was there before answers the later ones."""
    later, left = answers[path], list(first)
    answers[path] = lambda request: left.pop(0) if left else later(request) if callable(later) else later


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ([(429, {"Retry-After": "7"}, b"")], [7.0]),
        ([(429, {}, b"")], [0.5]),
        ([(503, {}, b""), (502, {}, b"")], [0.5, 1.0]),
        ([(503, {"Retry-After": "3"}, b""), (500, {}, b""), (504, {}, b"")], [3.0, 1.0, 2.0]),
        ([(200, {"Content-Length": "1000"}, b"{")], [0.5]),
    ],
)
def test_what_passes_is_tried_again_after_a_wait(server, waits, layer, first, expected):
    host, answers, _ = server
    serve(answers, layer)
    at_first(answers, MANIFEST, *first)
    assert packages(host, waits.access())[0] == ["a"]
    assert waits == expected


def test_a_registry_that_asks_for_a_long_wait_is_not_waited_for(server, waits):
    host, answers, asked = server
    answers[MANIFEST] = (429, {"Retry-After": "3600"}, b"")
    with pytest.raises(RateLimitError, match="in 3600 seconds") as caught:
        packages(host, waits.access())
    assert (caught.value.after, caught.value.transient, waits, len(asked)) == (3600, True, [], 1)


def test_retry_after_may_be_a_date():
    from datetime import UTC, datetime, timedelta

    assert 50 < failures._after(format_datetime(datetime.now(UTC) + timedelta(seconds=60))) <= 60
    assert failures._after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    for told in ("", "soon", "-1", "1.5", "٣", "9" * 5000, "Wed, 99 Oct 2015 07:28:00 GMT"):
        found = failures._after(told)
        assert found is None or found >= 0


def test_after_the_last_attempt_the_last_error_is_told(server, waits):
    host, answers, asked = server
    answers[MANIFEST] = (503, {}, b"")
    with pytest.raises(UnavailableError, match="status 503") as caught:
        packages(host, waits.access())
    assert caught.value.transient
    assert (len(asked), waits) == (4, [0.5, 1.0, 2.0])


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (403, b"", ForbiddenError),
        (404, b"", NotFoundError),
        (404, b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}', ManifestUnknownError),
        (404, b'{"errors": [{"code": "NAME_UNKNOWN", "detail": {"x": 1}}]}', RepositoryUnknownError),
        (404, b'{"errors": [3]}', NotFoundError),
        (404, b"[" * 50_000, NotFoundError),
        (404, b" " * 100_000, NotFoundError),
        (501, b"", UnavailableError),
    ],
)
def test_what_does_not_pass_is_asked_once_and_each_has_its_error(server, waits, status, body, error):
    host, answers, asked = server
    answers[MANIFEST] = (status, {}, body)
    with pytest.raises(error) as caught:
        packages(host, waits.access())
    assert type(caught.value) is error
    assert not caught.value.transient
    assert (len(asked), waits) == (1, [])


def basic(status=401):
    return status, {"WWW-Authenticate": 'Basic realm="x"'}, b""


def test_no_credentials_and_wrong_ones_are_two_errors(server, waits):
    host, answers, _ = server
    answers[MANIFEST] = basic()
    with pytest.raises(CredentialsMissingError, match="podman login"):
        packages(host, waits.access())
    with pytest.raises(CredentialsRefusedError, match="wrong") as caught:
        packages(host, waits.access(credentials=Credentials("user", "secret-word")))
    assert "secret-word" not in str(caught.value)


def test_a_service_of_tokens_that_refuses_the_credentials(server, waits):
    host, answers, _ = server
    answers[MANIFEST] = (401, {"WWW-Authenticate": f'Bearer realm="http://{host}/token"'}, b"")
    answers["/token"] = (401, {}, b"")
    with pytest.raises(CredentialsRefusedError):
        packages(host, waits.access(credentials=Credentials("user", "secret-word")))
    with pytest.raises(CredentialsMissingError):
        packages(host, waits.access())


@pytest.mark.parametrize(("user", "password"), [("user", ""), ("", "secret-word")])
def test_half_of_the_credentials_is_refused(user, password):
    with pytest.raises(IncompleteCredentialsError, match="both have to be given") as caught:
        Credentials(user, password)
    assert "secret-word" not in str(caught.value)


def broken(data, at, *, length=True):
    """The first part of a blob, whose connection then ends."""
    return 200, ({"Content-Length": str(len(data))} if length else {"Content-Length": str(at)}), data[:at]


def ranged(data, breaks=()):
    """Answers a request for a part; the first ones break off after so many bytes."""
    left = list(breaks)

    def answer(request):
        start = int(request.headers.get("Range", "bytes=0-")[6:-1])
        told = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
        part = data[start:]
        told["Content-Length"] = str(len(part))
        return (206 if start else 200), told, part[: left.pop(0)] if left else part

    return answer


@pytest.mark.parametrize("length", [True, False])
def test_a_blob_that_breaks_off_is_gone_on_with(server, waits, layer, length):
    """Whether the connection ends too early, or the answer says that it is at its end."""
    host, answers, asked = server
    path = serve(answers, layer)
    answers[path] = ranged(layer)
    at_first(answers, path, broken(layer, 1_500_000, length=length))
    assert packages(host, waits.access())[0] == ["a"]
    assert [told.get("Range") for asked_path, told in asked if asked_path == path] == [None, "bytes=1500000-"]
    assert waits == [0.5]


def test_a_registry_that_knows_no_ranges_is_read_again(server, waits, layer):
    host, answers, _ = server
    path = serve(answers, layer)
    at_first(answers, path, broken(layer, 100), broken(layer, 2_000_001), broken(layer, 2_000_000))
    assert packages(host, waits.access())[0] == ["a"]
    # After a megabyte that came through, a break is the first one again.
    assert waits == [0.5, 0.5, 1.0]


def test_a_blob_that_breaks_off_again_and_again_is_given_up(server, waits, layer):
    host, answers, _ = server
    path = serve(answers, layer)
    answers[path] = ranged(layer, [1000] * 20)
    with pytest.raises(UnavailableError, match="broke off"):
        packages(host, waits.access())
    assert waits == [0.5, 1.0, 2.0]


def test_another_part_than_was_asked_for_is_refused(server, waits, layer):
    host, answers, _ = server
    path = serve(answers, layer)
    answers[path] = (206, {"Content-Range": f"bytes 5-{len(layer) - 1}/{len(layer)}"}, layer[5:])
    at_first(answers, path, broken(layer, 100))
    with pytest.raises(UnavailableError, match="another part"):
        packages(host, waits.access())


def test_a_blob_that_comes_slowly_is_given_up(server, waits, layer, monkeypatch):
    monkeypatch.setattr(body, "SETTLED", 0.0)
    monkeypatch.setattr(body, "SLOWEST", 1e15)
    host, answers, _ = server
    serve(answers, layer)
    with pytest.raises(UnavailableError, match="bytes a second"):
        packages(host, waits.access())


@pytest.mark.parametrize("what", ["headers", "nothing"])
def test_an_answer_that_does_not_begin_is_given_up(server, waits, monkeypatch, what):
    """One byte now and then is no answer: what a time limit between two bytes never sees."""
    monkeypatch.setattr(connection.Connection.__init__, "__kwdefaults__", {"answer": 0.3})
    gone = threading.Event()

    def dripping(request):
        try:
            while not gone.wait(0.02):
                if what == "headers":
                    request.wfile.write(b"H")
                    request.wfile.flush()
        except OSError:
            pass
        raise ConnectionAbortedError

    host, answers, _ = server
    answers[MANIFEST] = dripping
    try:
        access = replace(waits.access(), retries=Retries(longest=0.2, pause=waits.append))
        with pytest.raises(UnavailableError, match=r"does not answer within 0\.3 seconds") as caught:
            packages(host, access)
    finally:
        gone.set()
    assert (caught.value.transient, waits) == (True, [])  # whoever asks later may have more luck


def test_a_tag_that_moves_while_it_is_read_is_told(server, waits, layer):
    """What was read is whole, for all but the tag is named by digest; it is not what the tag names any more."""
    host, answers, _ = server
    serve(answers, layer)
    told = answers[MANIFEST]
    assert packages(host, waits.access())[1].findings == []
    asked = []
    answers[MANIFEST] = lambda request: (
        asked.append(1)
        or (told if len(asked) == 1 else (200, {"Docker-Content-Digest": digest(b"new")}, b""))
    )
    names, found = packages(host, waits.access())
    assert names == ["a"]
    assert [(each.kind, digest(b"new") in each.message) for each in found.findings] == [("moved-tag", True)]


def test_a_tag_that_names_another_image_than_the_digest_beside_it_is_told(server, waits, layer):
    host, answers, _ = server
    serve(answers, layer)
    manifest = answers[MANIFEST][2]
    answers[f"/v2/app/manifests/{digest(manifest)}"] = (200, {}, manifest)
    answers[MANIFEST] = (200, {"Docker-Content-Digest": digest(b"new")}, b"")
    _, found = packages(host, waits.access(), f"app:1@{digest(manifest)}")
    assert [each.kind for each in found.findings] == ["moved-tag"]
    answers[MANIFEST] = (404, {}, b"")  # what cannot be asked is no finding
    assert packages(host, waits.access(), f"app:1@{digest(manifest)}")[1].findings == []


def test_a_mirror_has_a_path_and_credentials_of_its_own(server, waits, layer, tmp_path):
    host, answers, asked = server
    serve(answers, layer, "cache/hub/app")
    auth = tmp_path / "auth.json"
    auth.write_text(json.dumps({"auths": {host: {"auth": "bWlycm9yOnBhc3M="}}}))
    manifest = answers["/v2/cache/hub/app/manifests/1"]
    answers["/v2/cache/hub/app/manifests/1"] = lambda request: (
        manifest if request.headers.get("Authorization") == "Basic bWlycm9yOnBhc3M=" else basic()
    )
    access = waits.access(
        auth_file=auth, mirrors=(f"{host}/cache/hub",), credentials=Credentials("own", "secret")
    )
    assert packages("registry.invalid", access)[0] == ["a"]
    assert all("b3duOnNlY3JldA==" not in str(told) for _, told in asked)


@pytest.mark.parametrize(
    "answer", [(404, {}, b""), (503, {}, b""), (200, {}, b"no manifest"), (429, {}, b"")]
)
def test_what_a_mirror_does_not_have_its_origin_is_asked_for_at_once(server, waits, layer, answer):
    host, answers, _ = server
    serve(answers, layer)
    answers["/v2/mirror/app/manifests/1"] = answer
    assert packages(host, waits.access(mirrors=(f"{host}/mirror",)))[0] == ["a"]
    assert waits == []


def test_a_layer_that_a_mirror_lacks_comes_from_the_origin(server, waits, layer):
    host, answers, asked = server
    blob = serve(answers, layer)
    del answers[serve(answers, layer, "mirror/app")]
    assert packages(host, waits.access(mirrors=(f"{host}/mirror",)))[0] == ["a"]
    assert blob in [path for path, _ in asked]


@pytest.mark.parametrize(
    "mirror", ["", "a b", "https://m.example", "m.example/A", "m.example/../x", "u:p@m.example"]
)
def test_what_is_no_mirror_is_refused(waits, mirror):
    with pytest.raises(ImageReferenceError, match="HOST"):
        packages("registry.invalid", waits.access(mirrors=(mirror,)))


def test_tags_come_in_pages(server, waits):
    """Of the link to the next page only the last tag is taken: no registry says whom we ask."""
    host, answers, asked = server
    pages = {
        "": (["1", "2"], '<https://elsewhere.example/v2/app/tags/list?last=2&n=1000>; rel="next"'),
        "2": (["3", "no tag", 4], ""),
    }

    def answer(request):
        names, link = pages[request.path.partition("last=")[2]]
        return 200, ({"Link": link} if link else {}), json.dumps({"name": "app", "tags": names}).encode()

    answers["/v2/app/tags/list"] = answer
    assert tags(f"{host}/app", waits.access()) == ["1", "2", "3"]
    assert [path for path, _ in asked] == ["/v2/app/tags/list?n=1000", "/v2/app/tags/list?n=1000&last=2"]


def test_tags_without_end_are_refused(server, waits):
    host, answers, asked = server
    link = {"Link": '</v2/app/tags/list?last=1>; rel="next"'}
    answers["/v2/app/tags/list"] = (200, link, b'{"tags": null}')
    with pytest.raises(LimitError, match="without end"):
        tags(f"{host}/app", waits.access())
    assert len(asked) == 1000


@pytest.mark.parametrize("document", [b"", b"[]", b'{"tags": 3}'])
def test_what_is_no_list_of_tags_is_refused(server, waits, document):
    host, answers, _ = server
    answers["/v2/app/tags/list"] = (200, {}, document)
    with pytest.raises(ValueError, match=r"list of tags"):
        tags(f"{host}/app", waits.access())

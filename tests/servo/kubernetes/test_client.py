"""What the client sends, and what it makes of errors."""

import asyncio
import json

import pytest

from servo.kubernetes import (
    ALL,
    DEPLOYMENTS,
    PODS,
    AlreadyExistsError,
    AnswerError,
    ApiError,
    CertificateError,
    Client,
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidError,
    NotFoundError,
    Resource,
    TooManyRequestsError,
    UnauthorizedError,
    UnreachableError,
)
from servo.kubernetes.access import Access
from servo.kubernetes.connection import Exchange


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (400, "BadRequest", ApiError),
        (401, "Unauthorized", UnauthorizedError),
        (403, "Forbidden", ForbiddenError),
        (404, "NotFound", NotFoundError),
        (409, "Conflict", ConflictError),
        (409, "AlreadyExists", AlreadyExistsError),
        (410, "Expired", GoneError),
        (422, "Invalid", InvalidError),
        (429, "TooManyRequests", TooManyRequestsError),
        (500, "InternalError", ApiError),
    ],
)
async def test_each_status_has_its_error(server, client, code, reason, kind):
    server.answer = lambda asked: server.failed(code, reason, "what is wrong", name="web")
    with pytest.raises(kind) as caught:
        await client.get(DEPLOYMENTS, "web")
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.reason, error.message) == (code, reason, "what is wrong")
    assert error.details["name"] == "web"
    assert str(error) == f"what is wrong ({code} {reason})"
    assert error.transient is (code in {429, 500})


async def test_an_answer_by_something_else_is_told_in_its_words(server, client):
    server.answer = lambda asked: server.Answer(502, b"<html>bad gateway</html>")
    with pytest.raises(ApiError, match=r"<html>bad gateway</html> \(502\)"):
        await client.get(PODS, "a")


async def test_the_fields_of_an_invalid_object_are_named(server, client):
    cause = {"field": "spec.replicas", "reason": "FieldValueInvalid", "message": "must be positive"}
    server.answer = lambda asked: server.failed(422, "Invalid", "wrong", causes=[cause])
    with pytest.raises(InvalidError) as caught:
        await client.create(DEPLOYMENTS, {"metadata": {"name": "web"}})
    assert caught.value.causes == [cause]


async def test_an_answer_that_is_no_json_is_said(server, client):
    server.answer = lambda asked: b"hello"
    with pytest.raises(AnswerError, match="check the server's address"):
        await client.get(PODS, "a")


async def test_an_answer_is_bounded(server, client):
    server.answer = lambda asked: b" " * 5000
    with pytest.raises(AnswerError, match="larger than 1000 bytes"):
        await client._connection.read(Exchange("GET", "/version"), limit=1000)


@pytest.mark.parametrize("method", ["get", "delete"])
async def test_pauses_that_the_server_asks_for_are_made(server, client, method):
    answers = [server.failed(429, "TooManyRequests", headers={"Retry-After": "0"}) for _ in range(2)]
    server.answer = lambda asked: answers.pop(0) if answers else {}
    await getattr(client, method)(PODS, "a")
    assert len(server.asked) == 3


async def test_a_pause_is_not_longer_than_there_is_time(server, access):
    server.answer = lambda asked: server.failed(429, "TooManyRequests", headers={"Retry-After": "9"})
    async with Client(access, timeout=5) as client:
        with pytest.raises(TooManyRequestsError):
            await client.get(PODS, "a")
    assert len(server.asked) == 1


async def test_a_change_is_not_sent_again_when_the_server_failed_in_it(server, client):
    server.answer = lambda asked: server.failed(500, "InternalError", headers={"Retry-After": "0"})
    with pytest.raises(ApiError):
        await client.create(PODS, {"metadata": {"name": "a"}})
    assert len(server.asked) == 1


async def test_what_was_sent_when_a_kept_connection_closed_is_sent_again(server, client):
    answers = [{}, server.streamed(b"{", cut=True)]
    server.answer = lambda asked: answers.pop(0) if answers else {"kind": "Pod"}
    await client.get(PODS, "a")
    with pytest.raises(UnreachableError):
        await client.get(PODS, "a")
    assert await client.get(PODS, "a") == {"kind": "Pod"}


async def test_a_silent_server_is_given_up(server, access):
    server.answer = lambda asked: server.streamed(b"{", until=asyncio.Event())
    async with Client(access, timeout=0.2) as client:
        with pytest.raises(UnreachableError, match=r"no answer to GET .* within 0.2 s"):
            await client.get(PODS, "a")


async def test_where_nobody_listens_is_said():
    async with Client(Access(server="https://127.0.0.1:9", source="a test"), timeout=5) as client:
        with pytest.raises(UnreachableError, match=r"https://127\.0\.0\.1:9: GET /version"):
            await client.version()


async def test_certificates_are_verified(server):
    async with Client(Access(server=server.url, source="the file"), timeout=5) as client:
        with pytest.raises(CertificateError, match="certificate-authority in the file"):
            await client.version()
    assert server.asked == []


async def test_a_certificate_for_another_name_is_not_trusted(server, access):
    for name, trusted in (("api.internal", True), ("api.external", False)):
        named = Access(server.url, "a test", authority=access.authority, server_name=name)
        server.answer = lambda asked: {"major": "1", "minor": "30+"}
        async with Client(named, timeout=5) as client:
            if trusted:
                assert await client.version() == (1, 30)
            else:
                with pytest.raises(CertificateError):
                    await client.version()


async def test_objects_are_sent_where_they_belong(server, client):
    server.answer = lambda asked: {}
    body = {"metadata": {"name": "a", "namespace": "other"}}
    await client.create(PODS, body, dry_run=True)
    await client.replace(DEPLOYMENTS, body, "third", subresource="scale")
    await client.patch(DEPLOYMENTS, "web", [{"op": "test"}], kind="json")
    await client.apply(DEPLOYMENTS, {"metadata": {"name": "web"}}, manager="servo", force=True)
    await client.create(PODS, {"metadata": {"name": "a"}, "kind": "Eviction"}, subresource="eviction")
    sent = [(asked.method, asked.path, asked.headers["content-type"], asked.query) for asked in server.asked]
    apps = "/apis/apps/v1/namespaces"
    assert sent == [
        ("POST", "/api/v1/namespaces/other/pods", "application/json", {"dryRun": ["All"]}),
        ("PUT", f"{apps}/third/deployments/a/scale", "application/json", {}),
        ("PATCH", f"{apps}/shop/deployments/web", "application/json-patch+json", {}),
        (
            "PATCH",
            f"{apps}/shop/deployments/web",
            "application/apply-patch+yaml",
            {"fieldManager": ["servo"], "force": ["true"]},
        ),
        ("POST", "/api/v1/namespaces/shop/pods/a/eviction", "application/json", {}),
    ]
    assert server.asked[0].json == {"apiVersion": "v1", "kind": "Pod", **body}
    assert server.asked[4].json["kind"] == "Eviction"


async def test_a_deletion_says_what_it_means(server, client):
    server.answer = lambda asked: {}
    await client.delete(PODS, "a", grace=0, uid="1", resource_version="7", propagation="Foreground")
    assert server.asked[0].json == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": "Foreground",
        "gracePeriodSeconds": 0,
        "preconditions": {"uid": "1", "resourceVersion": "7"},
    }


async def test_what_is_allowed_is_asked_of_the_server(server, client):
    server.answer = lambda asked: {"status": {"allowed": "ns" in json.dumps(asked.json)}}
    assert await client.allowed("get", PODS, "ns", subresource="log")
    assert not await client.allowed("list", DEPLOYMENTS, ALL)
    assert server.asked[0].json["spec"]["resourceAttributes"] == {
        "verb": "get",
        "version": "v1",
        "resource": "pods",
        "subresource": "log",
        "namespace": "ns",
    }


async def test_kinds_are_found_in_the_preferred_version(server, client):
    answers = {
        "/apis/argoproj.io": {
            "versions": [{"version": "v1"}, {"version": "v1alpha1"}],
            "preferredVersion": {"version": "v1alpha1"},
        },
        "/apis/argoproj.io/v1alpha1": {
            "resources": [
                {"name": "rollouts/scale", "kind": "Scale", "namespaced": True},
                {"name": "rollouts", "kind": "Rollout", "namespaced": True},
            ]
        },
    }
    server.answer = lambda asked: answers.get(asked.path) or server.failed(404, "NotFound")
    rollouts = Resource("argoproj.io", "v1alpha1", "rollouts", "Rollout")
    assert await client.find("argoproj.io", "Rollout") == rollouts
    assert await client.find("argoproj.io", "rollouts") == rollouts
    assert await client.find("argoproj.io", "Scale") is None
    assert await client.has_subresource(rollouts, "scale")
    assert not await client.has_subresource(rollouts, "resize")
    assert await client.find("nowhere.io", "Thing") is None
    # What is there is asked for once; what is not, each time: it may be installed by then.
    paths = [asked.path for asked in server.asked]
    assert paths.count("/apis/argoproj.io/v1alpha1") == 1
    await client.find("nowhere.io", "Thing")
    assert [asked.path for asked in server.asked].count("/apis/nowhere.io") == 2


async def test_a_log_is_asked_for_with_its_bounds(server, client):
    server.answer = lambda asked: b"x" * 50
    assert await client.log("a", container="app", previous=True, tail=5, limit=40) == b"x" * 40
    assert server.asked[0].query == {
        "container": ["app"],
        "previous": ["true"],
        "tailLines": ["5"],
        "limitBytes": ["40"],
    }

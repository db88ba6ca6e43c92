"""Images by the original's routes: `/analyze` and `/image/metadata`."""

import base64
import socket

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

ANALYZE, METADATA = "/api/v1/analyze", "/api/v1/image/metadata"
SECRET = "a-secret-word"
EVIL = [
    "app; touch /tmp/owned",
    "$(id)",
    "`id`",
    "app' OR '1'='1",
    '"><script>alert(1)</script>',
    "../../etc/passwd",
    "/etc/passwd",
    "dir:/etc",
    "oci:/tmp",
    "docker-archive:/etc/passwd",
    "podman:localhost/python:3.11",
    "app@sha256:short",
    "app\x00b",
    "-h",
]


def protect(registry, challenge='Basic realm="test"'):
    """Let in who knows the password."""
    wanted = "Basic " + base64.b64encode(f"reader:{SECRET}".encode()).decode()
    for path, good in list(registry.answers.items()):

        def guarded(handler, good=good):
            if handler.headers.get("Authorization") == wanted:
                return good
            return 401, {"WWW-Authenticate": challenge}, b""

        registry.answers[path] = guarded


async def test_w19_metadata_have_the_keys_of_the_original(accepting, registry):
    digest = registry.push()
    asked = {"image": f"{registry.host}/app:1", "verify_tls": False}
    found = (await accepting["alice"].post(METADATA, params=asked)).json()
    assert found["digest"] == digest
    assert found["name"] == f"{registry.host}/app"
    assert (found["tag"], found["architecture"], found["os"], found["env"]) == (
        "1",
        "amd64",
        "linux",
        ["A=1"],
    )
    assert set(found) == {
        *("name", "tag", "digest", "repo_tags", "created", "docker_version", "labels"),
        *("architecture", "os", "layers", "env"),
    }


async def test_w17_credentials_are_used(accepting, registry):
    registry.push()
    protect(registry)
    asked = {"image": f"{registry.host}/app:1", "verify_tls": False}
    login = {"registry_user": "reader", "registry_password": SECRET}
    assert (await accepting["alice"].post(METADATA, params=asked | login)).status_code == 200
    without = await accepting["alice"].post(METADATA, params=asked)
    assert (without.status_code, without.json()["parameters"]) == (401, asked)
    wrong = await accepting["alice"].post(METADATA, params=asked | login | {"registry_password": "not-it"})
    assert wrong.status_code == 403
    assert "not-it" not in wrong.text
    half = await accepting["alice"].post(METADATA, params=asked | {"registry_user": "reader"})
    assert half.status_code == 400
    assert "have to be supplied" in half.json()["error"]


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        ((401, {}, b"secret body"), 401, "Authentication required"),
        ((403, {}, b"secret body"), 401, "Authentication required"),
        ((404, {}, b"secret body"), 400, "Manifest unknown"),
        ((429, {}, b"secret body"), 400, "limits the rate"),
        ((500, {}, b"secret body"), 400, "status 500"),
        ((200, {}, b"[]"), 400, "no JSON object"),
    ],
)
async def test_what_registries_refuse_is_said_in_the_meaning_of_the_original(
    accepting, registry, answer, status, words
):
    registry.push()
    registry.answers["/v2/app/manifests/1"] = answer
    asked = {"image": f"{registry.host}/app:1", "verify_tls": False}
    refused = await accepting["alice"].post(METADATA, params=asked)
    assert refused.status_code == status, refused.text
    assert words in refused.json()["error"]
    assert "secret body" not in refused.text
    assert refused.json()["parameters"] == asked


async def test_a_registry_that_is_slow_or_not_there_is_said(accepting):
    asked = {"image": "127.0.0.1:1/app", "verify_tls": False}
    refused = await accepting["alice"].post(METADATA, params=asked)
    assert refused.status_code == 400
    assert "cannot be reached" in refused.json()["error"]


@pytest.mark.parametrize(("problem", "status"), [(socket.EAI_NONAME, 400), (socket.EAI_AGAIN, 202)])
async def test_a_host_that_is_not_there_is_said_and_one_that_cannot_be_looked_up_now_is_not(
    accepting, monkeypatch, problem, status
):
    look = socket.getaddrinfo

    def unknown(host, *arguments, **more):
        if host in {"registry.invalid", b"registry.invalid"}:
            raise socket.gaierror(problem, "no such host")
        return look(host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    sent = await accepting["alice"].post(ANALYZE, params={"image": "registry.invalid/app:1"})
    assert sent.status_code == status, sent.text


async def test_w18_a_name_is_no_command_and_no_place_of_this_machine(accepting, tmp_path, monkeypatch):
    """Nor are the server's own credentials: what a stranger names is asked for as a stranger."""
    for name in EVIL:
        for path in (METADATA, ANALYZE):
            refused = await accepting["alice"].post(path, params={"image": name})
            assert refused.status_code == 400, (name, refused.text)
            assert "parameters" in refused.json()
        body = {"base_image": name}
        refused = await accepting["alice"].post("/api/v1/build-analysis", json=body)
        assert refused.status_code == 400, (name, refused.text)
        assert refused.headers["content-type"] == "application/json"


async def test_the_servers_own_credentials_are_not_lent(accepting, registry, tmp_path, monkeypatch):
    registry.push()
    protect(registry)
    pair = base64.b64encode(f"reader:{SECRET}".encode()).decode()
    auth = tmp_path / "auth.json"
    auth.write_text(f'{{"auths": {{"{registry.host}": {{"auth": "{pair}"}}}}}}')
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(auth))
    asked = {"image": f"{registry.host}/app:1", "verify_tls": False}
    assert (await accepting["alice"].post(METADATA, params=asked)).status_code == 401


async def test_w16_the_environment_is_kept_as_it_was_said(root, registry, over):
    registry.push()
    asked = {"image": f"{registry.host}/app:1", "verify_tls": False, "environment_type": "buildtime"}
    sent = await root.post(ANALYZE, params=asked | {"origin": "<script>", "debug": True})
    assert sent.status_code == 202
    told = sent.json()
    assert told["parameters"] == asked | {"origin": "<script>", "debug": True, "force": False}
    found = await over(root, f"{ANALYZE}/{told['analysis_id']}")
    assert found.status_code == 200
    kept = found.json()["metadata"]["arguments"]["thoth-package-extract"]["metadata"]
    assert kept == {"origin": "<script>", "environment_type": "buildtime", "is_external": True}
    assert (await root.post(ANALYZE, params=asked | {"environment_type": "other"})).status_code == 400


async def test_w14_credentials_are_in_no_answer_document_database_or_log(
    serve, registry, over, tmp_path, place
):
    from loguru import logger

    registry.push()
    protect(registry)
    said: list[str] = []
    sink = logger.add(said.append, level="TRACE", format="{message} {extra}")
    image = f"{registry.host}/app:1"
    query = {"output_registry_user": "reader", "output_registry_password": SECRET}
    tls = {"output_registry_verify_tls": False}
    login = {"output": {"user": "reader", "password": SECRET}}
    try:
        async with serve() as callers:
            root, answers = callers["root"], []
            path = "/api/v1/build-analysis"
            answers.append(await root.post(path, json={"output_image": image}, params=query | tls))
            body = {"output_image": image, "credentials": login}
            answers.append(await root.post(path, json=body, params=tls | {"force": True}))
            asked = {"image": image, "verify_tls": False, "registry_user": "reader"}
            answers.append(
                await root.post(ANALYZE, params=asked | {"registry_password": SECRET, "force": True})
            )
            assert [each.status_code for each in answers] == [202, 202, 202], [each.text for each in answers]
            for each in answers[:2]:
                build = await over(root, f"{path}/{each.json()['build_analysis']['analysis_id']}")
                assert build.json()["state"] == "succeeded", build.text
                answers.append(build)
            name = answers[2].json()["analysis_id"]
            answers.append(await over(root, f"{ANALYZE}/{name}"))
            for about in ("status", "log"):
                answers.append(await root.get(f"{ANALYZE}/{name}/{about}"))  # noqa: PERF401 # one after another
            wrong = {"output": {"user": "reader", "password": [SECRET]}}
            answers.append(await root.post(path, json=body | {"credentials": wrong}))
            both = {"output": {"user": "reader", "password": SECRET, "name": "x"}}
            answers.append(await root.post(path, json=body | {"credentials": both}))
            assert [each.status_code for each in answers[-2:]] == [400, 400]
            answers.append(await root.get("/metrics"))
    finally:
        logger.remove(sink)
    forms = [SECRET, base64.b64encode(f"reader:{SECRET}".encode()).decode()]
    assert not [each.text for each in answers if any(form in each.text for form in forms)]
    assert not [line for line in said if any(form in line for form in forms)]
    for file in tmp_path.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert not any(form.encode() in content for form in forms), file
    assert all("secret" not in path for path, _ in registry.asked)


async def test_a_secret_is_named_and_goes_to_its_own_registry_alone(serve, registry, tmp_path):
    registry.push()
    protect(registry)
    pair = base64.b64encode(f"reader:{SECRET}".encode()).decode()
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "team.json").write_text(f'{{"auths": {{"{registry.host}": {{"auth": "{pair}"}}}}}}')
    (secrets / "else.json").write_text(f'{{"auths": {{"registry.example": {{"auth": "{pair}"}}}}}}')
    (secrets / "torn.json").write_text("{")
    (tmp_path / "outside.json").write_text((secrets / "team.json").read_text())
    path, tls = "/api/v1/build-analysis", {"base_registry_verify_tls": False}
    async with serve(worker=False, registry_secrets=secrets) as callers:

        async def submit(name):
            body = {"base_image": f"{registry.host}/app:1", "credentials": {"base": {"name": name}}}
            return await callers["alice"].post(path, json=body, params=tls)

        assert (await submit("team")).status_code == 202
        asked = len(registry.asked)
        for name in ("else", "none", "../outside", "/etc/passwd", "", "torn"):
            refused = await submit(name)
            assert refused.status_code in {400, 401, 403}, (name, refused.text)
            assert SECRET not in refused.text
        assert len(registry.asked) == asked


async def test_registries_may_be_named_that_are_asked_and_no_others(serve, registry):
    registry.push()
    for hosts, status in (("registry.example,127.0.0.1:*", 200), ("registry.example", 400)):
        async with serve(worker=False, registry_hosts=hosts) as callers:
            asked = {"image": f"{registry.host}/app:1", "verify_tls": False}
            assert (await callers["alice"].post(METADATA, params=asked)).status_code == status


async def test_labels_are_text_whatever_they_say(accepting, registry):
    """Metacharacters of shells, databases and pages come back as they are, in JSON."""
    evil = {"a'; DROP TABLE analyses;--": "$(id) `id` </script><script>alert(1)</script>\x00\ud800"}
    registry.push(labels=evil)
    asked = {"image": f"{registry.host}/app:1", "verify_tls": False}
    found = await accepting["alice"].post(METADATA, params=asked)
    assert found.headers["content-type"] == "application/json"
    assert b"<script>" in found.content  # JSON is no page
    assert next(iter(found.json()["labels"].values())).startswith("$(id) `id`")

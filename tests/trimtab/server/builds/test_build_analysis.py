"""A build is submitted: each part is accepted on its own, analysed once, and can be asked for."""

import json

import pytest

from trimtab.catalog import analyses
from trimtab.catalog.analysis_schema import build_analyses
from trimtab.store import BuildsStore

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

PATH = "/api/v1/build-analysis"
TLS = {"base_registry_verify_tls": False, "output_registry_verify_tls": False}
BUILD = {
    "identity": "build-0001",
    "name": "app",
    "namespace": "team",
    "source": "podman",
    "phase": "failed",
    "started_at": 1.5,
    "finished_at": 2.5,
    "exit_code": 1,
    "labels": {"a": "b"},
}


def rows(place):
    """All analyses and builds that the catalog knows."""
    with place.database.read() as connection:
        found = connection.execute(analyses.analyses.select()).mappings().all()
        builds = connection.execute(build_analyses.select()).mappings().all()
    return found, builds


async def test_a_log_and_an_image_are_taken_apart(root, registry, over, log_text, place):
    digest = registry.push()
    image = f"{registry.host}/app:1"
    body = {"output_image": image, "build_log": {"log": log_text, "kind": "BuildLog"}, "build": BUILD}
    body["missing"] = [{"part": "base_image", "reason": "it is not known"}]
    sent = await root.post(PATH, json=body, params=TLS | {"origin": "here"})
    assert sent.status_code == 202, sent.text
    told = sent.json()
    assert told["base_image_analysis"] is None
    asked = {"output_image": image, "registry_verify_tls": False}
    assert told["output_image_analysis"]["parameters"] == asked
    name = told["build_analysis"]["analysis_id"]
    build = await over(root, f"{PATH}/{name}")
    assert build.status_code == 200
    assert build.json()["state"] == "succeeded", build.text
    assert build.json()["missing"] == body["missing"]
    assert build.json()["build"] == BUILD
    assert build.json()["output_image_analysis"]["state"] == "succeeded"
    analysis = told["output_image_analysis"]["analysis_id"]
    found = (await root.get(f"/api/v1/analyze/{analysis}")).json()
    assert found["result"]["deb"] == [{"name": "a", "version": "1", "arch": ""}]
    assert found["metadata"]["document_id"] == analysis
    linked = {
        "origin": "here",
        "environment_type": "runtime",
        "is_external": True,
        "build_analysis_job_id": name,
        "output_image_analysis_id": analysis,
        "buildlog_document_id": told["buildlog_document_id"],
    }
    assert found["metadata"]["arguments"]["thoth-package-extract"]["metadata"] == linked
    assert (await root.get(f"/api/v1/analyze/by-hash/{digest}")).json() == found
    parsed = await root.get(f"/api/v1/buildlog-analysis/{told['buildlog_analysis']['analysis_id']}")
    assert parsed.json()["result"]["installation"][0]["package_name"] == "six"
    assert parsed.json()["metadata"]["arguments"]["thoth-buildlog-parser"]["metadata"] == linked
    log = await root.get(f"/api/v1/buildlog/{told['buildlog_document_id']}")
    assert log.json() == body["build_log"]
    document = BuildsStore(place.inspections.store, "test").retrieve_document(name)
    del document["created_at"]
    assert document == {
        "analysis_id": name,
        "origin": "here",
        "environment_type": "runtime",
        "base_image": None,
        "output_image": {"reference": image, "digest": digest, "analysis_id": analysis},
        "build_log": {
            "document_id": told["buildlog_document_id"],
            "analysis_id": told["buildlog_analysis"]["analysis_id"],
        },
        "missing": body["missing"],
        "build": BUILD,
    }
    metrics = (await root.get("/metrics")).text
    assert 'trimtab_build_parts_total{outcome="accepted",part="output_image"} 1.0' in metrics
    assert 'trimtab_analyses_ended_total{kind="log",outcome="succeeded"} 1.0' in metrics
    assert 'trimtab_analyses{kind="image",state="succeeded"} 1.0' in metrics


async def test_w12_what_is_cached_does_no_new_work_and_keeps_a_known_id(
    root, registry, over, log_text, place
):
    registry.push()
    image = f"{registry.host}/app:1"
    body = {"base_image": image, "output_image": image, "build_log": {"log": log_text}}
    first = (await root.post(PATH, json=body, params=TLS)).json()
    parts = ("base_image_analysis", "output_image_analysis", "buildlog_analysis")
    assert [first[part]["cached"] for part in parts] == [False, True, False]  # base and output are one image
    await over(root, f"{PATH}/{first['build_analysis']['analysis_id']}")
    made = [path for path, _ in registry.asked if path == registry.layer]
    again = (await root.post(PATH, json=body, params=TLS)).json()
    assert [again[part]["cached"] for part in parts] == [True, True, True]
    assert [again[part]["analysis_id"] for part in parts] == [first[part]["analysis_id"] for part in parts]
    build = await over(root, f"{PATH}/{again['build_analysis']['analysis_id']}")
    assert build.json()["state"] == "succeeded"
    assert [path for path, _ in registry.asked if path == registry.layer] == made
    found, builds = rows(place)
    assert (len(found), len(builds)) == (2, 2)
    by_image = (await root.post("/api/v1/analyze", params={"image": image, "verify_tls": False})).json()
    assert (by_image["cached"], by_image["analysis_id"]) == (
        True,
        first["base_image_analysis"]["analysis_id"],
    )
    forced = (await root.post(PATH, json=body, params=TLS | {"force": True})).json()
    assert forced["buildlog_analysis"]["cached"] is False
    assert forced["buildlog_analysis"]["analysis_id"] != first["buildlog_analysis"]["analysis_id"]


async def test_w13_no_log_has_no_analysis(accepting, registry):
    registry.push()
    for log in ({}, None, {"log": None, "kind": "BuildLog"}, {"log": ""}):
        body = {"output_image": f"{registry.host}/app:1", "build_log": log}
        told = (await accepting["root"].post(PATH, json=body, params=TLS)).json()
        assert told["buildlog_analysis"] is None
        assert told["buildlog_document_id"] is None


async def test_w15_every_id_tells_how_it_stands_before_and_after(serve, registry, over, log_text):
    registry.push()
    registry.answers[registry.layer] = (404, {}, b"")
    body = {"output_image": f"{registry.host}/app:1", "build_log": {"log": log_text}}
    async with serve(worker=False) as callers:
        root = callers["root"]
        told = (await root.post(PATH, json=body, params=TLS)).json()
        build = told["build_analysis"]["analysis_id"]
        log = told["buildlog_analysis"]["analysis_id"]
        image = told["output_image_analysis"]["analysis_id"]
        for path in (f"{PATH}/{build}", f"/api/v1/buildlog-analysis/{log}", f"/api/v1/analyze/{image}"):
            standing = await root.get(path)
            assert standing.status_code == 202
            status = (await root.get(f"{path}/status")).json()["status"]
            assert status == {"state": "pending", "reason": None, "started_at": None, "finished_at": None}
    async with serve() as callers:
        root = callers["root"]
        ended = await over(root, f"{PATH}/{build}")
        assert (ended.status_code, ended.json()["state"]) == (200, "failed")
        assert ended.json()["output_image_analysis"]["state"] == "failed"
        assert ended.json()["buildlog_analysis"]["state"] == "succeeded"
        failed = await root.get(f"/api/v1/analyze/{image}")
        assert failed.status_code == 400
        assert failed.json()["error"] == "Analysis was not successful"
        for name, state in ((build, "failed"), (image, "failed"), (log, "succeeded")):
            status = (await root.get(f"/api/v1/analyze/{name}/status")).json()["status"]
            assert status["state"] == state
            assert status["finished_at"] is not None
            assert (status["reason"] is None) is (state == "succeeded")
            assert (await root.get(f"/api/v1/analyze/{name}/log")).json()["log"].endswith("\n")
        assert (await root.get(f"{PATH}/{build}/log")).json()["log"].count("\n") == 2
        assert (await root.get(f"/api/v1/buildlog-analysis/{log}/log")).status_code == 200


async def test_a_part_that_cannot_be_had_does_not_block_the_others(accepting, registry, log_text):
    registry.push()
    body = {"base_image": f"{registry.host}/none:1", "output_image": f"{registry.host}/app:1"}
    sent = await accepting["root"].post(PATH, json=body, params=TLS)
    assert sent.status_code == 202
    refused = sent.json()["base_image_analysis"]
    assert set(refused) == {"error", "parameters"}
    assert "Manifest unknown" in refused["error"]
    assert refused["parameters"] == {"base_image": body["base_image"], "registry_verify_tls": False}
    build = sent.json()["build_analysis"]["analysis_id"]
    missing = (await accepting["root"].get(f"{PATH}/{build}")).json()["missing"]
    assert missing == [{"part": "base_image", "reason": refused["error"]}]
    told = next(iter((await accepting["root"].get(PATH)).json()["builds"]))
    assert (told["base_image"], told["output_image"]) == (body["base_image"], body["output_image"])
    alone = await accepting["root"].post(PATH, json={"base_image": body["base_image"]}, params=TLS)
    assert (alone.status_code, alone.json()) == (400, refused)
    with_log = {"base_image": body["base_image"], "build_log": {"log": log_text}}
    assert (await accepting["root"].post(PATH, json=with_log, params=TLS)).status_code == 202


async def test_a_base_that_cannot_be_had_is_the_base_all_the_same(root, registry, over, log_text):
    """A build that failed on it counts for it."""
    base = f"{registry.host}/private:1"
    body = {"base_image": base, "build_log": {"log": log_text}, "build": BUILD}
    sent = await root.post(PATH, json=body, params=TLS)
    assert "error" in sent.json()["base_image_analysis"]
    name = sent.json()["build_analysis"]["analysis_id"]
    await over(root, f"{PATH}/{name}")
    rates = (await root.get("/api/v1/ask/failure-rates")).json()["items"]
    assert [(each["base"], each["failures"]["n"]) for each in rates] == [(base, 1)]
    told = (await root.get("/api/v1/ask/observations", params={"document": name})).json()["items"]
    assert ("derived-from", base, "declared") in {
        (each["relation"], each["name"], each["how"]) for each in told
    }


async def test_what_a_registry_cannot_say_now_is_asked_again_later(serve, registry, over):
    registry.push()
    path = "/v2/app/manifests/1"
    good = registry.answers[path]
    registry.answers[path] = (503, {}, b"")
    body = {"output_image": f"{registry.host}/app:1"}
    async with serve(worker=False) as callers:
        sent = await callers["root"].post(PATH, json=body, params=TLS)
        assert sent.status_code == 202
    registry.answers[path] = good
    async with serve() as callers:
        build = await over(callers["root"], f"{PATH}/{sent.json()['build_analysis']['analysis_id']}")
        assert build.json()["state"] == "succeeded"
        found = await callers["root"].get(f"/api/v1/analyze/by-hash/{good[1]['Docker-Content-Digest']}")
        assert found.status_code == 200


async def test_the_same_key_has_the_same_answer_also_after_a_restart(serve, registry, log_text, place):
    registry.push()
    body = {"output_image": f"{registry.host}/app:1", "build_log": {"log": log_text}}
    answers = []

    async def submit(caller, key, **changes):
        sent = await caller.post(PATH, json=body | changes, params=TLS, headers={"Idempotency-Key": key})
        assert sent.status_code == 202
        answers.append(sent.json())

    async with serve(worker=False) as callers:
        await submit(callers["alice"], "build-0001")
    registry.answers.clear()  # nobody is asked again
    async with serve(worker=False) as callers:
        await submit(callers["alice"], "build-0001")
        await submit(callers["alice"], "build-0001", build_log={"log": "another"})
        await submit(callers["alice"], "build-0002", output_image=None)
        await submit(callers["bob"], "build-0001", output_image=None)
    first, again, changed, other, bobs = answers
    assert first == again == changed
    ids = {each["build_analysis"]["analysis_id"] for each in answers}
    assert len(ids) == 3
    assert other["buildlog_analysis"] == first["buildlog_analysis"] | {"cached": True}
    assert bobs["buildlog_analysis"]["analysis_id"] != first["buildlog_analysis"]["analysis_id"]
    assert len(rows(place)[1]) == 3


async def test_many_at_once_with_one_key_are_one(accepting, log_text, place):
    import asyncio

    body, key = {"build_log": {"log": log_text}}, {"Idempotency-Key": "one"}
    sent = await asyncio.gather(*(accepting["root"].post(PATH, json=body, headers=key) for _ in range(10)))
    assert {each.status_code for each in sent} == {202}
    assert len({json.dumps(each.json(), sort_keys=True) for each in sent}) == 1
    assert [len(each) for each in rows(place)] == [1, 1]


async def test_nothing_is_refused_with_the_words_of_the_original(accepting):
    for body in ({}, {"build_log": {}}, {"base_image": "", "output_image": None, "build_log": None}):
        refused = await accepting["root"].post(PATH, json=body)
        assert refused.status_code == 400
        assert refused.json()["error"] == "No base, output nor build log provided"


async def test_a_build_of_which_nothing_could_be_had_is_remembered(accepting):
    body = {"missing": [{"part": "build_log", "reason": "the pod was gone"}], "build": BUILD}
    sent = await accepting["root"].post(PATH, json=body)
    assert sent.status_code == 202
    build = (await accepting["root"].get(f"{PATH}/{sent.json()['build_analysis']['analysis_id']}")).json()
    assert (build["missing"], build["build"]) == (body["missing"], BUILD)


async def test_who_may_submit_and_who_may_read(accepting, log_text):
    """An agent submits, and reads nothing; what is somebody else's is not there."""
    body = {"build_log": {"log": log_text}}
    answers = {name: await accepting[name].post(PATH, json=body) for name in accepting}
    codes = {name: each.status_code for name, each in answers.items()}
    assert codes == {"alice": 202, "bob": 202, "watcher": 403, "root": 202, "ci": 202, "nobody": 401}
    told = answers["alice"].json()
    build, log = told["build_analysis"]["analysis_id"], told["buildlog_analysis"]["analysis_id"]
    paths = [
        f"{PATH}/{build}",
        f"{PATH}/{build}/status",
        f"{PATH}/{build}/log",
        f"/api/v1/buildlog-analysis/{log}",
        f"/api/v1/analyze/{log}/status",
    ]
    expected = {
        "alice": {200, 202},
        "root": {200, 202},
        "bob": {404},
        "watcher": {404},
        "ci": {403},
        "nobody": {401},
    }
    for path in paths:
        found = {name: {(await accepting[name].get(path)).status_code} for name in expected}
        assert all(found[name] <= expected[name] for name in expected), (path, found)
    path = f"/api/v1/buildlog/{told['buildlog_document_id']}"
    codes = {name: (await accepting[name].get(path)).status_code for name in expected}
    assert codes == {"alice": 200, "root": 200, "bob": 200, "watcher": 404, "ci": 403, "nobody": 401}
    for name, path in (("ci", "analyze"), ("ci", "image/metadata"), ("watcher", "analyze")):
        refused = await accepting[name].post(f"/api/v1/{path}", params={"image": "registry.example/a"})
        assert refused.status_code == 403


async def test_a_log_that_is_too_large_is_refused_before_it_is_read(serve):
    """One line of a gigabyte, as it is sent: piece by piece."""
    taken = []

    async def pieces():
        yield b'{"build_log": {"log": "'
        for _ in range(1024):
            taken.append(1)
            yield b"x" * (1 << 20)
        yield b'"}}'

    async with serve(worker=False) as callers:
        json_ = {"Content-Type": "application/json"}
        refused = await callers["root"].post(PATH, content=pieces(), headers=json_)
    assert refused.status_code == 413
    assert "larger than" in refused.json()["error"]
    assert len(taken) < 20


async def test_what_is_no_submission_is_refused(accepting):
    root, kind = accepting["root"], {"Content-Type": "application/json"}
    for body in (b"", b"[]", b"{", b'{"build_log": {"log": NaN}}', b"[" * 100_000, b'{"build_log": ' * 40):
        refused = await root.post(PATH, content=body, headers=kind)
        assert refused.status_code == 400, body[:20]
    foreign = await root.post(PATH, content=b"{}", headers={"Content-Type": "text/plain"})
    assert foreign.status_code == 415
    for path in ("analyze/x", "analyze/buildlog-parser-261127061500-0123456789abcdef"):
        assert (await root.get(f"/api/v1/{path}")).status_code == 400
    unknown = "261127061500-0123456789abcdef"
    for path in (
        f"analyze/package-extract-{unknown}",
        f"analyze/build-analysis-{unknown}/status",
        f"build-analysis/build-analysis-{unknown}",
        f"build-analysis/package-extract-{unknown}",
        f"buildlog-analysis/buildlog-parser-{unknown}/log",
        "analyze/by-hash/sha256:0",
        "buildlog/buildlog-0",
        "buildlog/..%2Felsewhere",
    ):
        missing = await root.get(f"/api/v1/{path}")
        assert missing.status_code == 404, path
        assert set(missing.json()) >= {"error", "parameters"}


async def test_analyses_of_the_original_are_read_and_known_again(accepting, registry, place, log_text):
    """They are in the store alone, and belong to nobody: admins see them."""
    from trimtab.builds import image_key, log_key
    from trimtab.store import (
        AnalysesCacheStore,
        AnalysisByDigest,
        AnalysisResultsStore,
        BuildLogsAnalysesCacheStore,
        BuildLogsParsedResultsStore,
    )

    where = place.inspections.store, "test"
    digest = registry.push()
    image, log = f"{registry.host}/app:1", {"log": log_text}
    ids = "package-extract-210223092945-0123456789abcdef", "buildlog-parser-210223092945-0123456789abcdef"
    AnalysisResultsStore(*where).store_document({"metadata": {"document_id": ids[0]}, "result": {}})
    BuildLogsParsedResultsStore(*where).store_document({"metadata": {"document_id": ids[1]}, "result": {}})
    AnalysisByDigest(*where).store_document({"analysis_id": ids[0]}, digest)
    AnalysesCacheStore(*where).store_document_record(image_key(digest, image), {"analysis_id": ids[0]})
    BuildLogsAnalysesCacheStore(*where).store_document_record(log_key(log), {"analysis_id": ids[1]})
    body = {"output_image": image, "build_log": log}
    told = (await accepting["root"].post(PATH, json=body, params=TLS)).json()
    assert (told["output_image_analysis"]["analysis_id"], told["output_image_analysis"]["cached"]) == (
        ids[0],
        True,
    )
    assert told["buildlog_analysis"] == {"analysis_id": ids[1], "cached": True}
    assert (await accepting["root"].get(f"/api/v1/analyze/by-hash/{digest}")).status_code == 200
    assert (await accepting["root"].get(f"/api/v1/analyze/{ids[0]}/status")).json()["status"][
        "state"
    ] == "succeeded"
    assert (await accepting["root"].get(f"/api/v1/analyze/{ids[0]}/log")).json()["log"] is None
    assert (await accepting["alice"].get(f"/api/v1/analyze/{ids[0]}")).status_code == 404
    other = (await accepting["alice"].post(PATH, json=body, params=TLS)).json()
    assert other["output_image_analysis"]["cached"] is False


async def test_the_headers_of_the_original_are_there(accepting):
    found = await accepting["root"].get("/api/v1/version")
    for name in ("x-thoth-version", "x-user-api-service-version"):
        assert found.headers[name] == found.json()["version"]
    assert (await accepting["root"].get(found.headers["x-thoth-search-ui-url"])).status_code == 200
    assert "x-thoth-search-ui-url" in (await accepting["nobody"].get("/api/v1/analyze/x")).headers


async def test_where_people_look_for_results_may_be_said(serve):
    async with serve(worker=False, search_ui_url="https://search.example/results") as callers:
        found = await callers["root"].get("/api/v1/version")
        assert found.headers["x-thoth-search-ui-url"] == "https://search.example/results"

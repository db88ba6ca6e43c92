"""Builds are listed; they and their analyses are cancelled and deleted, by whom they belong to."""

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

PATH = "/api/v1/build-analysis"
PATHS = {"build_analysis": PATH, "buildlog_analysis": "/api/v1/buildlog-analysis"}


async def submit(caller, log_text, **body):
    sent = await caller.post(PATH, json={"build_log": {"log": log_text}} | body)
    assert sent.status_code == 202, sent.text
    return {name: sent.json()[name]["analysis_id"] for name in PATHS}


async def test_what_waits_is_cancelled_and_then_deleted(accepting, log_text):
    alice = accepting["alice"]
    ids = await submit(alice, log_text)
    for name, path in PATHS.items():
        assert (await alice.delete(f"{path}/{ids[name]}")).status_code == 409
    cancelled = await alice.post(f"{PATHS['buildlog_analysis']}/{ids['buildlog_analysis']}/cancel")
    assert cancelled.status_code == 200
    status = cancelled.json()["status"]
    assert (status["state"], status["reason"]) == ("cancelled", "it was cancelled")
    assert status["finished_at"] is not None
    for name, path in PATHS.items():
        refused = await alice.post(f"{path}/{ids[name]}/cancel")
        assert refused.status_code == 409
        assert "is over" in refused.json()["error"]
    result = await alice.get(f"{PATHS['buildlog_analysis']}/{ids['buildlog_analysis']}")
    assert (result.status_code, result.json()["status"]["state"]) == (400, "cancelled")
    log = await alice.get(f"/api/v1/analyze/{ids['buildlog_analysis']}/log")
    assert "cancelled: it was cancelled" in log.json()["log"]


async def test_a_build_is_over_as_its_analyses_are(serve, log_text, over):
    async with serve(worker=False) as callers:
        ids = await submit(callers["alice"], log_text)
        await callers["alice"].post(f"{PATH}/{ids['build_analysis']}/cancel")
    async with serve() as callers:
        alice = callers["alice"]
        build = await over(alice, f"{PATH}/{ids['build_analysis']}")
        assert (build.status_code, build.json()["state"]) == (200, "cancelled")
        assert build.json()["buildlog_analysis"]["state"] == "cancelled"
        deleted = await alice.delete(f"{PATH}/{ids['build_analysis']}")
        assert (deleted.status_code, deleted.json()) == (
            200,
            {"parameters": {"analysis_id": ids["build_analysis"]}},
        )
        for name, path in PATHS.items():
            assert (await alice.get(f"{path}/{ids[name]}")).status_code == 404
        anew = await submit(alice, log_text)
        await over(alice, f"{PATH}/{anew['build_analysis']}")
        refused = await alice.delete(f"{PATHS['buildlog_analysis']}/{anew['buildlog_analysis']}")
        assert refused.status_code == 409
        assert anew["build_analysis"] in refused.json()["error"]
        assert (await alice.delete(f"{PATH}/{anew['build_analysis']}")).status_code == 200


async def test_an_image_is_cancelled_by_the_path_of_images(accepting, registry):
    registry.push()
    asked = {"image": f"{registry.host}/app:1", "verify_tls": False}
    alice = accepting["alice"]
    name = (await alice.post("/api/v1/analyze", params=asked)).json()["analysis_id"]
    assert (await alice.post(f"{PATH}/{name}/cancel")).status_code == 404
    assert (await alice.post(f"/api/v1/analyze/{name}/cancel")).status_code == 200
    assert (await alice.delete(f"/api/v1/analyze/{name}")).status_code == 200
    assert (await alice.get(f"/api/v1/analyze/{name}/status")).status_code == 404
    again = (await alice.post("/api/v1/analyze", params=asked)).json()
    assert (again["cached"], again["analysis_id"] != name) == (False, True)


async def test_nobody_withdraws_what_is_somebody_elses_and_no_reader_anything(accepting, log_text):
    ids = await submit(accepting["alice"], log_text)
    for name, path in PATHS.items():
        address = f"{path}/{ids[name]}"
        for who, status in {"bob": 404, "watcher": 403, "ci": 403, "nobody": 401}.items():
            assert (await accepting[who].post(f"{address}/cancel")).status_code == status
            assert (await accepting[who].delete(address)).status_code == status
    listed = {
        who: (await accepting[who].get(PATH)).json()["builds"] for who in ("alice", "bob", "watcher", "root")
    }
    assert {who: len(each) for who, each in listed.items()} == {
        "alice": 1,
        "bob": 0,
        "watcher": 0,
        "root": 1,
    }
    assert (await accepting["ci"].get(PATH)).status_code == 403
    assert (await accepting["root"].post(f"{PATH}/{ids['build_analysis']}/cancel")).status_code == 200


async def test_builds_are_listed_page_by_page_the_newest_first(accepting, log_text):
    alice, build = accepting["alice"], {"name": "app", "phase": "failed", "labels": {"</script>": "\x1b[31m"}}
    ids = [(await submit(alice, f"{log_text}{each}\n", build=build))["build_analysis"] for each in range(5)]
    found, before = [], None
    for size in (2, 2, 1):
        page = (await alice.get(PATH, params={"limit": 2} | ({"before": before} if before else {}))).json()
        assert len(page["builds"]) == size
        found += page["builds"]
        before = page["next"]
    assert before is None
    assert [each["analysis_id"] for each in found] == sorted(ids, reverse=True)
    assert {each["state"] for each in found} == {"pending"}
    assert found[0]["build"]["labels"] == build["labels"]
    assert found[0]["buildlog_document_id"].startswith("buildlog-")
    for wrong in ({"limit": 0}, {"limit": 101}, {"before": "x\x00"}, {"before": "package-extract-1"}):
        assert (await alice.get(PATH, params=wrong)).status_code == 400

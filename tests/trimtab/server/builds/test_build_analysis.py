"""A build is submitted: each part is accepted on its own, analysed once, and can be asked for."""

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

PATH = "/api/v1/build-analysis"
TLS = {"base_registry_verify_tls": False, "output_registry_verify_tls": False}


async def test_a_log_and_an_image_are_taken_apart(root, registry, over, log_text):
    digest = registry.push()
    image = f"{registry.host}/app:1"
    body = {"output_image": image, "build_log": {"log": log_text, "kind": "BuildLog"}}
    sent = await root.post(PATH, json=body, params=TLS)
    assert sent.status_code == 202, sent.text
    told = sent.json()
    assert told["base_image_analysis"] is None
    assert told["output_image_analysis"]["parameters"] == {
        "output_image": image,
        "registry_verify_tls": False,
    }
    build = await over(root, f"{PATH}/{told['build_analysis']['analysis_id']}")
    assert build.status_code == 200
    assert build.json()["state"] == "succeeded", build.text
    analysis = told["output_image_analysis"]["analysis_id"]
    found = (await root.get(f"/api/v1/analyze/{analysis}")).json()
    assert found["result"]["deb"] == [{"name": "a", "version": "1", "arch": ""}]
    assert found["metadata"]["document_id"] == analysis
    assert (await root.get(f"/api/v1/analyze/by-hash/{digest}")).json() == found
    parsed = await root.get(f"/api/v1/buildlog-analysis/{told['buildlog_analysis']['analysis_id']}")
    assert parsed.json()["result"]["installation"][0]["package_name"] == "six"
    log = await root.get(f"/api/v1/buildlog/{told['buildlog_document_id']}")
    assert log.json() == body["build_log"]

"""The original's contract, row by row: requests as its clients send them, and the answers that they read.

The rows are those of chapter 2.1 of the reference; B8 to B11 are its defects, which clients need not bear any more.
"""

import json
import os
from importlib.metadata import version
from pathlib import Path

import pytest

from trimtab.catalog.rebuild import rebuild
from trimtab.store import Inspections, Store, copy_inspection

FIRST = "inspection-matmul-260101000000-0000000000000001"
SECOND = "inspection-matmul-260101000001-0000000000000002"
UNKNOWN = "inspection-260101000000-ffffffffffffffff"
VERSION = version("trimtab")
# Read here: a fixture takes what begins with TRIMTAB_ from the environment.
SHARED = Path(os.environ.get("TRIMTAB_SHARED") or Path(__file__).parents[5] / "shared")
ORIGINALS = SHARED / "data" / "amun-inspection"
BODY = {"base": "registry.example/python:3.11", "script": "#!/bin/sh\necho hello\n"}
PARAMETERS = {"inspection_id": FIRST}


class Original:
    """The helpers of the original's client library, over plain requests: each takes an id, and returns what was asked for."""

    def __init__(self, client):
        self.client = client

    async def call(self, method, path, code=200, **options):
        """As a generated client calls an operation: it reads the body of the code that it expects."""
        headers = {"Accept": "application/json", "User-Agent": "OpenAPI-Generator/0.5.0/python"}
        response = await self.client.request(method, f"/api/v1{path}", headers=headers, **options)
        assert response.status_code == code, response.text
        assert response.headers["X-Amun-Version"] == VERSION
        assert response.headers["Content-Type"] == "application/json"
        return response.json()

    async def inspect(self, base, **fields):
        return await self.call("POST", "/inspect", 202, json={"base": base, **fields})

    async def get_inspection_status(self, name):
        return (await self.call("GET", f"/inspect/{name}/status"))["status"]

    async def get_inspection_build_log(self, name):
        return (await self.call("GET", f"/inspect/{name}/build/log"))["log"]

    async def get_inspection_specification(self, name):
        specification = (await self.call("GET", f"/inspect/{name}/specification"))["specification"]
        return {key: value for key, value in specification.items() if value is not None}


@pytest.fixture
def original(root):
    return Original(root)


async def test_get_version(original):
    assert await original.call("GET", "/version") == {"version": VERSION, "service_version": VERSION}


async def test_post_inspection(original):
    answer = await original.inspect(BODY["base"], script=BODY["script"], identifier="np-matmul", batch_size=2)
    assert set(answer) == {"inspection_id", "parameters"}
    assert answer["inspection_id"].startswith("inspection-np-matmul-")
    parameters = answer["parameters"]
    requests = {"cpu": "500m", "memory": "256Mi"}
    assert (parameters["base"], parameters["batch_size"]) == (BODY["base"], 2)
    assert (parameters["build"]["requests"], parameters["run"]["requests"]) == (requests, requests)
    assert {"@created", "@amun_service_version", "@amun_api_url", "@amun_deployment_name"} <= set(parameters)


async def test_post_inspection_with_what_an_older_document_has(original):
    """Clients post stored specifications again: with `@` keys of another server, and batch sizes that are text."""
    old = {"batch_size": "2", "@created": "2019-01-01T00:00:00", "@amun_api_url": "http://old.example"}
    answer = await original.inspect(BODY["base"], **old)
    assert answer["parameters"]["batch_size"] == 2
    assert answer["parameters"]["@created"] > "2026"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "base"),
        ({"base": ""}, "base"),
        (BODY | {"batch_size": "many"}, "batch_size"),
        (BODY | {"package_manager": "conda"}, "package_manager"),
        (BODY | {"files": [{"path": "/x"}]}, "files[0].content"),
        (BODY | {"run": {"requests": {"hardware": {"cpu_family": 6}}}}, "run.requests.hardware"),
    ],
)
async def test_post_inspection_400(original, body, said):
    answer = await original.call("POST", "/inspect", 400, json=body)
    assert set(answer) == {"error", "parameters"}
    assert said in answer["error"]


@pytest.mark.parametrize(
    "part",
    [
        {"requirements_locked": {"default": {}}},
        {"requirements": {"packages": {"six": "*"}}},
    ],
)
async def test_b8_a_stack_of_which_one_half_is_missing_is_a_bad_request(original, part):
    answer = await original.call("POST", "/inspect", 400, json=BODY | {"python": part})
    assert "python" in answer["error"]


async def test_get_inspection_lists_ids_in_their_order(original, conclude):
    for name in (SECOND, FIRST):
        conclude(name)
    answer = await original.call("GET", "/inspect")
    assert answer == {"inspections": [FIRST, SECOND], "parameters": {"page": 1, "limit": 100}}


async def test_b10_pages_follow_each_other(original, conclude):
    names = [conclude(f"inspection-26010100000{n}-000000000000000{n}") for n in range(5)]
    pages = [
        (await original.call("GET", "/inspect", params={"page": n, "limit": 2}))["inspections"]
        for n in (1, 2, 3, 4)
    ]
    assert pages == [names[:2], names[2:4], names[4:], []]


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        ({"page": 0, "limit": 0}, {"page": 1, "limit": 100}),
        ({"page": -5, "limit": -1}, {"page": 1, "limit": 100}),
        ({"limit": 101}, {"page": 1, "limit": 100}),
        ({"page": 10**30, "limit": 10**30}, {"page": (1 << 40), "limit": 100}),
    ],
)
async def test_a_page_that_makes_no_sense_is_the_default(original, conclude, asked, taken):
    assert (await original.call("GET", "/inspect", params=asked))["parameters"] == taken


async def test_get_inspection_build_log(original, conclude):
    assert await original.get_inspection_build_log(conclude()) == "building\n"
    answer = await original.call("GET", f"/inspect/{FIRST}/build/log")
    assert answer["parameters"] == PARAMETERS


async def test_get_inspection_build_log_404(original, queue):
    answer = await original.call("GET", f"/inspect/{queue()}/build/log", 404)
    assert answer == {
        "error": "Build log for the given inspection id was not found",
        "parameters": PARAMETERS,
    }


async def test_get_inspection_job_batch_size(original, conclude):
    """B11: it is what was asked for, and not how many are done."""
    answer = await original.call("GET", f"/inspect/{conclude()}/job/batch-size")
    assert answer == {"batch_size": 3, "parameters": PARAMETERS}


async def test_b11_the_batch_size_of_an_unknown_inspection_is_not_found(original):
    answer = await original.call("GET", f"/inspect/{UNKNOWN}/job/batch-size", 404)
    assert answer == {"error": f"No inspection '{UNKNOWN}' found", "parameters": {"inspection_id": UNKNOWN}}


async def test_get_inspection_job_log(original, conclude):
    answer = await original.call("GET", f"/inspect/{conclude()}/job/1/log")
    assert answer == {"log": "beside\n", "parameters": PARAMETERS}


async def test_get_inspection_job_result(original, conclude):
    answer = await original.call("GET", f"/inspect/{conclude()}/job/1/result")
    assert answer["parameters"] == PARAMETERS
    assert answer["result"]["stdout"]["@result"] == {"elapsed": 1.1}
    assert answer["result"]["hwinfo"]["cpu_type"] == {"ncpus": 36}


@pytest.mark.parametrize("what", ["log", "result"])
@pytest.mark.parametrize("item", ["2", "-1", "9" * 300])
async def test_get_inspection_job_404_names_item_and_inspection(original, conclude, what, item):
    answer = await original.call("GET", f"/inspect/{conclude()}/job/{item}/{what}", 404)
    assert item in answer["error"]
    assert FIRST in answer["error"]


async def test_get_inspection_status(original, conclude):
    status = await original.get_inspection_status(conclude())
    assert set(status) == {"build", "workflow", "data_stored", "state"}
    assert set(status["build"]) == {"container", "exit_code", "finished_at", "reason", "started_at", "state"}
    assert (status["build"]["state"], status["build"]["exit_code"]) == ("terminated", 0)
    assert (status["workflow"]["phase"], status["data_stored"], status["state"]) == (
        "Succeeded",
        True,
        "succeeded",
    )


@pytest.mark.parametrize(
    ("state", "build", "phase"),
    [
        ("queued", "scheduling", "Pending"),
        ("building", "running", "Running"),
        ("running", "terminated", "Running"),
        ("build_failed", "terminated", "Failed"),
        ("failed", "terminated", "Failed"),
        ("cancelled", "terminated", "Failed"),
        ("expired", "terminated", "Failed"),
    ],
)
async def test_get_inspection_status_while_it_goes_on(original, queue, state, build, phase):
    """Strict clients refuse a workflow that is null: there is one as long as the inspection is known."""
    status = await original.get_inspection_status(queue(state=state))
    assert (status["build"]["state"], status["workflow"]["phase"]) == (build, phase)
    assert (status["data_stored"], status["state"]) == (False, state)


async def test_get_inspection_status_of_an_unknown_one_is_no_error(original):
    status = await original.get_inspection_status(UNKNOWN)
    assert status == {"build": None, "workflow": None, "data_stored": False, "state": "unknown"}


async def test_get_inspection_specification(original, conclude):
    specification = await original.get_inspection_specification(conclude())
    assert (specification["identifier"], specification["batch_size"]) == ("matmul", 3)


async def test_get_inspection_specification_404(original):
    answer = await original.call("GET", f"/inspect/{UNKNOWN}/specification", 404)
    assert UNKNOWN in answer["error"]


async def test_post_generate_dockerfile(original):
    answer = await original.call("POST", "/_debug/generate-dockerfile", json=BODY)
    assert answer["dockerfile"].startswith("FROM registry.example/python:3.11\nUSER 0\n")
    assert answer["parameters"]["specification"]["script"] == BODY["script"]


async def test_post_generate_dockerfile_400(original):
    answer = await original.call("POST", "/_debug/generate-dockerfile", 400, json={"base": "-v"})
    assert set(answer) == {"error", "parameters"}


async def test_the_list_of_routes(original):
    assert "/api/v1/inspect/{inspection_id}/job/{item}/result" in (await original.call("GET", ""))["paths"]


async def test_the_openapi_document_names_the_operations_of_the_original(original):
    document = await original.call("GET", "/openapi.json")
    names = json.dumps(
        [[each["operationId"] for each in path.values()] for path in document["paths"].values()]
    )
    for name in (
        "get_version",
        "post_inspection",
        "get_inspection",
        "get_inspection_build_log",
        "get_inspection_job_batch_size",
        "get_inspection_job_log",
        "get_inspection_job_result",
        "get_inspection_status",
        "get_inspection_specification",
        "post_generate_dockerfile",
    ):
        assert name in names


async def test_the_page_for_people_runs_no_script_and_loads_nothing(callers):
    response = await callers["nobody"].get("/api/v1/ui")
    assert response.status_code == 200
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "<script" not in response.text
    assert "/api/v1/inspect/{inspection_id}/status" in response.text


async def test_the_root_leads_to_the_page(callers):
    response = await callers["nobody"].get("/")
    assert (response.status_code, response.headers["Location"]) == (307, "api/v1/ui")


@pytest.mark.parametrize("path", ["/readiness", "/liveness"])
async def test_probes_need_no_token(callers, path):
    response = await callers["nobody"].get(path)
    assert (response.status_code, response.json()) == (200, {"status": "ready", "version": VERSION})


async def test_metrics_tell_the_version_and_how_many_inspections_there_are(root, conclude):
    conclude()
    text = (await root.get("/metrics")).text
    assert f'amun_api_info{{version="{VERSION}"}} 1.0' in text
    assert 'trimtab_inspections{state="succeeded"} 1.0' in text


async def test_a_route_that_is_none(root):
    response = await root.get("/api/v1/nowhere")
    assert response.status_code == 404
    assert "error" in response.json()


async def test_documents_of_the_original_are_answered_as_they_are(original, place):
    """A bucket of the original, with its documents of 2020: every route that reads has its answer."""
    if not ORIGINALS.is_dir():
        pytest.skip(f"no data of the original at {ORIGINALS}: set TRIMTAB_SHARED")
    source = Inspections(Store.open(str(ORIGINALS)), None)
    (name,) = source.begun()
    copy_inspection(source[name], place.inspections)
    for _ in rebuild(place.database, place.inspections):
        pass
    stored = source[name]
    path = f"/inspect/{name}"
    assert (await original.call("GET", "/inspect"))["inspections"] == [name]
    assert await original.get_inspection_build_log(name) == stored.build.retrieve_log()
    specification = (await original.call("GET", f"{path}/specification"))["specification"]
    assert specification == stored.retrieve_specification()
    for item in stored.results.items():
        result = (await original.call("GET", f"{path}/job/{item}/result"))["result"]
        assert result == stored.results.retrieve_result(item)
        hwinfo = (await original.call("GET", f"{path}/job/{item}/hwinfo"))["hwinfo"]
        assert hwinfo == stored.results.retrieve_hwinfo(item)
    status = await original.get_inspection_status(name)
    assert (status["data_stored"], status["workflow"]["phase"]) == (True, "Succeeded")
    figures = (await original.call("GET", f"{path}/statistics"))["statistics"]
    assert figures["counts"]["counted"] == len(stored.results.items())
    assert (await original.call("GET", f"{path}/containerfile"))["containerfile"].startswith("FROM ")

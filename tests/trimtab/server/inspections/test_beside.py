"""What the original lacks: lists with filters, reports, figures, comparison, changes."""

import pytest

from trimtab.catalog import inspections as catalog

FIRST = "inspection-matmul-260101000000-0000000000000001"
SECOND = "inspection-conv-260101000001-0000000000000002"
UNKNOWN = "inspection-260101000000-ffffffffffffffff"


def run(elapsed):
    times = {"start_datetime": "2026-01-01T00:00:01", "end_datetime": "2026-01-01T00:00:02"}
    return {"exit_code": 0, **times, "stdout": {"@result": {"elapsed": elapsed}}, "stderr": ""}


async def test_the_list_tells_states_and_has_the_newest_first(root, conclude, queue, place):
    conclude(FIRST)
    queue(SECOND, identifier="conv")
    answer = (await root.get("/api/v1/inspections")).json()
    found = [(each["id"], each["state"]) for each in answer["inspections"]]
    assert found == [(FIRST, "succeeded"), (SECOND, "queued")]
    assert answer["parameters"] == {"page": 1, "limit": 100}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"state": "succeeded"}, [FIRST]),
        ({"state": "queued"}, [SECOND]),
        ({"words": "conv"}, [SECOND]),
        ({"words": "matm"}, [FIRST]),
        ({"base": "other/base:1"}, [SECOND]),
        ({"package": "numpy==1.26.4"}, [SECOND]),
        ({"package": "numpy==1.0"}, []),
        ({"hardware": "xeon"}, [FIRST]),
        ({"hardware": "epyc"}, []),
        ({"words": "\x00"}, []),
    ],
)
async def test_both_lists_are_narrowed(root, conclude, queue, asked, found):
    conclude(FIRST)
    lock = {"lock": {"requirements.txt": "numpy==1.26.4 --hash=sha256:0"}}
    queue(SECOND, identifier="conv", base="other/base:1", python=lock)
    assert (await root.get("/api/v1/inspect", params=asked)).json()["inspections"] == found
    rows = (await root.get("/api/v1/inspections", params=asked)).json()
    assert [each["id"] for each in rows["inspections"]] == found
    assert rows["parameters"] == {"page": 1, "limit": 100} | asked


@pytest.mark.parametrize("asked", [{"state": "fine"}, {"page": "x"}, {"limit": "1e3"}, {"words": "x" * 501}])
async def test_a_filter_that_cannot_be_is_a_bad_request(root, asked):
    response = await root.get("/api/v1/inspections", params=asked)
    assert response.status_code == 400
    assert next(iter(asked)) in response.json()["error"]


async def test_the_report_of_what_is_over_is_its_document(root, conclude, place):
    answer = (await root.get(f"/api/v1/inspect/{conclude()}/report")).json()
    assert answer["report"] == place.inspections[FIRST].retrieve_report()


async def test_the_report_of_what_goes_on_is_made_of_rows(root, queue):
    report = (await root.get(f"/api/v1/inspect/{queue(state='building')}/report")).json()["report"]
    assert (report["state"], report["runs"]) == ("building", [])


async def test_the_containerfile_is_there_before_and_after_the_build(root, conclude, queue):
    queue(SECOND)
    before = (await root.get(f"/api/v1/inspect/{SECOND}/containerfile")).json()["containerfile"]
    assert before.startswith("FROM registry.example/python:3.11\nUSER 0\n")
    after = (await root.get(f"/api/v1/inspect/{conclude()}/containerfile")).json()["containerfile"]
    assert after == "FROM registry.example/python:3.11\n"


async def test_hardware_of_a_run(root, conclude):
    answer = (await root.get(f"/api/v1/inspect/{conclude()}/job/0/hwinfo")).json()
    assert answer["hwinfo"]["cpu_type"] == {"ncpus": 36}
    missing = await root.get(f"/api/v1/inspect/{FIRST}/job/7/hwinfo")
    assert (missing.status_code, "item 7" in missing.json()["error"]) == (404, True)


async def test_statistics_count_what_was_lost(root, conclude):
    conclude(results=(run(1.0), None, run(1.2)))
    answer = (await root.get(f"/api/v1/inspect/{FIRST}/statistics")).json()["statistics"]
    assert answer["counts"] == {"counted": 2, "failed": 0, "lost": 1, "warm-up": 0}
    assert answer["primary"] == "stdout__@result__elapsed"


async def test_statistics_of_what_has_not_run_yet(root, queue):
    answer = await root.get(f"/api/v1/inspect/{queue()}/statistics")
    assert answer.json()["statistics"]["counts"]["counted"] == 0


@pytest.mark.parametrize(
    "asked", [{"confidence": 0}, {"confidence": 1}, {"half_width": -1}, {"confidence": "nan"}]
)
async def test_figures_that_cannot_be_asked_for(root, conclude, asked):
    assert (await root.get(f"/api/v1/inspect/{conclude()}/statistics", params=asked)).status_code == 400


async def test_two_are_compared(root, conclude):
    conclude(FIRST, results=tuple(run(1.0 + n / 100) for n in range(8)))
    conclude(SECOND, results=tuple(run(2.0 + n / 100) for n in range(8)))
    answer = (await root.get(f"/api/v1/inspect/{FIRST}/compare/{SECOND}")).json()
    assert answer["comparison"]["verdict"] == "slower"
    assert answer["parameters"] == {"inspection_id": FIRST, "other_id": SECOND}
    same = (await root.get(f"/api/v1/inspect/{FIRST}/compare/{FIRST}")).json()
    assert same["comparison"]["verdict"] == "no difference shown"
    assert (await root.get(f"/api/v1/inspect/{FIRST}/compare/{UNKNOWN}")).status_code == 404


async def test_what_is_over_is_deleted_with_all_of_it(root, conclude, place):
    assert (await root.delete(f"/api/v1/inspect/{conclude()}")).json() == {
        "parameters": {"inspection_id": FIRST}
    }
    assert place.inspections.begun() == []
    assert (await root.get(f"/api/v1/inspect/{FIRST}/report")).status_code == 404
    assert (await root.delete(f"/api/v1/inspect/{FIRST}")).status_code == 404


async def test_what_goes_on_is_not_deleted(root, queue):
    response = await root.delete(f"/api/v1/inspect/{queue(state='running')}")
    assert response.status_code == 409
    assert "cancel it first" in response.json()["error"]


async def test_an_inspection_is_cancelled(root):
    name = (await root.post("/api/v1/inspect", json={"base": "a"})).json()["inspection_id"]
    response = await root.post(f"/api/v1/inspect/{name}/cancel")
    assert response.status_code == 202
    assert response.json()["parameters"] == {"inspection_id": name}


async def test_what_is_over_is_not_cancelled(root, conclude):
    response = await root.post(f"/api/v1/inspect/{conclude()}/cancel")
    assert response.status_code == 409
    assert "succeeded" in response.json()["error"]


async def test_an_inspection_is_made_once_more(root, conclude, place):
    answer = await root.post(f"/api/v1/inspect/{conclude()}/retry")
    assert answer.status_code == 202
    again = answer.json()["inspection_id"]
    assert again.startswith("inspection-matmul-")
    with place.database.read() as connection:
        assert catalog.by_id(connection, again)["state"] == "queued"
        assert catalog.by_id(connection, FIRST)["state"] == "succeeded"


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("GET", "report"),
        ("GET", "containerfile"),
        ("GET", "statistics"),
        ("GET", "job/0/hwinfo"),
        ("GET", "wait"),
        ("GET", "events"),
        ("POST", "cancel"),
        ("POST", "retry"),
    ],
)
async def test_an_unknown_inspection_is_404_whatever_it_is_called(root, method, name):
    for inspection_id in (UNKNOWN, "..", "a%00b", "%ED%A0%80", "x" * 300, "a b", "%2e%2e%2fx"):
        response = await root.request(method, f"/api/v1/inspect/{inspection_id}/{name}")
        assert response.status_code == 404
        assert "error" in response.json()


async def test_documents_of_others_are_answered_whatever_is_in_them(root, conclude):
    """Older results have NaN, and texts may have halves of surrogate pairs."""
    odd = {"exit_code": 0, "stdout": {"a": "\ud800", "b": None}, "stderr": "\x00"}
    conclude(results=(odd,))
    answer = await root.get(f"/api/v1/inspect/{FIRST}/job/0/result")
    assert answer.json()["result"]["stdout"]["a"] == "\ud800"


async def test_what_only_the_store_has_is_shown_to_admins(callers, conclude, place):
    """As documents of the original are before `trimtab catalog rebuild`."""
    conclude()
    with place.database.write() as connection:
        catalog.delete(connection, FIRST)
    path = f"/api/v1/inspect/{FIRST}/job/0/result"
    assert (await callers["root"].get(path)).status_code == 200
    assert (await callers["alice"].get(path)).status_code == 404
    assert (await callers["root"].get(f"/api/v1/inspect/{FIRST}/job/batch-size")).json()["batch_size"] == 3
    status = (await callers["root"].get(f"/api/v1/inspect/{FIRST}/status")).json()["status"]
    assert (status["state"], status["data_stored"]) == ("unknown", True)

"""Store, catalog or engine out of reach: 503 and when to come again, whatever was asked."""

import pytest
from fastapi import FastAPI

from trimtab import catalog, engines, store
from trimtab.inspection import SpecificationError
from trimtab.server import errors
from trimtab.server.script import ScriptError

FIRST = "inspection-matmul-260101000000-0000000000000001"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/inspect"),
        ("GET", "/api/v1/inspections"),
        ("POST", "/api/v1/inspect"),
        ("GET", f"/api/v1/inspect/{FIRST}/status"),
        ("GET", f"/api/v1/inspect/{FIRST}/wait"),
        ("GET", f"/api/v1/inspect/{FIRST}/events"),
        ("POST", f"/api/v1/inspect/{FIRST}/cancel"),
        ("DELETE", f"/api/v1/inspect/{FIRST}"),
    ],
)
async def test_without_its_tables_nothing_is_a_defect(root, place, method, path):
    with place.database.write() as connection:
        for table in ("runs", "inspection_words", "specifications", "submissions", "inspections"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
    body = {"json": {"base": "a"}} if path == "/api/v1/inspect" and method == "POST" else {}
    response = await root.request(method, path, **body)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert set(response.json()) == {"error", "parameters"}


async def test_a_store_in_which_something_is_in_the_way(root, conclude, tmp_path):
    """A folder that is a file: the rows still are answered, and documents are not there."""
    conclude()
    folder = tmp_path / "store" / "test" / "inspections" / FIRST / "results" / "0"
    for each in folder.iterdir():
        each.unlink()
    folder.rmdir()
    folder.write_text("in the way")
    assert (await root.get("/api/v1/inspections")).status_code == 200
    response = await root.get(f"/api/v1/inspect/{FIRST}/job/0/result")
    assert response.status_code in {404, 503}


async def test_a_document_that_was_torn_is_named(root, conclude, tmp_path):
    conclude()
    (tmp_path / "store" / "test" / "inspections" / FIRST / "results" / "0" / "result").write_bytes(b"{")
    response = await root.get(f"/api/v1/inspect/{FIRST}/job/0/result")
    assert response.status_code == 500
    assert "no JSON document" in response.json()["error"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (store.UnreachableError("away"), 503),
        (store.AccessError("refused"), 503),
        (store.FullError("full"), 503),
        (store.ReadOnlyError("read-only"), 503),
        (store.TooLargeError("large"), 413),
        (store.NotFoundError("none"), 404),
        (store.DocumentError("torn"), 500),
        (catalog.UnavailableError("away"), 503),
        (engines.EngineUnavailableError("none"), 503),
        (SpecificationError([]), 400),
        (ScriptError("http://x/", "why"), 400),
    ],
)
def test_each_error_has_its_code(make_client, error, code):
    app = FastAPI()
    errors.install(app)

    @app.get("/")
    def fail():
        raise error

    response = make_client(app)("GET", "/")
    assert response.status_code == code
    assert ("Retry-After" in response.headers) is (code == 503)

"""Stores of both kinds: every test of one is a test of the other."""

import os
import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import obstore
import pytest
from obstore.store import S3Store

from trimtab.store import Inspections, InspectionStore, Store

BUCKET = "trimtab-tests"
DEPLOYMENT = "test"
# Read here: a fixture takes what begins with TRIMTAB_ from the environment.
SHARED = Path(os.environ.get("TRIMTAB_SHARED") or Path(__file__).parents[4] / "shared")


@pytest.fixture(scope="session")
def s3_url() -> str:
    """A bucket of a real S3 server: AWS_ENDPOINT_URL and credentials say which."""
    if not os.environ.get("AWS_ENDPOINT_URL"):
        pytest.skip("no S3 server: set AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    bucket = S3Store(BUCKET, client_options={"allow_http": True})
    made = httpx2.put(obstore.sign(bucket, "PUT", "", timedelta(minutes=1)))
    assert made.status_code in {200, 409}, made.text
    return f"s3://{BUCKET}"


@pytest.fixture(params=["directory", pytest.param("s3", marks=pytest.mark.integration)])
def store_url(request, tmp_path) -> Iterator[str]:
    """An empty store of each kind."""
    if request.param == "directory":
        yield str(tmp_path / "store")
        return
    url = f"{request.getfixturevalue('s3_url')}/{secrets.token_hex(8)}"
    yield url
    store = Store.open(url)
    for each in list(store.list()):
        store.delete(each.key)


@pytest.fixture
def store(store_url) -> Store:
    return Store.open(store_url)


@pytest.fixture
def directory(tmp_path) -> Store:
    return Store.open(str(tmp_path / "store"))


@pytest.fixture
def inspections(store) -> Inspections:
    return Inspections(store, DEPLOYMENT)


@pytest.fixture
def write(inspections) -> Callable[..., InspectionStore]:
    """Writes an inspection as the workflow does, up to its end."""

    def write_(
        inspection_id: str = "inspection-a-210101000000-0123456789abcdef", runs: int = 2
    ) -> InspectionStore:
        inspection = inspections[inspection_id]
        inspection.build.store_build(b"built\n", "FROM scratch\n")
        for item in range(runs):
            result = {"exit_code": 0, "stdout": {"item": item}}
            inspection.results.store_run(item, result, hwinfo={"cpu_info": {}}, log=b"log\n")
        inspection.conclude({"base": "scratch", "batch_size": runs}, {"state": "succeeded", "owner": ""})
        return inspection

    return write_


@pytest.fixture
def originals() -> Path:
    """What the original left: see CONTRIBUTING.md."""
    place = SHARED / "data"
    if not place.is_dir():
        pytest.skip(f"no data of the original at {place}: set TRIMTAB_SHARED")
    return place

"""Inspections in the catalog, and their documents in a store."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trimtab.catalog import Database, Documents, RunDocuments, record
from trimtab.store import Inspections, Store

DEPLOYMENT = "test"
# Read here: a fixture takes what begins with TRIMTAB_ from the environment.
SHARED = Path(os.environ.get("TRIMTAB_SHARED") or Path(__file__).parents[4] / "shared")
XEON = {
    "cpu_info": {
        "brand_raw": "Intel(R) Xeon(R) Gold 6140",
        "vendor_id_raw": "GenuineIntel",
        "family": 6,
        "model": 85,
    },
    "cpu_type": {"ncpus": 36},
}
EPYC = {
    "cpu_info": {"brand_raw": "AMD EPYC 7763", "vendor_id_raw": "AuthenticAMD", "family": 25, "model": 1},
    "cpu_type": {"ncpus": 64},
}
RESULT = {
    "exit_code": 0,
    "start_datetime": "2021-01-01T00:01:00.000000",
    "end_datetime": "2021-01-01T00:01:02.500000",
    "usage": {"ru_utime": 1.5, "ru_stime": 0.25, "ru_maxrss": 1000},
    "runtime_environment": {
        "python_version": "3.11",
        "operating_system": {"name": "rhel", "version": "9"},
        "cuda_version": None,
    },
    "stdout": {
        "name": "PiMatmul",
        "component": "tensorflow",
        "@result": {"elapsed": 12.5, "rate": 57},
        "overall_score": 0.5,
    },
}


@pytest.fixture
def any_database(database_url, open_database) -> Database:
    """An empty database of each kind."""
    return open_database(database_url)


@pytest.fixture
def inspections(tmp_path) -> Inspections:
    return Inspections(Store.open(str(tmp_path / "store")), DEPLOYMENT)


@pytest.fixture
def originals() -> Inspections:
    """The data set of the original; see CONTRIBUTING.md."""
    place = SHARED / "data" / "amun-inspection"
    if not place.is_dir():
        pytest.skip(f"no data of the original at {place}: set TRIMTAB_SHARED")
    return Inspections(Store.open(str(place)), None)


def specification(*packages: str, **more: Any) -> dict[str, Any]:
    """A specification that locks packages, each written as `name==version`."""
    locked = {
        name: {"version": f"=={version}"} for name, _, version in (each.partition("==") for each in packages)
    }
    return {
        "base": "fedora:40",
        "batch_size": 2,
        "script": "#!/bin/sh",
        "python": {"requirements_locked": {"default": locked}},
    } | more


@pytest.fixture
def fill(any_database) -> Callable[..., str]:
    """Records an inspection that is over."""

    def fill_(inspection_id: str, *packages: str, created: int = 0, hwinfo: Any = XEON, **report: Any) -> str:
        base = report.pop("base", "fedora:40")
        run = RunDocuments(0, RESULT, hwinfo)
        told = {"state": "succeeded", "owner": "", "created": f"2021-01-01T00:00:{created:02}+00:00"} | report
        with any_database.write() as connection:
            record(connection, Documents(inspection_id, specification(*packages, base=base), told, (run,)))
        return inspection_id

    return fill_

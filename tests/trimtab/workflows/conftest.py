"""A place in a directory, and inspections in it that the process engine really makes."""

import json

import pytest

from trimtab.catalog import Database
from trimtab.engines import ProcessEngine, ProcessSettings
from trimtab.inspection import Specification
from trimtab.store import Inspections, Store
from trimtab.workflows import Journal, Patience, Place, Submission
from trimtab.workflows.work import Work

DOCUMENT = {
    "base": "registry.example/python:3.11",
    "batch_size": 2,
    "run": {"requests": {"cpu": "1", "memory": "256Mi"}, "timeout": 30},
    "script": "#!/bin/sh\necho hello\n",
}


@pytest.fixture
def place(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'trimtab.sqlite'}")
    yield Place(database, Inspections(Store.open(str(tmp_path / "store")), "test"), tmp_path / "home")
    database.close()


@pytest.fixture(scope="session")
def engine_state(tmp_path_factory):
    """One for all tests: an environment without packages is built once."""
    return tmp_path_factory.mktemp("engine")


@pytest.fixture
def make_work(place, engine_state):
    """Makes the work of an inspection, whose journal is not held yet."""

    def make(engine=None, watcher=None, **changes):
        specification = Specification.parse(json.dumps(DOCUMENT | changes))
        submission = Submission.of(specification, "process", deployment="test")
        engine = engine or ProcessEngine(engine_state, ProcessSettings(groups=False))
        options = {} if watcher is None else {"watcher": watcher}
        journal = Journal(place.work / submission.id)
        return Work(place, engine, journal, submission, patience=Patience(3, 0.0), **options)

    return make

"""Documents that anybody may have written: a report and rows are made of them, whatever is in them."""

import copy
import tempfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trimtab.inspection.frames import Spool, rows
from trimtab.inspection.report import read, words
from trimtab.store import Inspections, Store

ID = "inspection-a-210101000000-0123456789abcdef"
SPECIFICATION = {
    "base": "registry.example/python:3.11",
    "batch_size": 2,
    "script": "#!/bin/sh\n",
    "packages": ["which"],
    "files": [{"path": "a", "content": "b"}],
    "environment": [{"name": "A", "value": "b"}],
    "python": {
        "lock": {"requirements.txt": "six==1.16.0\n"},
        "requirements_locked": {"default": {"six": {}}},
    },
    "run": {
        "requests": {"cpu": "1", "hardware": {"cpu_family": 6}},
        "timeout": 3,
        "isolation": {"network": True},
    },
}
REPORT = {
    "state": "failed",
    "engine": {"name": "process", "version": "1", "images": False, "cpu": None, "warnings": ["a"]},
    "build": {"digest": "sha256:0", "seconds": 2.5, "left_out": ["b"]},
    "runs": [
        {"item": 0, "attempt": 1, "state": "lost", "lost": "gone", "failure": {"kind": "infrastructure"}},
        {"item": 0, "attempt": 2, "state": "succeeded", "notes": ["c"], "started": "2026-11-26T10:00:00"},
        {
            "item": 1,
            "attempt": 1,
            "state": "failed",
            "failure": {"kind": "script", "reason": "d", "lines": ["e"]},
        },
    ],
    "failure": {"kind": "script", "reason": "d", "lines": ["e"]},
    "started": "2026-11-26T10:00:00+00:00",
    "ended": "2026-11-26T10:01:00+00:00",
}
_LEAF = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["\ud800", "9" * 400, "2026-11-26T10:00:00", -1, 10**30, 1e308])
)
_ANYTHING = st.recursive(
    _LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def places(value, path=()):
    """Every place in a document."""
    yield path
    for key, each in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from places(each, (*path, key))


def changed(document, path, value):
    """The same with another value in one place."""
    if not path:
        return value if isinstance(value, dict) else document
    found = copy.deepcopy(document)
    here = found
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = value
    return found


@pytest.fixture
def documents(make_result):
    return {
        "specification": SPECIFICATION,
        "report": REPORT,
        "result": make_result(exit_code=1, stderr="no\n"),
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(data=st.data())
def test_a_document_with_anything_anywhere_is_read(documents, data):
    """One place of one document is whatever JSON can be."""
    name = data.draw(st.sampled_from(sorted(documents)))
    path = data.draw(st.sampled_from(list(places(documents[name]))))
    told = documents | {name: changed(documents[name], path, data.draw(_ANYTHING))}
    with tempfile.TemporaryDirectory() as folder:
        inspections = Inspections(Store.open(folder), None)
        stored = inspections[ID]
        stored.build.store_build(b"one\n", "FROM base\n")
        for item in (0, 1):
            stored.results.store_run(item, told["result"])
        stored.conclude(told["specification"], told["report"])
        report = read(stored)
        assert all(
            isinstance(each, str)
            for each in [words.headline(report), words.spent(report), *words.summary(report)]
        )
        with Spool.of(rows(inspections)) as spool:
            assert spool.count >= 2
            assert sum(batch.num_rows for batch in spool.batches()) == spool.count
        with Spool.of(rows(inspections, per="inspection")) as spool:
            assert spool.count == 1

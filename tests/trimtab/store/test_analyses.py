"""The adapters of builds: the original's keys and methods, and its documents."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from trimtab.store import (
    AnalysesCacheStore,
    AnalysisByDigest,
    AnalysisResultsStore,
    BuildLogsAnalysesCacheStore,
    BuildLogsParsedResultsStore,
    BuildLogsStore,
    BuildsStore,
    CacheMissError,
    DocumentError,
    InvalidKeyError,
    NotFoundError,
    ObservationResultsStore,
    buildlog_id,
    check,
)

DATA = Path(os.environ.get("TRIMTAB_TEST_DATA", "/work/shared/data"))
DIGEST = f"sha256:{64 * '0'}"
LOG = {"log": "one\ntwo\n", "apiversion": None, "kind": "BuildLog", "metadata": None}
ID = "package-extract-261127061500-0123456789abcdef"


def test_a_log_is_named_by_its_content(store):
    logs = BuildLogsStore(store, "test")
    name = logs.store_document(LOG)
    assert name == logs.store_document(dict(reversed(LOG.items()))) == buildlog_id(LOG)
    kept = store.get(f"test/buildlogs/{name}")
    assert name == f"buildlog-{hashlib.sha256(kept).hexdigest()}"
    assert logs.retrieve_document(name) == LOG
    assert list(logs.get_document_listing()) == [name]
    with pytest.raises(NotFoundError, match="named by its content"):
        logs.store_document(LOG, "other")
    with pytest.raises(DocumentError):
        logs.store_document({"log": float("nan")})


@pytest.mark.parametrize(
    ("kind", "folder"),
    [(AnalysesCacheStore, "analysis-cache"), (BuildLogsAnalysesCacheStore, "buildlogs-analysis-cache")],
)
def test_a_cache_says_what_is_known_and_raises_if_nothing_is(store, kind, folder):
    cache = kind(store, "test")
    key = f"{DIGEST}+{64 * 'a'}"
    for ask in (cache.retrieve_document_record, cache.retrieve_document_ttl):
        with pytest.raises(CacheMissError):
            ask(key)
    cache.store_document_record(key, {"analysis_id": ID})
    assert cache.retrieve_document_record(key) == {"analysis_id": ID}
    assert 4 * 3600 - 60 < cache.retrieve_document_ttl(key) <= 4 * 3600
    assert store.exists(f"test/{folder}/{key}")
    with pytest.raises(InvalidKeyError):
        cache.store_document_record("../elsewhere", {})


@pytest.mark.parametrize(
    ("kind", "folder"),
    [
        (AnalysisResultsStore, "analysis"),
        (BuildLogsParsedResultsStore, "buildlogs-parsed"),
        (ObservationResultsStore, "observations"),
    ],
)
def test_results_are_documents_of_analyzers_with_their_requests(store, kind, folder):
    results = kind(store, "test")
    document = {"metadata": {"document_id": ID}, "result": {}}
    assert results.store_document(document) == ID
    results.store_request(ID, {"image": "a"})
    assert results.retrieve_document(ID) == document
    assert list(results.get_document_listing()) == [ID]
    assert store.exists(f"test/{folder}/{ID}.request")


def test_of_two_writers_the_first_has_decided(store):
    results = AnalysisResultsStore(store, "test")
    first = {"metadata": {"document_id": ID}, "result": {"by": 1}}
    assert results.put_once(first, ID) == first
    assert results.put_once(first | {"result": {"by": 2}}, ID) == first
    builds = BuildsStore(store, "test")
    assert (
        builds.put_once({"a": 1}, "build-analysis-1")
        == builds.put_once({"a": 2}, "build-analysis-1")
        == {"a": 1}
    )


def test_the_newest_analysis_is_found_by_the_digest_of_the_image(store):
    known = AnalysisByDigest(store, "test")
    known.store_document({"analysis_id": ID, "cached": False}, DIGEST)
    assert known.retrieve_document(DIGEST)["analysis_id"] == ID
    assert store.exists(f"test/analysis-by-digest/{DIGEST}")


@pytest.mark.skipif(not DATA.is_dir(), reason="the documents of the original are not here")
def test_documents_of_the_original_are_read(store):
    path = next((DATA / "package-extract").glob("*.json"))
    document = json.loads(path.read_text())
    name = AnalysisResultsStore(store, "smaug-prod").store_document(document)
    assert name == document["metadata"]["document_id"]
    assert AnalysisResultsStore(store, "smaug-prod").retrieve_document(name) == document
    for each in (DATA / "buildlogs" / "s2i-micropipenv").glob("*.json"):
        result = json.loads(each.read_text())
        whole = result if "metadata" in result else {"metadata": {}, "result": result}
        parsed = BuildLogsParsedResultsStore(store, "smaug-prod")
        parsed.store_document(whole, "buildlog-parser-221214000000-0123456789abcdef")
        assert parsed.retrieve_document("buildlog-parser-221214000000-0123456789abcdef") == whole


def test_what_is_wrong_with_documents_of_builds_is_found(store):
    logs, results = BuildLogsStore(store, "test"), AnalysisResultsStore(store, "test")
    name = logs.store_document(LOG)
    results.store_document({"metadata": {"document_id": ID}, "result": {}})
    BuildsStore(store, "test").put_once({"build_log": {"document_id": name}}, "build-analysis-1")
    assert list(check(store, "test")) == []
    store.put(f"test/analysis/{ID}", b'{"metadata": ')
    store.put(f"test/buildlogs/{name}", b"{}")
    other = f"buildlog-{64 * '0'}"
    BuildsStore(store, "test").put_once({"build_log": {"document_id": other}}, "build-analysis-2")
    found = {each.key: each.kind for each in check(store, "test")}
    assert found == {
        f"test/analysis/{ID}": "torn",
        f"test/buildlogs/{name}": "torn",
        f"test/buildlogs/{other}": "missing",
    }

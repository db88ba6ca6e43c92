"""Documents of analyzers, and the requests they answer."""

from datetime import date

import pytest

from trimtab.store import (
    DependencyMonkeyRequestsStore,
    DocumentError,
    DocumentStore,
    NotFoundError,
    ResultStore,
)

IDS = [
    "package-extract-200101235959-0123456789abcdef",
    "package-extract-200102000000-0123456789abcdef",
    "package-extract-200103120000-0123456789abcdef",
]


@pytest.fixture
def results(store) -> ResultStore:
    found = ResultStore(store, "test", "package-extract")
    for each in IDS:
        found.store_document({"metadata": {"document_id": each}, "result": {}})
        found.store_request(each, {"image": each})
    found.store_request("package-extract-200104000000-0123456789abcdef", {})
    return found


def test_documents_and_requests_are_beside_each_other_and_told_apart(results, store):
    assert sorted(results.get_document_listing()) == IDS
    assert len(list(results.get_document_listing(only_requests=True))) == 4
    assert results.get_document_count() == 3
    assert {name: document["metadata"]["document_id"] for name, document in results.iterate_results()} == {
        each: each for each in IDS
    }
    assert results.retrieve_request(IDS[0]) == {"image": IDS[0]}
    assert results.request_exists(IDS[0])
    assert not results.request_exists("other")
    assert store.exists(f"test/package-extract/{IDS[0]}.request")


@pytest.mark.parametrize(
    ("dates", "which"),
    [
        ({"start_date": date(2020, 1, 2)}, [1, 2]),
        ({"end_date": date(2020, 1, 2)}, [0]),
        ({"end_date": date(2020, 1, 2), "include_end_date": True}, [0, 1]),
        ({"start_date": date(2020, 1, 2), "end_date": date(2020, 1, 3)}, [1]),
        ({"start_date": date(2021, 1, 1)}, []),
    ],
)
def test_a_day_is_looked_for_within_the_id(results, dates, which):
    """The original looked for it right behind the kind, where it never is."""
    assert sorted(results.get_document_listing(**dates)) == [IDS[each] for each in which]
    assert sorted(name for name, _ in results.iterate_results(**dates)) == [IDS[each] for each in which]


def test_an_id_without_a_day_is_in_no_span(results):
    results.store_document({"metadata": {}, "result": 1}, "odd")
    results.store_document({"metadata": {}, "result": 1}, "odd-209999000000-ab")
    assert results.get_document_count() == 5
    assert results.get_document_count(start_date=date(2000, 1, 1)) == 3


@pytest.mark.parametrize(
    "document",
    [{}, {"metadata": {}}, {"metadata": {"document_id": None}, "result": 1}, {"metadata": 1, "result": 1}],
)
def test_what_no_analyzer_writes_is_refused(results, document):
    with pytest.raises(DocumentError):
        results.store_document(document)


def test_the_kind_may_be_that_of_the_class(store):
    DependencyMonkeyRequestsStore(store, "test").store_request("dependency-monkey-1", {"count": 1})
    assert store.exists("test/dependency-monkey-requests/dependency-monkey-1.request")


def test_blobs_files_and_texts_have_a_name_below_the_prefix(store, tmp_path):
    (tmp_path / "file").write_bytes(b"\xff")
    documents = DocumentStore(store, "test/kind")
    documents.connect()
    assert documents.is_connected()
    documents.store_file(tmp_path / "file", "a/file")
    documents.store_blob("text", "a/text")
    documents.store_document({"a": 1}, "b")
    assert sorted(documents.get_document_listing()) == ["a/file", "a/text", "b"]
    assert sorted(documents.get_document_listing("a/")) == ["a/file", "a/text"]
    assert documents.retrieve_blob("a/file") == b"\xff"
    assert list(documents.iterate_results("b")) == []
    assert documents.document_exists("b")
    documents.delete("b")
    with pytest.raises(NotFoundError):
        documents.retrieve_document("b")
    with pytest.raises(DocumentError):
        list(documents.iterate_results("a"))


def test_without_a_prefix_names_are_keys(store):
    documents = DocumentStore(store)
    documents.store_document({"a": 1}, "a/b")
    assert dict(documents.iterate_results()) == {"a/b": {"a": 1}}

"""The adapters of amun.md chapter 8, name by name."""

import pytest

from trimtab.store import (
    DependencyMonkeyReportsStore,
    DependencyMonkeyRequestsStore,
    DocumentStore,
    InspectionBuildsStore,
    InspectionResultsStore,
    InspectionStore,
    NotFoundError,
    ResultStore,
    Store,
)

LOW = (
    "connect is_connected check_connection get_document_listing store_file store_blob retrieve_blob store_document "
    "retrieve_document document_exists delete iterate_results"
)
INSPECTION = "connect is_connected check_connection exists retrieve_specification iter_inspections get_inspection_count"
RESULTS = "get_results_count retrieve_hwinfo retrieve_log retrieve_result iter_inspection_results"
GENERIC = (
    "store_document retrieve_document document_exists get_document_listing get_document_count iterate_results "
    "store_request retrieve_request request_exists store_file"
)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (DocumentStore, LOW),
        (InspectionStore, INSPECTION),
        (InspectionBuildsStore, f"{LOW} retrieve_dockerfile retrieve_log retrieve_specification"),
        (InspectionResultsStore, f"{LOW} {RESULTS}"),
        (ResultStore, GENERIC),
        (DependencyMonkeyRequestsStore, GENERIC),
        (DependencyMonkeyReportsStore, f"{GENERIC} iterate_inspection_ids"),
    ],
)
def test_each_adapter_has_the_names_of_the_original(kind, names):
    assert [name for name in names.split() if not callable(getattr(kind, name, None))] == []


def test_a_run_is_had_by_its_number_and_all_by_iteration(inspections):
    results = inspections["inspection-a"].results
    for item in (0, 2):
        results.store_run(item, {"exit_code": item})
    assert results[2] == results.retrieve_result(2) == {"exit_code": 2}
    assert list(results) == [{"exit_code": 0}, {"exit_code": 2}]
    with pytest.raises(NotFoundError):
        results[1]
    assert list(inspections["inspection-b"].results) == []


def test_without_a_store_an_adapter_takes_the_one_that_the_settings_name(monkeypatch, tmp_path):
    """As a notebook writes it, which knows of no bucket."""
    monkeypatch.setenv("TRIMTAB_STORE_URL", str(tmp_path))
    monkeypatch.setenv("TRIMTAB_DEPLOYMENT", "smaug")
    requests = DependencyMonkeyRequestsStore()
    requests.store_request("dependency-monkey-200101000000-0123", {"count": 3})
    key = "smaug/dependency-monkey-requests/dependency-monkey-200101000000-0123.request"
    assert [each.key for each in Store.open(str(tmp_path)).list()] == [key]

"""`trimtab catalog rebuild` makes observations anew from the documents of the store."""

import pytest
import sqlalchemy as sa

from trimtab.catalog import observation_schema as tables
from trimtab.catalog.observations import failure_rates, record_analysis, record_build
from trimtab.catalog.observations.replaying import replay
from trimtab.store import DocumentStore

LOG = {"metadata": {"document_id": "buildlog-parser-1"}, "result": {"outcome": "failed", "installation": []}}
BUILD = {
    "analysis_id": "build-analysis-1",
    "base_image": {"reference": "registry.example/base:1"},
    "build_log": {"document_id": "log-1", "analysis_id": "buildlog-parser-1"},
    "build": {"phase": "failed"},
}
IMAGE = {"metadata": {"document_id": "package-extract-1"}, "result": {"deb": [{"name": "a", "version": "1"}]}}


@pytest.fixture
def documents(inspections):
    def put(prefix, name, document):
        DocumentStore(inspections.store, f"{inspections.deployment}/{prefix}").store_document(document, name)

    return put


def rebuilt(database, inspections):
    return sorted(
        (each.inspection_id, each.change)
        for each in replay(database, inspections.store, inspections.deployment)
    )


def test_all_documents_are_recorded(database, inspections, documents):
    documents("builds", "build-analysis-1.json", BUILD)
    documents("buildlogs-parsed", "buildlog-parser-1", LOG)
    documents("analysis", "package-extract-1", IMAGE)
    documents("analysis", "package-extract-1.request", {"image": "x"})
    expected = [(name, "written") for name in ("build-analysis-1", "buildlog-parser-1", "package-extract-1")]
    for _ in range(2):
        assert rebuilt(database, inspections) == expected
        with database.read() as connection:
            assert [(each.base, each.failures.n) for each in failure_rates(connection).items] == [
                ("registry.example/base:1", 1)
            ]


def test_what_is_gone_is_forgotten(database, inspections, documents):
    documents("buildlogs-parsed", "buildlog-parser-1", LOG)
    with database.write() as connection:
        record_build(connection, BUILD)
        record_analysis(connection, LOG)
    assert rebuilt(database, inspections) == [
        ("build-analysis-1", "removed"),
        ("buildlog-parser-1", "written"),
    ]
    with database.read() as connection:
        assert connection.execute(sa.select(tables.builds.c.document_id)).scalars().all() == [
            "buildlog-parser-1"
        ]


def test_what_cannot_be_read_stops_no_other(database, inspections, documents):
    inspections.store.put(f"{inspections.deployment}/analysis/package-extract-0", b"{torn")
    documents("analysis", "no-analysis", {"some": "document"})
    documents("analysis", "package-extract-1", IMAGE)
    assert rebuilt(database, inspections) == [
        ("no-analysis", "refused"),
        ("package-extract-0", "refused"),
        ("package-extract-1", "written"),
    ]


def test_a_name_stands_for_an_id_that_is_not_told(database, inspections, documents):
    documents(
        "buildlogs-parsed", "buildlog-parser-7", {"metadata": {"document_id": None}, "result": LOG["result"]}
    )
    assert rebuilt(database, inspections) == [("buildlog-parser-7", "written")]

"""Documents of all ages, and hostile ones."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.catalog.observations import (
    ImagesWanted,
    NamelessError,
    drift,
    failure_rates,
    first_bad_version,
    images_holding,
    most_frequent_breakers,
    neighbours_of_build,
    observed,
    only_in_failures,
    record_analysis,
    record_build,
)
from trimtab.catalog.observations.build_document import build_facts
from trimtab.catalog.observations.fact import named, repository
from trimtab.catalog.observations.image_document import image_facts
from trimtab.catalog.observations.log_document import log_facts

SHARED = Path(os.environ.get("TRIMTAB_SHARED") or Path(__file__).parents[5] / "shared") / "data"
HOSTILE = "'; DROP TABLE facts; --<script>alert(1)</script>\x1b[31m%s\u202e{0}$(id)"
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@pytest.fixture
def original():
    def read(name):
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"no data of the original at {path}: set TRIMTAB_SHARED")
        return json.loads(path.read_text())

    return read


def test_the_original_s_image_of_2018(database, original):
    document = original("package-extract/package-extract-centos7-tensorflow-serving.json")
    with database.write() as connection:
        record_analysis(connection, document)
        for package, kind, version in (
            ("glibc", "rpm", "2.17-157.el7_3.1"),
            ("chardet==2.2.1", "pypi", "2.2.1"),
        ):
            found = images_holding(connection, ImagesWanted(package=package, kind=kind))
            assert [each.versions for each in found.items] == [(version,)]
            assert found.items[0].reference == "radanalyticsio/tensorflow-serving-s2i"


def test_the_original_s_parsed_logs(database, original):
    """They have no id, no outcome and no errors; that nothing failed is not called success."""
    names = ("sample.upstream-output", "sample_error.upstream-output", "success_adviser_failed.result")
    with database.write() as connection:
        for name in names:
            document = original(f"buildlogs/s2i-micropipenv/{name}.json")
            whole = document if "metadata" in document else {"metadata": {}, "result": document}
            with pytest.raises(NamelessError, match="give it one"):
                record_analysis(connection, whole)
            record_analysis(connection, whole, f"buildlog-parser-{name}")
        ended = {each.document_id: each for each in observed(connection, relations=["ended"])}
        assert [ended[f"buildlog-parser-{name}"].name for name in names] == [
            "successful",
            "failed",
            "successful",
        ]
        assert {each.how for each in ended.values()} == {"inferred"}
        failed = [each for each in observed(connection, relations=["failed"]) if each.kind == "unexplained"]
        assert [(each.name, each.value) for each in failed] == [("sqlalchemy", "1.3.16")]
        rates = failure_rates(connection, kind="unexplained").items
        assert [(each.base, each.failures.n, each.failures.m) for each in rates] == [
            ("quay.io/thoth-station/s2i-thoth-ubi8-py36", 1, 3)
        ]


@given(json_values, st.sampled_from(["result", "metadata", "build", "base_image", "build_log"]))
def test_no_document_is_an_error(value, key):
    for read in (image_facts, log_facts, build_facts):
        read({key: value})
    inner = (
        "python-packages",
        "deb",
        "rpm",
        "system-symbols",
        "skopeo-inspect",
        "installation",
        "errors",
        "pipfile_lock",
    )
    for name in inner:
        image_facts({"result": {name: value}})
        log_facts({"result": {name: value, "outcome": "failed", "build_breaker": value}})


def test_hostile_names_are_names(any_database):
    """Of packages, images, symbols and ids: nothing of them is SQL."""
    error = {
        "class": HOSTILE[:32],
        "kind": "stack",
        "package": HOSTILE,
        "version": HOSTILE,
        "message": HOSTILE,
        "line": 1,
    }
    log = {
        "metadata": {"document_id": HOSTILE, "analyzer": HOSTILE},
        "result": {"outcome": "failed", "errors": [error], "build_breaker": error, "installation": [{"package_name": HOSTILE, "package_version": HOSTILE}]},
    }  # fmt: skip
    image = {
        "metadata": {"document_id": f"image {HOSTILE}", "arguments": {"extract-image": {"image": HOSTILE}}},
        "result": {
            "deb": [{"name": HOSTILE, "version": HOSTILE}],
            "system-symbols": {f"/{HOSTILE}": [HOSTILE]},
        },
    }
    build = {"analysis_id": f"build {HOSTILE}", "base_image": {"reference": HOSTILE}, "build_log": {"analysis_id": HOSTILE, "document_id": "x"}, "build": {"phase": "failed"}}  # fmt: skip
    with any_database.write() as connection:
        record_analysis(connection, log)
        record_analysis(connection, image)
        record_build(connection, build)
        page = images_holding(connection, ImagesWanted(symbol=HOSTILE, library=f"/{HOSTILE}", image=HOSTILE))
        assert [each.reference for each in page.items] == [HOSTILE]
        assert only_in_failures(connection, base=HOSTILE).items[0].version == HOSTILE
        assert most_frequent_breakers(connection, by="class").items[0].failure_class == HOSTILE[:32]
        assert first_bad_version(connection, HOSTILE).bad.first == HOSTILE
        assert failure_rates(connection).items[0].base == HOSTILE
        assert neighbours_of_build(connection, f"build {HOSTILE}").breaker.endswith(HOSTILE)
        assert drift(connection, HOSTILE, f"image {HOSTILE}").changes == ()
        assert {each.document_id for each in observed(connection)} == {
            HOSTILE,
            f"image {HOSTILE}",
            f"build {HOSTILE}",
        }


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
def test_what_no_database_holds_is_nothing_that_is_known(any_database, text):
    with any_database.write() as connection:
        record_analysis(
            connection,
            {"metadata": {"document_id": "x"}, "result": {"deb": [{"name": text, "version": text}]}},
        )
        assert images_holding(connection, ImagesWanted(image=text)).items == ()
        assert only_in_failures(connection, base=text).items == ()
        assert failure_rates(connection, base=text).items == ()
        assert first_bad_version(connection, text).tried == ()


@pytest.mark.parametrize(
    ("reference", "name", "without_tag"),
    [
        (
            "registry.example:5000/team/app:1.2",
            "registry.example:5000/team/app:1.2",
            "registry.example:5000/team/app",
        ),
        ("docker://app:1@sha256:ab", "app:1", "app"),
        (
            "registry.example:5000/app@sha256:ab",
            "registry.example:5000/app@sha256:ab",
            "registry.example:5000/app",
        ),
        ("python", "python", "python"),
    ],
)
def test_what_an_image_is_called(reference, name, without_tag):
    assert (named(reference), repository(reference)) == (name, without_tag)


def test_the_base_is_that_of_the_last_stage():
    steps = [
        {"instruction": each}
        for each in (
            "FROM --platform=linux/amd64 registry.example/a:1 AS one",
            "RUN x",
            "FROM registry.example/b:2",
            "COPY --from=one / /",
        )
    ]
    assert log_facts({"result": {"steps": steps}}).base == "registry.example/b:2"
    assert (
        log_facts({"result": {"steps": [*steps, {"instruction": "FROM one"}]}}).base == "registry.example/a:1"
    )
    assert log_facts({"result": {"steps": [{"instruction": "FROM scratch"}]}}).base == ""


def test_python_is_what_the_image_s_path_starts():
    interpreters = [
        {"path": path, "version": f"Python {version}"}
        for path, version in (("/usr/bin/python3", "3.9.2"), ("/opt/venv/bin/python3", "3.11.7"))
    ]
    result = {"python-interpreters": interpreters, "skopeo-inspect": {"Env": ["PATH=/opt/venv/bin:/usr/bin"]}}
    assert image_facts({"result": result}).environment["python_version"] == "3.11"
    assert (
        image_facts({"result": {"python-interpreters": interpreters}}).environment["python_version"] == "3.9"
    )


def test_different_versions_of_cuda_are_both_kept():
    """W33: the original refuses such an image."""
    told = {"nvcc_version": "11.0.221", "/usr/local/cuda/version.txt": "11.0.228"}
    found = image_facts({"result": {"cuda-version": told}})
    assert {each.value for part in found.sets for each in part.facts} == {"11.0.221", "11.0.228"}
    assert found.environment["cuda_version"] == "11.0"

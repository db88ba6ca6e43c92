"""Images whose first layers are all the layers of another are derived from it: inferred, and said to be."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trimtab.catalog.observations import (
    ImagesWanted,
    drift,
    forget,
    images_holding,
    observed,
    record_analysis,
    record_build,
)

A, B, C = (letter * 64 for letter in "abc")


def image(number, layers, name=None):
    return {
        "metadata": {
            "document_id": f"package-extract-{number}",
            "timestamp": number,
            "arguments": {"extract-image": {"image": name or f"registry.example/image:{number}"}},
        },
        "result": {"layers": layers, "skopeo-inspect": {"Digest": f"sha256:{number:064x}"}},
    }


def derived(connection):
    """Subjects, and what each is derived from: name and digest."""
    return {
        (
            int(each.subject.removeprefix("sha256:"), 16),
            each.name,
            int(each.value.removeprefix("sha256:"), 16),
        )
        for each in observed(connection, relations=["derived-from"])
        if each.subject_kind == "image"
    }


def test_an_image_is_derived_from_whose_layers_it_begins_with(any_database):
    with any_database.write() as connection:
        for number, layers in enumerate(([A], [A, B], [A, B, C], [B, A], [A, C, B], [A, B])):
            record_analysis(connection, image(number, layers))
        named = {(number, f"registry.example/image:{base}", base) for number, base in (
            (1, 0), (2, 0), (2, 1), (2, 5), (4, 0), (5, 0),
        )}  # fmt: skip
        assert derived(connection) == named
        told = list(observed(connection, document_id="package-extract-1", relations=["derived-from"]))
        assert [(each.kind, each.how, each.document_id) for each in told] == [
            ("image", "inferred", "package-extract-1")
        ]
        contained = [
            each for each in observed(connection, document_id="package-extract-3") if each.kind == "layer"
        ]
        assert [(each.name, each.value, each.how) for each in contained] == [
            (A, "2", "observed"),
            (B, "1", "observed"),
        ]


def test_the_same_layer_at_the_same_place_is_not_enough(any_database):
    """Empty layers are the same everywhere."""
    with any_database.write() as connection:
        record_analysis(connection, image(0, [A, C], "registry.example/base:1"))
        record_analysis(connection, image(1, [B, C, A]))
        record_analysis(connection, image(2, [A, C, C], "registry.example/app:1"))
        assert derived(connection) == {(2, "registry.example/base:1", 0)}
        found = images_holding(connection, ImagesWanted(base="registry.example/base:1"))
        assert [each.reference for each in found.items] == ["registry.example/app:1"]


def test_images_of_a_base_are_those_of_builds_and_those_that_begin_with_it(any_database):
    build = {
        "analysis_id": "build-analysis-1",
        "base_image": {"reference": "registry.example/base:1"},
        "output_image": {
            "reference": "registry.example/built:1",
            "digest": f"sha256:{1:064x}",
            "analysis_id": "package-extract-1",
        },
        "build": {"phase": "complete", "identity": "1"},
    }
    with any_database.write() as connection:
        record_analysis(connection, image(0, [A], "registry.example/base:1"))
        record_analysis(connection, image(1, [B], "registry.example/built:1"))  # its layers were written anew
        record_analysis(connection, image(2, [A, B], "registry.example/found:1"))
        record_analysis(connection, image(3, [C], "registry.example/other:1"))
        record_build(connection, build)
        wanted = ImagesWanted(base="docker://registry.example/base:1@sha256:" + 64 * "0")
        names = {each.reference for each in images_holding(connection, wanted).items}
        assert names == {"registry.example/built:1", "registry.example/found:1"}
        for unknown in ("registry.example/none:1", "x\0"):
            assert images_holding(connection, ImagesWanted(base=unknown)).total == 0


def test_layers_are_no_drift(any_database):
    with any_database.write() as connection:
        record_analysis(connection, image(0, [A]))
        record_analysis(connection, image(1, [A, B]))
        found = drift(connection, "package-extract-0", "package-extract-1")
    assert (found.changes, found.symbols) == ((), ())


@pytest.mark.parametrize(
    "layers", [None, "x", {}, [None], [1, 2], ["", A], [[]], ["\0"], ["\ud800"], [A] * 2000]
)
def test_what_is_no_list_of_layers_is_no_error(any_database, layers):
    with any_database.write() as connection:
        record_analysis(connection, image(0, layers))
        record_analysis(connection, image(1, [A]))
        list(observed(connection))


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.sampled_from([A, B]), max_size=5), max_size=7), st.randoms(use_true_random=False))
def test_as_by_hand_in_whatever_order_they_come(any_database, found, random):
    documents = [image(number, layers) for number, layers in enumerate(found)]
    shuffled = random.sample(documents, len(documents))
    with any_database.write() as connection:
        for each in shuffled:
            record_analysis(connection, each)
        by_hand = {
            (one, f"registry.example/image:{other}", other)
            for one, layers in enumerate(found)
            for other, base in enumerate(found)
            if base and len(base) < len(layers) and layers[: len(base)] == base
        }
        assert derived(connection) == by_hand
        for number in range(len(found)):
            forget(connection, f"package-extract-{number}")
        assert derived(connection) == set()

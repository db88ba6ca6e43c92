"""Specifications that clients of the original sent, and that it stored, are read and written back unchanged."""

import json

import pytest

from trimtab.inspection import Specification, containerfile, write_context


def documents(originals, pattern):
    found = sorted(originals.glob(pattern))
    assert found
    return [(path.name, json.loads(path.read_text())) for path in found]


@pytest.mark.parametrize(
    "pattern",
    ["amun-specifications/*.json", "amun-inspection/*/build/specification", "dependency-monkey/*/ac.json"],
)
def test_documents_round_trip(originals, pattern):
    for _, document in documents(originals, pattern):
        found = Specification.load(document)
        assert found.document() == document
        assert Specification.parse(json.dumps(found.document())) == found


def test_contexts_of_dependency_monkey_take_a_project(originals):
    """As it submitted: its context, and the dump of a resolved project as `python`."""
    report = json.loads(
        (
            originals
            / "dependency-monkey/tensorflow-inspection-2020-09-07/dependency_monkey_report.first2.json"
        ).read_text()
    )
    for response in report["result"]["report"]["responses"]:
        project = {k: v for k, v in response["product"]["project"].items() if k != "runtime_environment"}
        for _, context in documents(originals, "dependency-monkey/*/ac.json"):
            found = Specification.load({**context, "python": project})
            assert found.python.kind == "pipfile"
            assert found.document()["python"] == project


@pytest.mark.parametrize("pattern", ["amun-specifications/*.json", "amun-inspection/*/build/specification"])
def test_their_contexts_have_what_was_sent(originals, tmp_path, pattern):
    for name, document in documents(originals, pattern):
        specification = Specification.load(document)
        script = specification.script if specification.script_url is None else "#!/usr/bin/env python3\n"
        context = write_context(
            specification, tmp_path / name, script=script.encode(), wrapper={"entrypoint": b"#!/bin/sh\n"}
        )
        locked = json.loads((context.directory / "lock/Pipfile.lock").read_bytes())
        assert locked == document["python"]["requirements_locked"]
        assert context.script.read_text() == script
        assert containerfile(specification).startswith(f"FROM {document['base']}\nUSER 0\n")
        assert "pip.conf" not in containerfile(specification)

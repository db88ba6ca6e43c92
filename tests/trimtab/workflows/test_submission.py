"""What was accepted, as a value."""

import json

import pytest

from trimtab.inspection import Specification
from trimtab.workflows import Submission

ASKED = Specification.load({"base": "registry.example/python:3.11", "identifier": "a"})


@pytest.mark.parametrize(
    ("set_to", "told"), [("https://amun.example/api/v1", "https://amun.example/api/v1"), ("", None)]
)
def test_where_the_api_is_reached_is_told_as_the_original_told_it(monkeypatch, set_to, told):
    monkeypatch.setenv("THOTH_AMUN_API_URL", set_to)
    assert Submission.of(ASKED, "process", deployment="local").specification["@amun_api_url"] == told


def test_it_outlives_its_process_as_json():
    submission = Submission.of(ASKED, "podman", deployment="local", best_effort=True, owner="somebody")
    assert Submission.load(json.loads(json.dumps(submission.document()))) == submission

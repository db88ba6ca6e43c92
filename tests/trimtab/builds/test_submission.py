"""What is submitted of a build: read, bounded, and without a secret in any message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from trimtab.builds import BuildSubmission, Kind, image_key, kind_of, log_key, new_id, pinned

DIGEST = f"sha256:{64 * '0'}"


def test_the_body_of_the_original_is_taken():
    sent = BuildSubmission.model_validate(
        {"base_image": "a", "output_image": None, "build_log": {"log": "x", "apiversion": None, "more": [1]}}
    )
    assert sent.log == {"log": "x", "apiversion": None, "more": [1]}
    assert BuildSubmission.model_validate({"build_log": {}}).log is None


@pytest.mark.parametrize(
    "body",
    [
        {"base_image": "a" * 1001},
        {"base_image": 3},
        {"build_log": "text"},
        {"build_log": {"log": 3}},
        {"missing": [{"part": "other"}]},
        {"missing": [{"part": "build_log"}] * 11},
        {"build": {"phase": "new"}},
        {"build": {"started_at": -1}},
        {"build": {"exit_code": 1 << 40}},
        {"build": {"labels": {str(number): "" for number in range(201)}}},
        {"credentials": {"base": {"name": "a", "user": "b"}}},
        {"credentials": {"third": {}}},
        {"credentials": {"base": {"token": "geheim"}}},
        {"credentials": {"base": {"password": ["geheim"]}}},
    ],
)
def test_what_is_beyond_the_bounds_is_refused_and_no_secret_repeated(body):
    with pytest.raises(ValidationError) as caught:
        BuildSubmission.model_validate(body)
    assert "geheim" not in str(caught.value)


def test_a_password_is_in_no_text_of_a_submission():
    login = {"base": {"user": "reader", "password": "geheim"}}
    sent = BuildSubmission.model_validate({"base_image": "a", "credentials": login})
    assert "geheim" not in f"{sent!r} {sent} {sent.model_dump_json()}"


def test_ids_say_what_they_are_of_and_are_never_the_same():
    for kind in Kind:
        assert kind_of(new_id(kind)) is kind
        assert len({new_id(kind) for _ in range(1000)}) == 1000


@given(st.text(max_size=60))
def test_what_is_no_id_is_none(text):
    assert kind_of(text) is None or text.startswith(tuple(Kind))
    assert kind_of(f"package-extract-{text}/") is None


def test_keys_of_caches_are_those_of_the_original():
    """The SHA-256 of the name as JSON, and of the log with sorted keys."""
    import hashlib

    assert image_key(DIGEST, "a") == f"{DIGEST}+" + hashlib.sha256(b'"a"').hexdigest()
    assert log_key({"b": 1, "a": "é"}) == log_key({"a": "é", "b": 1})
    assert log_key({"a": 1}) == hashlib.sha256(b'{"a": 1}').hexdigest()


@pytest.mark.parametrize(
    "image", ["registry.example/team/app:1", f"registry.example/team/app:1@sha256:{64 * '1'}"]
)
def test_an_image_is_pinned_to_what_was_found(image):
    assert pinned(image, DIGEST) == f"registry.example/team/app@{DIGEST}"
    assert pinned(image, None) == image

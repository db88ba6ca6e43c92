"""Where a store is, and what is said if it is nowhere."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trimtab.store import StoreURLError
from trimtab.store.location import Bucket, Directory, read_url

AMAZON = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "geheim"}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/a/b", "/a/b"),
        ("file:///a/b%20c", "/a/b c"),
        ("file://localhost/a", "/a"),
        ("/a b/100%", "/a b/100%"),
    ],
)
def test_a_directory_is_a_path_or_a_file_url(text, path):
    assert read_url(text) == Directory(Path(path))


def test_a_path_may_be_relative_and_have_a_tilde(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.chdir(tmp_path)
    assert read_url("~/store") == Directory(Path("/home/somebody/store"))
    assert read_url("store") == Directory(tmp_path / "store")


@pytest.mark.parametrize(
    ("text", "bucket"),
    [
        ("s3://thoth-store/data/", Bucket("thoth-store", "data")),
        ("s3://bucket", Bucket("bucket", "")),
        ("s3://bucket//a/b", Bucket("bucket", "a/b")),
    ],
)
def test_a_bucket_may_have_a_prefix(text, bucket):
    assert read_url(text) == bucket
    assert read_url(bucket.url) == bucket


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty"),
        ("gs://bucket", "'gs' is not supported"),
        ("https://host/bucket", "'https' is not supported"),
        ("file://host/a", "'file' is not supported"),
        ("s3://", "no name of a bucket"),
        ("s3:///a", "no name of a bucket"),
        ("s3://b/a?versions", "'\\?' or '#'"),
        ("s3://bucket/a/../b", "no object may have"),
        ("s3://[bucket", "cannot be read"),
        ("a\0b", "empty"),
        ("~nobody-of-this-name/store", "cannot be read"),
        ("/store-\ud800", "no text"),
        ("file:///%00", "empty"),
    ],
)
def test_what_names_no_store_is_refused_with_what_would(text, problem):
    with pytest.raises(StoreURLError, match=problem):
        read_url(text)


def test_credentials_in_the_url_are_refused_and_not_repeated():
    with pytest.raises(StoreURLError, match="set AWS_ACCESS_KEY_ID") as caught:
        read_url("s3://key:geheim@bucket/a")
    assert "geheim" not in str(caught.value)


@given(st.text(st.characters(exclude_categories=()), max_size=60))
@example("~nobody-of-this-name")
def test_any_text_is_a_store_or_refused(text):
    with contextlib.suppress(StoreURLError):
        read_url(text)


def test_the_originals_variables_are_heeded_after_those_of_s3():
    thoth = {
        "THOTH_CEPH_KEY_ID": "k",
        "THOTH_CEPH_SECRET_KEY": "s",
        "THOTH_S3_ENDPOINT_URL": "https://ceph.example",
        "THOTH_CEPH_REGION": "eu",
    }
    expected = {
        "access_key_id": "k",
        "secret_access_key": "s",
        "region": "eu",
        "endpoint": "https://ceph.example",
    }
    assert Bucket.settings(thoth) == expected
    assert Bucket.settings(thoth | AMAZON)["access_key_id"] == "key"


def test_a_server_of_ones_own_needs_credentials():
    """Otherwise the library would ask the machine's metadata service for some."""
    with pytest.raises(StoreURLError, match=r"no credentials for http://ceph\.example"):
        Bucket.settings({"AWS_ENDPOINT_URL": "http://ceph.example"})
    assert Bucket.settings(
        {"AWS_ENDPOINT_URL": "http://ceph.example", "AWS_WEB_IDENTITY_TOKEN_FILE": "/token"}
    )
    assert Bucket.settings({}) == {}


@pytest.mark.parametrize("endpoint", ["ceph.example:80", "ftp://host", "https://", "https://me:geheim@host"])
def test_an_endpoint_that_is_none_is_refused(endpoint):
    with pytest.raises(StoreURLError, match="https://host:port") as caught:
        Bucket.settings(AMAZON | {"AWS_ENDPOINT_URL": endpoint})
    assert "geheim" not in str(caught.value)

"""A store that cannot be used says why, and what to do."""

import os
import subprocess
from pathlib import Path

import pytest
from obstore import exceptions

from trimtab.store import (
    AccessError,
    BucketError,
    FullError,
    InvalidKeyError,
    ReadOnlyError,
    Store,
    StoreURLError,
    UnavailableError,
    UnreachableError,
)
from trimtab.store.failures import translated


@pytest.fixture
def mount(tmp_path):
    """Mounts small file systems, and unmounts them at the end."""
    mounted = []

    def mount_(options: str) -> Path:
        place = tmp_path / "mounted"
        place.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", options, "trimtab-test", str(place)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"file systems cannot be mounted here: {done.stderr.strip()}")
        mounted.append(place)
        return place

    yield mount_
    for each in mounted:
        subprocess.run(["umount", "--lazy", str(each)], check=True)


@pytest.mark.integration
def test_a_full_disk_is_said_to_be_full_and_nothing_is_half_written(mount):
    store = Store.open(str(mount("size=1m")))
    store.put("a", b"before")
    with pytest.raises(FullError, match="is full: a cannot be written; make room"):
        store.put("a", b"x" * (2 << 20))
    with pytest.raises(FullError):
        store.put_if_absent("b", b"x" * (2 << 20))
    assert store.get("a") == b"before"
    assert [each.key for each in store.list()] == ["a"]


@pytest.mark.integration
def test_a_read_only_disk_can_be_read(mount):
    place = mount("size=1m")
    Store.open(str(place)).put("a", b"before")
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    store = Store.open(str(place))
    assert store.get("a") == b"before"
    for write in (
        lambda: store.put("a", b""),
        lambda: store.put_if_absent("b", b""),
        lambda: store.delete("a"),
    ):
        with pytest.raises(ReadOnlyError, match="mount it for writing"):
            write()
    with pytest.raises(ReadOnlyError, match="name another directory"):
        Store.open(str(place / "below"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_of_somebody_else_names_the_remedy(tmp_path):
    store = Store.open(str(tmp_path))
    tmp_path.chmod(0o500)
    with pytest.raises(AccessError, match="must belong to the user"):
        store.put("a", b"")


def test_a_directory_that_is_a_file_names_the_remedy(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UnavailableError, match="name another directory"):
            Store.open(str(path))


def test_a_directory_of_the_store_is_for_its_owner_only(tmp_path):
    Store.open(str(tmp_path / "a" / "store"))
    assert (tmp_path / "a" / "store").stat().st_mode & 0o777 == 0o700


def test_a_file_whose_name_is_no_text_is_named(tmp_path):
    store = Store.open(str(tmp_path))
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).write_text("")
    with pytest.raises(UnavailableError, match=r"whose name is no text.*rename or remove it"):
        list(store.list())


def test_a_name_in_the_way_of_another_is_refused(directory):
    directory.put("a", b"")
    with pytest.raises(InvalidKeyError, match="in the way"):
        directory.put("a/b", b"")


@pytest.mark.integration
def test_a_wrong_secret_is_refused_and_not_repeated(s3_url, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "geheimnis")
    with pytest.raises(AccessError, match="AWS_SECRET_ACCESS_KEY") as caught:
        Store.open(s3_url)
    assert "geheimnis" not in str(caught.value)


@pytest.mark.integration
def test_an_unknown_key_is_refused(s3_url, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    with pytest.raises(AccessError, match="InvalidAccessKeyId"):
        Store.open(s3_url)


@pytest.mark.integration
def test_a_bucket_that_is_not_there_is_named(s3_url):
    with pytest.raises(BucketError, match="s3://trimtab-nowhere: there is no such bucket; make it"):
        Store.open("s3://trimtab-nowhere")


def test_a_server_that_is_not_there_is_said_to_be_so(monkeypatch, unused_tcp_port):
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused_tcp_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "geheim")
    monkeypatch.setattr("trimtab.store.store.RETRIES", {"max_retries": 0})
    with pytest.raises(UnreachableError, match="does not answer; is AWS_ENDPOINT_URL right") as caught:
        Store.open("s3://bucket")
    assert "geheim" not in str(caught.value)


def test_a_variable_that_cannot_be_used_is_no_traceback(monkeypatch):
    monkeypatch.setenv("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "perhaps")
    with pytest.raises(StoreURLError, match="begins with AWS_"):
        Store.open("s3://bucket")


SERVER = "Generic S3 error: Error performing PUT http://h/b/a in 1ms - Server returned non-2xx status code: {} : {}"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, "<Error><Code>QuotaExceeded</Code></Error>", FullError),
        (507, "", FullError),
        (403, "<Error><Code>AccessDenied</Code></Error>", AccessError),
        (403, "", AccessError),
        (400, "<Error><Code>ExpiredToken</Code></Error>", AccessError),
        (404, "<Error><Code>NoSuchBucket</Code></Error>", BucketError),
        (503, "<Error><Code>SlowDown</Code></Error>", UnreachableError),
        (400, "<Error><Code>XAmzContentSHA256Mismatch</Code></Error>", UnavailableError),
    ],
)
def test_what_a_server_answers_is_translated(status, body, kind):
    with pytest.raises(UnavailableError) as caught, translated("s3://b", "a"):
        raise exceptions.GenericError(SERVER.format(status, body))
    assert type(caught.value) is kind
    assert str(caught.value).startswith("s3://b")

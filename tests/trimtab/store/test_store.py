"""Objects under keys: the same in a directory and on an S3 server."""

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trimtab.store import InvalidKeyError, NotFoundError, Store, TooLargeError

MIB = 1 << 20


def keys_of(store, prefix=""):
    return sorted(each.key for each in store.list(prefix))


def test_what_is_put_is_what_is_got(store):
    store.put("a/b", b"\0\xff")
    store.put("a/empty", b"")
    assert (store.get("a/b"), store.get("a/empty")) == (b"\0\xff", b"")


def test_a_put_takes_the_place_of_another(store):
    store.put("a", b"long ago")
    store.put("a", b"now")
    assert store.get("a") == b"now"


@pytest.mark.parametrize("size", [0, 1, 4 * MIB, 4 * MIB + 1, 9 * MIB])
def test_a_file_and_pieces_are_stored_whole_whatever_their_size(store, size, tmp_path):
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    (tmp_path / "file").write_bytes(content)
    store.put("file", tmp_path / "file")
    store.put("pieces", (content[at : at + MIB] for at in range(0, size, MIB)))
    for key in ("file", "pieces"):
        assert store.entry(key).size == size
        assert b"".join(store.stream(key)) == content


def test_a_file_that_is_not_there_is_the_callers_error(store, tmp_path):
    with pytest.raises(FileNotFoundError):
        store.put("a", tmp_path / "nothing")
    assert not store.exists("a")


def test_a_source_that_fails_half_way_leaves_what_was_there(store):
    store.put("a", b"before")

    def pieces():
        yield b"x" * (9 * MIB)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.put("a", pieces())
    assert store.get("a") == b"before"
    assert keys_of(store) == ["a"]


def test_of_many_writers_that_put_if_absent_one_wins(store):
    won = []

    def write(number):
        if store.put_if_absent("a", str(number).encode()):
            won.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(won) == 1
    assert store.get("a") == str(won[0]).encode()


def test_put_once_says_what_is_there(store):
    assert store.put_once("a", b"first") == b"first"
    assert store.put_once("a", b"second") == b"first"


def test_what_is_not_there_is_said_by_its_key(store):
    for read in (store.get, store.entry, store.stream):
        with pytest.raises(NotFoundError, match="has no a/b"):
            read("a/b")
    assert not store.exists("a/b")


def test_a_folder_is_no_object_and_an_object_no_folder(store):
    store.put("a/b", b"")
    assert not store.exists("a")
    assert not store.exists("a/b/c")
    with pytest.raises(NotFoundError):
        store.get("a/b/c")
    store.delete("a/b/c")
    assert store.exists("a/b")


def test_an_object_larger_than_wanted_is_not_read(store):
    store.put("a", b"1234")
    assert store.get("a", limit=4) == b"1234"
    with pytest.raises(TooLargeError, match="4 bytes, more than 3; stream it"):
        store.get("a", limit=3)


@pytest.mark.parametrize(("start", "rest"), [(0, b"01234"), (3, b"34"), (5, b""), (99, b"")])
def test_a_stream_may_start_anywhere(store, start, rest):
    store.put("a", b"01234")
    assert b"".join(store.stream("a", start=start)) == rest


def test_a_stream_comes_in_pieces(store):
    store.put("a", b"x" * (5 * MIB))
    pieces = list(store.stream("a"))
    assert len(pieces) >= 4
    assert sum(map(len, pieces)) == 5 * MIB


def test_a_listing_has_what_is_below_a_folder_and_nothing_beside_it(store):
    for key in ("a/1", "a/b/2", "a-b/3", "ab", "c"):
        store.put(key, b"12")
    assert keys_of(store) == ["a-b/3", "a/1", "a/b/2", "ab", "c"]
    assert keys_of(store, "a") == ["a/1", "a/b/2"]
    assert keys_of(store, "nothing") == []
    assert keys_of(store, "c") == keys_of(store, "c/d") == []
    assert store.children("c") == store.children("nothing") == ([], [])
    assert {each.size for each in store.list()} == {2}


def test_a_listing_goes_beyond_a_page(store):
    for number in range(30):
        store.put(f"a/{number:04}", b"")
    assert len(keys_of(store, "a")) == 30


def test_children_are_the_folders_and_objects_of_one_level(store):
    for key in ("a/1", "a/b/2", "a/c/3", "d"):
        store.put(key, b"")
    folders, objects = store.children("a")
    assert (folders, [each.key for each in objects]) == (["b", "c"], ["a/1"])
    folders, objects = store.children()
    assert (folders, [each.key for each in objects]) == (["a"], ["d"])


def test_what_is_deleted_is_gone_and_deleting_nothing_is_fine(store):
    store.put("a/b", b"")
    store.delete("a/b")
    store.delete("a/b")
    assert keys_of(store) == []
    assert store.children() == ([], [])


BAD = [
    "",
    "/",
    "a//b",
    "/a",
    "a/",
    "..",
    "a/../b",
    ".",
    "a/./b",
    "a b",
    "a\0",
    "a\n",
    "ä",
    "a\\b",
    "a#1",
    "a%2fb",
]


@pytest.mark.parametrize("key", [*BAD, "x" * 201, "/".join(["x" * 100] * 10)])
def test_a_name_that_could_mean_something_else_is_refused(store, key):
    for call in (store.get, store.entry, store.delete, lambda key: store.put(key, b"")):
        with pytest.raises(InvalidKeyError):
            call(key)
    assert not store.exists(key)


@given(st.text(max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_no_name_leaves_the_directory(directory, name):
    """Whatever somebody asks for, it is in the store, or refused."""
    before = set(directory.directory.parent.iterdir())
    try:
        directory.put(name, b"x")
    except InvalidKeyError:
        pass
    else:
        assert directory.get(name) == b"x"
        directory.delete(name)
    assert set(directory.directory.parent.iterdir()) == before


def test_one_prefix_does_not_see_another(store_url):
    Store.open(f"{store_url}/a").put("x", b"")
    assert keys_of(Store.open(f"{store_url}/b")) == []
    assert keys_of(Store.open(store_url)) == ["a/x"]

"""Our few functions of paths say what the standard library's do."""

# The standard library's functions are what these are held against:
# ruff: noqa: PTH100, PTH110, PTH112, PTH118, PTH119, PTH120
import os.path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.inspection.hwinfo import paths

PARTS = st.lists(st.sampled_from(["a", "b.c", ".", "..", "", "ü"]), max_size=6)
PATHS = st.builds(lambda root, parts: root + "/".join(parts), st.sampled_from(["", "/"]), PARTS)


@given(PATHS.filter(lambda path: "//" not in path))
def test_parts_of_a_path(path):
    assert paths.dirname(path) == os.path.dirname(path)
    assert paths.basename(path) == os.path.basename(path)


@given(PATHS)
def test_a_path_from_the_root(path):
    assert paths.abspath(path) == os.path.abspath(path).replace("//", "/")


@given(st.sampled_from(["", "a", "a/b", "/", "/a"]), st.sampled_from(["c", "c/d", "/c"]))
def test_a_name_in_a_directory(directory, name):
    assert paths.join(directory, name) == os.path.join(directory, name)


@pytest.mark.parametrize(
    "name", ["file", "link", "chain", "directory/link", "loop", "dangling", "nothing", "directory/../link"]
)
def test_where_a_path_leads(tmp_path, name):
    (tmp_path / "directory").mkdir()
    (tmp_path / "file").write_bytes(b"")
    for link, target in {
        "link": "file", "chain": "link", "directory/link": "../chain", "loop": "loop", "dangling": "gone",
    }.items():  # fmt: skip
        (tmp_path / link).symlink_to(target)
    path = str(tmp_path / name)
    # What leads nowhere stays as it is.
    assert paths.realpath(path) == (os.path.realpath(path) if os.path.exists(path) else path)
    assert paths.exists(path) == os.path.exists(path)
    assert paths.isdir(path) == os.path.isdir(path)


def test_a_directory_is_made_with_those_above_it_and_may_be_there(tmp_path):
    wanted = str(tmp_path / "a" / "b")
    paths.make(wanted)
    paths.make(wanted)
    assert os.path.isdir(wanted)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match=r"exists|directory"):
        paths.make(str(tmp_path / "file"))
    with pytest.raises(OSError, match=r"exists|directory"):
        paths.make(str(tmp_path / "file" / "below"))

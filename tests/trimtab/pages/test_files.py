"""Files that are written whole or not at all."""

import pytest

from trimtab.pages.files import replacing, write_whole


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path):
    path = tmp_path / "page.html"
    write_whole(path, "old")
    write_whole(path, "new \N{SNOWMAN}")
    assert path.read_text(encoding="utf-8") == "new \N{SNOWMAN}"
    assert list(tmp_path.iterdir()) == [path]


def test_half_a_surrogate_is_written_as_a_question_mark(tmp_path):
    write_whole(tmp_path / "page.html", "a\ud800b")
    assert (tmp_path / "page.html").read_text() == "a?b"


def test_what_fails_in_the_middle_leaves_the_old_file(tmp_path):
    path = tmp_path / "page.html"
    write_whole(path, "old")
    with pytest.raises(FileNotFoundError), replacing(path) as draft:
        draft.unlink()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]

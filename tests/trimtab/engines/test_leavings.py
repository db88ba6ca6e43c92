"""What a run leaves is safe to read for whoever reads it, be it root."""

import os
import socket

from trimtab.engines.leavings import size_of, tidy


def test_files_stay_and_all_else_goes(tmp_path):
    directory = tmp_path / "output"
    directory.mkdir()
    secret = tmp_path / "secret"
    secret.write_text("of somebody")
    (directory / "result").write_text("{}")
    (directory / "link").symlink_to(secret)
    (directory / "inside").symlink_to("result")
    os.mkfifo(directory / "pipe")
    os.link(secret, directory / "second")
    (directory / "sub/below").mkdir(parents=True)
    (directory / "sub/out").symlink_to(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(directory / "socket"))
    notes = tidy(directory)
    assert [path.name for path in directory.iterdir()] == ["result"]
    assert secret.read_text() == "of somebody"
    assert len(notes) == 6
    assert "'link' was removed from the results: it is no regular file" in notes
    assert "'second' was removed from the results: it has a second name elsewhere" in notes


def test_the_small_files_stay_when_together_they_are_too_big(tmp_path):
    (tmp_path / "result").write_bytes(b"x" * 1000)
    with (tmp_path / "a-hole").open("wb") as file:
        file.truncate(10**12)
    (note,) = tidy(tmp_path, limit=100_000)
    assert [path.name for path in tmp_path.iterdir()] == ["result"]
    assert "'a-hole'" in note


def test_a_directory_that_is_gone_has_nothing_to_tidy(tmp_path):
    assert tidy(tmp_path / "gone") == ()


def test_the_size_is_that_on_disk_and_is_counted_no_further_than_asked(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/file").write_bytes(b"x" * 100_000)
    (tmp_path / "loop").symlink_to(tmp_path)
    assert 100_000 <= size_of(tmp_path, 10**9) < 150_000
    assert size_of(tmp_path, 10) > 10

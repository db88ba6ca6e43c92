"""A log is streamed, and bounded in size."""

from trimtab.engines.log import Log


def test_a_short_log_is_kept_whole_and_streamed(tmp_path):
    seen = []
    with Log(tmp_path / "log", seen.append, limit=1000) as log:
        log.write(b"one\n")
        log.say("two")
    assert (tmp_path / "log").read_bytes() == b"one\n[trimtab] two\n" == b"".join(seen)
    assert not log.cut


def test_of_a_long_log_the_beginning_and_the_end_are_kept(tmp_path):
    seen = []
    with Log(tmp_path / "log", seen.append, limit=1000) as log:
        for number in range(10_000):
            log.write(b"%05d\n" % number)
    text = (tmp_path / "log").read_text()
    assert text.startswith("00000\n00001\n")
    assert text.endswith("09998\n09999\n")
    assert "bytes were left out here" in text
    assert len(text) < 1100
    assert len(b"".join(seen)) == 500
    assert log.cut


def test_one_huge_piece_is_cut_the_same(tmp_path):
    with Log(tmp_path / "log", lambda _: None, limit=100) as log:
        log.write(b"a" * 10_000 + b"z" * 10)
    assert (tmp_path / "log").read_bytes().endswith(b"z" * 10)
    assert len((tmp_path / "log").read_bytes()) < 200


def test_the_excerpt_is_the_last_lines_whatever_they_are(tmp_path):
    with Log(tmp_path / "log", lambda _: None, limit=100) as log:
        for number in range(100):
            log.write(f"line {number} \xff\n".encode("latin-1"))
        assert log.excerpt(2) == "line 98 �\nline 99 �"

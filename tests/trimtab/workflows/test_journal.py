"""The files of what is under way: who may work on it, and what a killed process leaves."""

import pytest

from trimtab.workflows import BusyError, Journal, Submission

SUBMISSION = Submission("inspection-261126221732-0123456789abcdef", {"base": "a"}, "process", created=1.0)


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "work" / SUBMISSION.id)


def test_what_was_accepted_is_read_again(journal):
    assert journal.submission() is None
    journal.accept(SUBMISSION)
    assert journal.submission() == SUBMISSION


def test_one_works_on_it_at_a_time(journal):
    with journal.held():
        assert not journal.is_free()
        with pytest.raises(BusyError, match="another process"), Journal(journal.directory).held():
            pass
    assert journal.is_free()


def test_only_what_nobody_works_on_is_left(journal, tmp_path):
    with journal.held():
        journal.accept(SUBMISSION)
        assert Journal.left(tmp_path / "work") == []
    assert [each.directory for each in Journal.left(tmp_path / "work")] == [journal.directory]


def test_what_is_in_the_queue_is_left_to_those_who_take_from_there(journal, tmp_path):
    with journal.held():
        journal.accept(SUBMISSION)
        journal.enqueue()
    assert Journal.left(tmp_path / "work") == []
    assert [each.directory for each in Journal.left(tmp_path / "work", queued=True)] == [journal.directory]


def test_nothing_is_left_of_what_is_over(journal, tmp_path):
    with journal.held():
        journal.accept(SUBMISSION)
        journal.empty("runs/0.1")
        journal.remove()
    assert not journal.directory.exists()
    assert Journal.left(tmp_path / "work") == []


def test_a_half_written_note_is_none(journal):
    journal.write("build.json", {"whole": True})
    (journal.directory / "build.json.new").write_text('{"who')
    assert journal.read("build.json") == {"whole": True}
    assert journal.read("other.json") is None


def test_a_directory_for_a_run_is_empty_each_time(journal):
    (journal.empty("runs/0.1") / "result").write_text("of before")
    assert list(journal.empty("runs/0.1").iterdir()) == []

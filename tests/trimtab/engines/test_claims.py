"""What a living process works on is not removed by another."""

import os

from trimtab.engines.claims import Claims


def test_a_claim_is_seen_by_another_process_until_its_holder_ends(tmp_path):
    ours = Claims(tmp_path)
    assert ours.is_free("inspection-1")
    reading, writing = os.pipe()
    told, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        Claims(tmp_path).take("inspection-1")
        os.write(tell, b"x")
        os.read(reading, 1)
        os._exit(0)  # without a word, as a kill would
    os.read(told, 1)
    assert not ours.is_free("inspection-1")
    assert ours.is_free("inspection-2")
    os.write(writing, b"x")
    os.waitpid(pid, 0)
    assert ours.is_free("inspection-1")
    for end in (reading, writing, told, tell):
        os.close(end)


def test_two_may_work_on_one_and_the_last_release_frees_it(tmp_path):
    one, other = Claims(tmp_path), Claims(tmp_path)
    one.take("x")
    one.take("x")
    other.take("x")
    one.release("x")
    assert not one.is_free("x")
    other.release("x")
    assert one.is_free("x")
    assert list(tmp_path.iterdir()) == []


def test_a_release_without_a_claim_is_nothing(tmp_path):
    Claims(tmp_path / "none").release("x")

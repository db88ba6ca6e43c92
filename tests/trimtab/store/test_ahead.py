"""Reading ahead: in order, bounded, and what fails fails in its turn."""

import threading

import pytest

from trimtab.store.ahead import ahead


def test_each_comes_in_its_turn_and_so_many_are_read_at_the_same_time():
    together = threading.Barrier(4, timeout=60)

    def read(number):
        together.wait()  # passes only if four are read at once
        return number * 10

    assert list(ahead(read, range(8), 4)) == [(number, number * 10) for number in range(8)]


def test_no_more_are_read_than_are_wanted_soon():
    begun = []
    found = ahead(lambda number: begun.append(number) or number, range(1000), 4)
    assert next(found) == (0, 0)
    found.close()
    assert len(begun) <= 4


def test_one_at_a_time_is_read_when_it_is_its_turn():
    begun = []
    found = ahead(begun.append, range(3), 1)
    assert begun == []
    next(found)
    assert begun == [0]


@pytest.mark.parametrize("at_once", [1, 4])
def test_what_cannot_be_read_is_raised_in_its_turn(at_once):
    def read(number):
        if number == 2:
            raise LookupError("two")
        return number

    found = ahead(read, range(9), at_once)
    assert [next(found), next(found)] == [(0, 0), (1, 1)]
    with pytest.raises(LookupError, match="two"):
        next(found)

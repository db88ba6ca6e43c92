"""The container that runs have in common is ended once, and never that of the runs after them."""

import asyncio
from types import SimpleNamespace

import pytest

from trimtab.engines.container.kept import Keeper, _Kept

INSPECTION = "inspection-260101000000-0000000000000001"


class Runner:
    """Notes what is removed, and takes its time where it is told to."""

    def __init__(self):
        self.removed = []
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def remove(self, name):
        self.removed.append(name)
        await self.go_on.wait()


@pytest.fixture
def runner():
    return Runner()


@pytest.fixture
def keeper(runner, tmp_path):
    return Keeper(SimpleNamespace(), SimpleNamespace(), SimpleNamespace(), runner, tmp_path)


def kept(tmp_path):
    directory = tmp_path / "kept"
    directory.mkdir(exist_ok=True)
    return _Kept("name", "image", directory, ("true",))


async def test_two_runs_that_are_lost_end_their_container_once(keeper, runner, tmp_path):
    old = keeper._kept[INSPECTION] = kept(tmp_path)
    await asyncio.gather(keeper._give_up(INSPECTION, old), keeper._give_up(INSPECTION, old))
    assert runner.removed == ["name"]


async def test_a_run_of_a_container_that_is_gone_does_not_end_the_next_one(keeper, runner, tmp_path):
    """Of runs side by side the first one that is over is tried again at once, in a container of the same name."""
    old, new = kept(tmp_path), kept(tmp_path)
    keeper._kept[INSPECTION] = new
    await keeper._give_up(INSPECTION, old)
    assert runner.removed == []
    assert new.directory.exists()


async def test_the_next_container_waits_until_the_one_before_is_gone(keeper, runner, tmp_path):
    """They have name and directory in common."""
    old = keeper._kept[INSPECTION] = kept(tmp_path)
    runner.go_on.clear()
    ending = asyncio.create_task(keeper._give_up(INSPECTION, old))
    await asyncio.sleep(0)
    assert keeper._starting.locked()
    runner.go_on.set()
    await ending
    assert not old.directory.exists()

"""The machine lets an inspection down: its engine goes away, its store is full or read-only."""

import asyncio
import os
import signal
import subprocess
from pathlib import Path

import pytest

from trimtab.engines.container.client import Client
from trimtab.engines.supervision.forking import server_pid
from trimtab.store import StoreError
from trimtab.store.check import check

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

SCRIPT = "#!/bin/sh\necho begun >&2\nexec sleep 3\n"


def supervisors():
    """Those that were forked for this process."""
    server = server_pid()
    return (
        []
        if server is None
        else list(map(int, Path(f"/proc/{server}/task/{server}/children").read_text().split()))
    )


async def monitor(laboratory):
    """The process that podman keeps beside the container."""
    client: Client = laboratory.engine._client
    label = f"label=trimtab.inspection={laboratory.works[-1].id}"
    name = (await client.check("ps", "--quiet", "--filter", label)).strip()
    found = await client.inspect("container", name)
    return int(found["State"]["ConmonPid"])


async def test_an_engine_that_goes_away_in_a_run_loses_it_and_the_run_is_made_again(laboratory):
    running = asyncio.Event()
    laboratory.looker.event = lambda event: running.set() if event.kind == "running" else None
    task = asyncio.create_task(laboratory.inspect(script=SCRIPT))
    await running.wait()
    victim = None
    async with asyncio.timeout(60):
        while victim is None:
            await asyncio.sleep(0.2)
            if laboratory.flavour == "podman":
                label = f"label=trimtab.inspection={laboratory.works[-1].id}"
                if (await laboratory.engine._client.check("ps", "--quiet", "--filter", label)).strip():
                    victim = await monitor(laboratory)
            elif laboratory._processes() and supervisors():
                victim = supervisors()[0]
    os.kill(victim, signal.SIGKILL)
    report = await task
    assert report["state"] == "succeeded"
    assert [(each["attempt"], each["state"]) for each in report["runs"]] == [(1, "lost"), (2, "succeeded")]
    assert report["runs"][0]["failure"]["kind"] == "infrastructure"


@pytest.fixture
def small(tmp_path):
    """A directory on a disk of a megabyte."""
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", place], capture_output=True, check=False
    ).returncode:
        pytest.skip("nothing can be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def remount(place, options):
    subprocess.run(["mount", "-o", f"remount,{options}", place], check=True)


async def test_a_store_that_is_full_keeps_the_inspection_until_there_is_room(make_laboratory, small):
    """What was run is not run again: the second half only stores it."""
    laboratory = make_laboratory("process", store=small)
    work = laboratory.work(script="#!/bin/sh\ndate +%N\nhead -c 3000000 /dev/zero | tr '\\0' x\n")
    with pytest.raises(StoreError, match=r"full|space"):
        await laboratory.go(work)
    assert work.journal.submission() is not None
    assert list(check(laboratory.place.inspections.store, "test", active=lambda _: True)) == []
    remount(small, "size=64m")
    report = await laboratory.go(work)
    assert (report["state"], [each["attempt"] for each in report["runs"]]) == ("succeeded", [1])
    assert laboratory.result()["stdout_bytes"] > 3_000_000


async def test_a_store_that_is_read_only_keeps_the_inspection_until_it_can_be_written(make_laboratory, small):
    laboratory = make_laboratory("process", store=small)
    work = laboratory.work(script="#!/bin/sh\necho hello\n")
    remount(small, "ro")
    with pytest.raises(StoreError, match="read-only"):
        await laboratory.go(work)
    remount(small, "rw")
    report = await laboratory.go(work)
    assert (report["state"], laboratory.result()["stdout"]) == ("succeeded", "hello\n")

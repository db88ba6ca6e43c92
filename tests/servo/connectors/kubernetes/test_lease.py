"""A target has one agent at a time, on a real cluster; who lost it changes nothing any more."""

from __future__ import annotations

import asyncio
import time

import pytest

from servo.connectors.kubernetes.adjusting import Adjusting
from servo.errors import AdjustmentFailedError
from servo.kubernetes import DEPLOYMENTS, LEASES

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]


async def lease(world) -> dict:
    return await world.admin.get(LEASES, "servo-deployment-web", world.namespace)


@pytest.fixture
async def two(world, make):
    """Two agents of one target."""
    await world.make(make["deployment"]("web"))
    return world.connector(lease="8s"), world.connector(lease="8s")


async def test_the_second_agent_waits_until_the_first_lets_go(world, two, adjust, to, fields):
    first, second = two
    await adjust(first, to(cpu=0.03))
    with pytest.raises(AdjustmentFailedError, match="another agent has it") as caught:
        await Adjusting(3.0)([(second.targets[0], world.admin, to(cpu=0.04))], None)
    assert caught.value.reason == "lease-held"
    await first.detach(None)
    await adjust(second, to(cpu=0.05))
    assert fields(await world.get())["requests.cpu"] == "50m"


async def test_a_takeover_raises_the_epoch_and_writes_it_at_the_target(world, two, adjust, to, record):
    first, second = two
    await adjust(first, to(cpu=0.03))
    assert record(await world.get())["epoch"] == 1
    await first.detach(None)
    second.targets[0].right.start()
    await second.targets[0].right.held(40)
    assert record(await world.get())["epoch"] == 2
    assert (await lease(world))["spec"]["leaseTransitions"] == 2


async def test_who_stood_still_is_fenced_off(world, two, adjust, to, fields, monkeypatch):
    """It believes to have what another took over, as its clock stood still with it."""
    first, second = two
    await adjust(first, to(cpu=0.03))
    stale = first.targets[0]
    stale.right._keeper.cancel()
    await asyncio.gather(stale.right._keeper, return_exceptions=True)
    stale.right._usable.set()
    stale.right._lost.clear()
    monkeypatch.setattr(
        type(stale.right),
        "valid",
        property(lambda self: self is stale.right or time.monotonic() < self._until),
    )
    second.targets[0].right.start()
    await second.targets[0].right.held(40)
    generation = (await world.get())["metadata"]["generation"]
    with pytest.raises(AdjustmentFailedError) as caught:
        await adjust(first, to(cpu=0.09))
    assert caught.value.reason == "lease-lost"
    after = await world.get()
    assert (after["metadata"]["generation"], fields(after)["requests.cpu"]) == (generation, "30m")


async def test_an_agent_whose_lease_is_taken_in_the_middle_leaves_it_to_the_next(
    world, two, adjust, to, fields, before
):
    first, second = two
    trying = asyncio.create_task(adjust(first, to(cpu=0.03), settlement="40s"))
    await world.until(DEPLOYMENTS, "web", lambda found: fields(found)["requests.cpu"] == "30m")
    spec = {"holderIdentity": "", "leaseTransitions": 7}
    await world.admin.patch(LEASES, "servo-deployment-web", {"spec": spec}, world.namespace, kind="merge")
    second.targets[0].right.start()
    with pytest.raises(AdjustmentFailedError) as caught:
        await trying
    assert caught.value.reason == "lease-lost"
    await world.until(DEPLOYMENTS, "web", lambda found: fields(found) == before, 20)


async def test_the_lease_goes_with_its_target(world, two, adjust, to):
    first, _ = two
    await adjust(first, to(cpu=0.03))
    owner = (await lease(world))["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["name"]) == ("Deployment", "web")
    await first.detach(None)
    assert (await lease(world))["spec"]["holderIdentity"] == ""


async def test_a_lease_that_somebody_deleted_does_not_lower_the_epoch(world, two, adjust, to, record):
    first, second = two
    await adjust(first, to(cpu=0.03))
    await first.detach(None)
    third = world.connector()
    await adjust(third, to(cpu=0.04))
    assert record(await world.get())["epoch"] == 2
    await third.detach(None)
    await world.admin.delete(LEASES, "servo-deployment-web", world.namespace)
    await adjust(second, to(cpu=0.05))
    assert record(await world.get())["epoch"] == 3

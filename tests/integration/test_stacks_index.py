"""Candidates of packages of the index that this machine is configured to use."""

import asyncio
import time

import pytest

from trimtab.stacks import (
    Candidates,
    IndexUnavailableError,
    Oracle,
    PlatformSieve,
    Random,
    Releases,
    ResolverError,
    Target,
    YankedSieve,
    read_project,
    survey,
)

pytestmark = pytest.mark.integration

FIVE = "flask\nrequests\nclick\njinja2\npydantic\n"
WANTED = 200


async def generated(path, cache):
    target = Target()
    async with Oracle(read_project(path), target, cache) as oracle, Releases(oracle.index) as releases:
        sieves = [PlatformSieve(target, releases), YankedSieve(releases)]
        found = await survey(oracle, releases, sieves)
        source = Candidates(oracle, Random(found.space, 1), sieves)
        candidates = []
        started = time.monotonic()
        while len(candidates) < WANTED and (candidate := await source.ask()):
            candidates.append(candidate)
        seconds = time.monotonic() - started
        refused = await asyncio.gather(*(oracle.holds(each.stack) for each in candidates))
        return candidates, refused, seconds


@pytest.mark.timeout(900)
def test_two_hundred_stacks_of_five_requirements_are_distinct_and_confirmed(tmp_path):
    """How long it takes is printed, not tested: it is the index's answers on a first search, and the machine's load."""
    path = tmp_path / "requirements.in"
    path.write_text(FIVE)
    try:
        candidates, refused, seconds = asyncio.run(generated(path, tmp_path / "cache"))
    except (IndexUnavailableError, ResolverError) as error:
        pytest.skip(f"no index with these packages: {error}")
    print(f"{WANTED} candidates in {seconds:.1f} s")  # noqa: T201 - shown by -s
    assert len(candidates) == WANTED
    assert len({each.stack.digest for each in candidates}) == WANTED
    assert refused == [None] * WANTED

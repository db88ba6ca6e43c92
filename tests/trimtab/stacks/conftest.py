"""A local index, and searches over it."""

import importlib.util
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from trimtab.engines.index import Index
from trimtab.stacks import (
    Oracle,
    PlatformSieve,
    Releases,
    Sieve,
    Survey,
    Target,
    YankedSieve,
    read_project,
    survey,
)


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("local_index", Path(__file__).with_name("local_index.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["local_index"] = module
    spec.loader.exec_module(module)
    return module


LOCAL = _load()
FIVE = "web\napi\ndb\nlog\nui\n"


@dataclass
class Search:
    """What a test searches with."""

    oracle: Oracle
    releases: Releases
    sieves: list[Sieve]
    found: Survey

    @property
    def space(self):
        return self.found.space


@pytest.fixture(scope="session")
def local():
    """The module that makes indexes."""
    return LOCAL


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """The index of `local_index.shop`."""
    return LOCAL.shop(tmp_path_factory.mktemp("shop") / "index")


@pytest.fixture(scope="session")
def served(shop):
    """The shop over HTTP."""
    server = LOCAL.Server(shop)
    yield server
    server.close()


@pytest.fixture
def own(tmp_path):
    """An index of a test's own, and what serves it once it is filled."""
    index = LOCAL.LocalIndex(tmp_path / "own")
    server = LOCAL.Server(index)
    yield server
    server.close()


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """A cache of uv that all tests of a process share."""
    return tmp_path_factory.mktemp("uv")


@pytest.fixture
def requirements(tmp_path):
    """Write a file of a project."""

    def write(text=FIVE, name="requirements.in"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


@pytest.fixture
def opened(served, cache, requirements):
    """Open a search over an index: the shop by default."""

    @asynccontextmanager
    async def open_search(
        text=FIVE, *, url=None, target=None, sieves=(), surveyed=True, parallel=None, **options
    ):
        target = target or Target()
        project = read_project(requirements(text))
        index = Index(default=url or served.url)
        async with (
            Oracle(project, target, cache, index=index, parallel=parallel) as oracle,
            Releases(oracle.index) as releases,
        ):
            made = [each(target, releases) if callable(each) else each for each in sieves]
            used = [PlatformSieve(target, releases), YankedSieve(releases), *made]
            found = await survey(oracle, releases, used, **options) if surveyed else None
            yield Search(oracle, releases, used, found)

    return open_search

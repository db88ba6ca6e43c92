"""Whole inspections on this machine, by each engine, and what is left of them."""

import asyncio
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from trimtab.catalog import Database
from trimtab.engines import ContainerEngine, ContainerSettings, ProcessEngine, ProcessSettings
from trimtab.engines.process.groups import Groups
from trimtab.inspection import Specification
from trimtab.store import Inspections, Report, Store
from trimtab.workflows import Course, Journal, Patience, Place, Submission
from trimtab.workflows.work import Work

REPOSITORY = Path(__file__).parents[3]
IMAGE = "localhost/python:3.11"
MIB = 2**20
MARK = "FAULT_MARK"


class Looker:
    """Keeps what is printed, and tells who waits of a word in it."""

    def __init__(self) -> None:
        self.printed = bytearray()
        self.log = bytearray()
        self.word: bytes | None = None
        self.seen = asyncio.Event()

    def event(self, event: Any) -> None:
        """Nothing comes of it."""

    def output(self, item: int | None, data: bytes) -> None:
        (self.log if item is None else self.printed).extend(data)


@dataclass
class Laboratory:
    """One engine, and a place for inspections.

    Attributes:
        flavour: `process` or `podman`.
        place: Where inspections are kept.
        engine: The engine.
        state: Its directory.
        mark: In the environment of all that an inspection here runs.
    """

    flavour: str
    place: Place
    engine: Any
    state: Path
    mark: str = field(default_factory=lambda: f"mark-{secrets.token_hex(8)}")
    looker: Looker = field(default_factory=Looker)
    works: list[Work] = field(default_factory=list)

    def work(self, **document: Any) -> Work:
        """An inspection that is not begun yet."""
        fields = {
            "base": IMAGE,
            "run": {"requests": {"cpu": "1", "memory": "256Mi"}, "timeout": 30},
            "build": {"requests": {"cpu": "2", "memory": "1Gi"}, "timeout": 200},
            **document,
        }
        fields["environment"] = [*fields.get("environment", []), {"name": MARK, "value": self.mark}]
        specification = Specification.parse(json.dumps(fields))
        submission = Submission.of(specification, self.flavour, deployment="test")
        journal = Journal(self.place.work / submission.id)
        work = Work(self.place, self.engine, journal, submission, self.looker, Patience(2, 0.0))
        self.works.append(work)
        return work

    async def go(self, work: Work) -> Report:
        """Go on with an inspection to its end."""
        with work.journal.held():
            return await Course(work, await self.engine.prepare()).go()

    async def inspect(self, **document: Any) -> Report:
        """Make an inspection."""
        return await self.go(self.work(**document))

    def result(self, item: int = 0) -> dict[str, Any]:
        """The document of a run of the last inspection."""
        found: dict[str, Any] = self.works[-1].stored.results.retrieve_result(item)
        return found

    async def left(self) -> list[str]:
        """What is left of the inspections of this laboratory on this machine: nothing, it should be."""
        if self.flavour == "podman":
            await self.engine._runner.settle()
        elif self.engine._ready:
            await self.engine._ready[1].settle()
        return [*self._processes(), *self._files(), *self._groups(), *self._mounts(), *self._objects()]

    def _processes(self) -> list[str]:
        needle, found = f"{MARK}={self.mark}".encode(), []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if needle in (path / "environ").read_bytes():
                    found.append(f"process {path.name}: {(path / 'cmdline').read_bytes()!r}")
            except OSError:
                continue
        return found

    def _files(self) -> list[str]:
        places = [self.place.work, self.state / "runs", self.state / "builds"]
        found = [str(path) for place in places for path in place.glob("*")]
        return found + [
            str(path) for path in self.state.glob("*") if path.name.startswith(("run-", "kept-", "build-"))
        ]

    def _groups(self) -> list[str]:
        if self.flavour != "process":
            return []
        parents = Groups.find().parents.values()
        return [str(path) for parent in parents for path in parent.glob(f"{self.engine._mark}-*")]

    def _mounts(self) -> list[str]:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
        names = [str(self.state), *(work.id for work in self.works)]
        return [line for line in lines if any(name in line for name in names)]

    def _objects(self) -> list[str]:
        if self.flavour != "podman":
            return []
        found = []
        for work in self.works:
            label = ("--filter", f"label=trimtab.inspection={work.id}", "--quiet")
            for kind in (("ps", "--all"), ("volume", "ls"), ("images",)):
                found += [f"{kind[0]} {each}" for each in call_podman(*kind, *label).split()]
        return found


def call_podman(*arguments: Any) -> str:
    """What podman's own command says."""
    command, environment = ["podman", *map(str, arguments)], os.environ | podman_environment()
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def podman_environment() -> dict[str, str]:
    """Where cgroups are of version 1, podman needs a configuration; scripts/with-services says so too."""
    if "CONTAINERS_CONF" in os.environ or Path("/sys/fs/cgroup/cgroup.controllers").exists():
        return {}
    return {"CONTAINERS_CONF": str(REPOSITORY / "scripts/containers.conf")}


@pytest.fixture(scope="session")
def states(tmp_path_factory) -> dict[str, Path]:
    """By engine, a directory that tests share: environments and layers are built once."""
    return {name: tmp_path_factory.mktemp(name) for name in ("process", "podman")}


@pytest.fixture(scope="session")
def image() -> None:
    """The image that tests of container engines build upon."""
    if os.getuid() != 0 or not shutil.which("podman"):
        pytest.skip("no root or no podman: there is no image to build upon (scripts/system-packages)")
    made = subprocess.run(
        [REPOSITORY / "scripts/test-image"], env=os.environ | podman_environment(), capture_output=True, text=True, check=False
    )  # fmt: skip
    if made.returncode:
        pytest.skip(f"scripts/test-image made no image: {made.stderr.strip()[-500:]}")


@pytest.fixture
def variables(tmp_path) -> dict[str, str]:
    """The environment of a command line with a home of its own."""
    return os.environ | podman_environment() | {"TRIMTAB_HOME": str(tmp_path / "home")}


@pytest.fixture
def podman(image) -> Callable[..., str]:
    """The command of podman itself."""
    return call_podman


@pytest.fixture(scope="session")
def index() -> None:
    """A package index that answers."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "-"]
    asked = subprocess.run(command, input=b"six==1.16.0", capture_output=True, timeout=60, check=False)
    if asked.returncode:
        pytest.skip(f"no package index answers: {asked.stderr.decode()[-300:]}")


@pytest.fixture
async def make_laboratory(request, states, tmp_path):
    """Opens laboratories; when a test ends, nothing of its inspections may be left."""
    database = Database(f"sqlite:///{tmp_path / 'trimtab.sqlite'}")
    made: list[Laboratory] = []

    def make(flavour: str, store: Path | None = None, **settings: Any) -> Laboratory:
        place = Place(
            database, Inspections(Store.open(str(store or tmp_path / "store")), "test"), tmp_path / "home"
        )
        if flavour == "process":
            engine: Any = ProcessEngine(states[flavour], ProcessSettings(**settings))
        else:
            request.getfixturevalue("image")
            options = {"environment": podman_environment(), "build_network": "host", **settings}
            engine = ContainerEngine("podman", states[flavour], ContainerSettings(**options))
        made.append(Laboratory(flavour, place, engine, states[flavour]))
        return made[-1]

    yield make
    left = [each for laboratory in made for each in await laboratory.left()]
    database.close()
    assert left == []


@pytest.fixture(params=["process", "podman"])
def laboratory(request, make_laboratory: Callable[..., Laboratory]) -> Laboratory:
    """Each engine in turn."""
    return make_laboratory(request.param)

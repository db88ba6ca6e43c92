"""The planted index over HTTP, and what runs campaigns over it."""

import importlib.util
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

STACKS = Path(__file__).parents[2] / "trimtab" / "stacks"
KILL = Path(__file__).parents[1] / "kill"


def load(name):
    spec = importlib.util.spec_from_file_location(name, STACKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(name, module)
    spec.loader.exec_module(module)
    return module


local_index = load("local_index")
planted_index = load("planted_index")


@pytest.fixture(scope="session")
def planted():
    return planted_index


@pytest.fixture(scope="session")
def index(tmp_path_factory):
    root = tmp_path_factory.mktemp("planted") / "index"
    server = local_index.Server(planted_index.planted(local_index.LocalIndex(root)))
    yield server
    server.close()


@pytest.fixture
def environment(index):
    """Of a process whose package index is this one."""
    removed = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_INDEX", "UV_FIND_LINKS")
    kept = {name: value for name, value in os.environ.items() if name not in removed}
    return {
        **kept,
        "PIP_CONFIG_FILE": "/dev/null",
        "UV_CONFIG_FILE": "/dev/null",
        "UV_DEFAULT_INDEX": index.url,
        "PIP_INDEX_URL": index.url,
    }


@pytest.fixture(scope="session")
def engines(tmp_path_factory):
    """What engines keep, shared: an environment is built once for all tests."""
    return tmp_path_factory.mktemp("engines")


class Zygote:
    """Forks command lines from a process that has imported all they need: a start takes seconds where others work, too."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, KILL / "command_zygote.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **asked):
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


@pytest.fixture(scope="session")
def zygote():
    forking = Zygote()
    yield forking
    forking.close()


@dataclass
class Done:
    """How a command line ended."""

    returncode: int
    stdout: str
    stderr: str


class Command:
    """A command line with a home of its own."""

    def __init__(self, zygote, home, environment):
        self.zygote, self.home = zygote, home
        self.environment = {**environment, "TRIMTAB_HOME": str(home)}
        self._count = 0

    def start(self, *arguments, point=None, **environment):
        """Begin one; what ends it, by its process id."""
        self._count += 1
        files = [str(self.home.parent / f"{name}.{self._count}") for name in ("stdout", "stderr")]
        task = {
            "arguments": [str(each) for each in arguments],
            "environment": {**self.environment, **environment},
            "directory": str(self.home.parent),
            "runs": str(self.home.parent / "runs"),
            **dict(zip(("stdout", "stderr"), files, strict=True)),
        }
        pid = self.zygote.ask(**task, **({"point": point} if point else {}))
        return pid, files

    def runs(self):
        """How often each inspection was really run."""
        log = self.home.parent / "runs"
        return Counter(log.read_text().split()) if log.exists() else Counter()

    def wait(self, started):
        pid, files = started
        code = self.zygote.ask(wait=pid)
        return Done(code, *(Path(each).read_text() for each in files))

    def __call__(self, *arguments, check=None, point=None, **environment):
        done = self.wait(self.start(*arguments, point=point, **environment))
        if check is not None:
            assert done.returncode == check, done.stderr + done.stdout
        return done


@pytest.fixture
def trimtab(tmp_path, environment, engines, zygote):
    """Run a command line with a home of its own."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "engines").symlink_to(engines)
    return Command(zygote, home, environment)


@pytest.fixture
def files(tmp_path, planted):
    """Write requirements and a context; their paths."""

    def write(requirements=planted.REQUIREMENTS, **changes):
        wanted, context = tmp_path / "requirements.in", tmp_path / "context.json"
        wanted.write_text(requirements)
        context.write_text(json.dumps(planted.CONTEXT | changes))
        return wanted, context

    return write

"""The planted index over HTTP, and what runs campaigns over it."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

STACKS = Path(__file__).parents[2] / "trimtab" / "stacks"
TRIMTAB = ("-c", "from trimtab.cli import main; main()")


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


@pytest.fixture
def trimtab(tmp_path, environment, engines):
    """Run a command line with a home of its own."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "engines").symlink_to(engines)

    def run(*arguments, command=TRIMTAB, check=None, **options):
        done = subprocess.run(
            [sys.executable, *command, *map(str, arguments)],
            env={**environment, "TRIMTAB_HOME": str(home), **options},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )
        if check is not None:
            assert done.returncode == check, done.stderr + done.stdout
        return done

    return run


@pytest.fixture
def files(tmp_path, planted):
    """Write requirements and a context; their paths."""

    def write(requirements=planted.REQUIREMENTS, **changes):
        wanted, context = tmp_path / "requirements.in", tmp_path / "context.json"
        wanted.write_text(requirements)
        context.write_text(json.dumps(planted.CONTEXT | changes))
        return wanted, context

    return write

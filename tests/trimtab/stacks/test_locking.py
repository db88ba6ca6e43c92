"""A stack is locked in the form that it came in, and the real tools take it so."""

import json
import os
import shutil
import subprocess
import sys
import tomllib

import pytest
from uv import find_uv_bin

from trimtab.engines.index import Index
from trimtab.stacks import Oracle, Proposal, Target, read_pins, read_project
from trimtab.stacks.errors import ResolverError
from trimtab.stacks.locking import lock_like
from trimtab.stacks.pipfile import read_pipfile_document

PYPROJECT = """\
[project]
name = "store"
version = "1"
requires-python = ">=3.11"
dependencies = ["web", "api"]
"""
PIPFILE = """\
[[source]]
name = "pypi"
url = "https://pypi.example/simple"
verify_ssl = true

[packages]
web = "*"
api = {version = "*"}

[dev-packages]
db = "*"

[requires]
python_version = "3.11"
"""


def ask(*command, **options):
    """Run a program."""
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, timeout=200, **options
    )


@pytest.fixture
def locked(served, cache):
    """The lock of an older stack of a project, and the stack."""

    async def lock(path, **constraints):
        project = read_project(path)
        async with Oracle(project, Target("3.11"), cache, index=Index(default=served.url)) as oracle:
            stack = await oracle.ask(Proposal("older", constraints=constraints))
            return await lock_like(oracle, stack, path), stack

    return lock


async def test_requirements_become_requirements_with_hashes(locked, requirements):
    lock, stack = await locked(requirements("web\napi\n"), web="==1.4")
    assert lock.name == "requirements.txt"
    assert read_pins(requirements(lock.text, "requirements.txt")) == stack.pins
    assert stack.pins["web"] == "1.4"


async def test_a_pipfile_gets_its_lock(locked, requirements):
    path = requirements(PIPFILE, "Pipfile")
    lock, stack = await locked(path, web="==1.4")
    assert lock.name == "Pipfile.lock"
    assert read_pins(requirements(lock.text, "Pipfile.lock")) == stack.pins
    document = json.loads(lock.text)
    assert document["default"]["web"]["version"] == "==1.4"
    assert document["default"]["web"]["hashes"]
    assert document["_meta"]["sources"] == read_pipfile_document(path)["source"]


async def test_a_pylock_is_written_by_uv(locked, requirements, served, tmp_path):
    first, _ = await locked(requirements("web\napi\n"))
    path = requirements(
        'lock-version = "1.0"\ncreated-by = "x"\npackages = [{name = "web", version = "1.5"}]\n',
        "pylock.toml",
    )
    lock, stack = await locked(path, web="==1.4")
    assert lock.name == "pylock.toml"
    assert first.name == "requirements.txt"
    assert read_pins(requirements(lock.text, "pylock.toml")) == stack.pins
    answer = ask(
        find_uv_bin(),
        "pip",
        "install",
        "--no-config",
        "--dry-run",
        "--target",
        tmp_path / "there",
        "-r",
        tmp_path / "pylock.toml",
        "--python",
        sys.executable,
        "--no-cache",
        "--preview",
    )
    assert answer.returncode == 0, answer.stderr
    assert "web==1.4" in answer.stderr


async def test_a_uv_lock_is_written_by_uv(locked, requirements, served, tmp_path):
    path = requirements(PYPROJECT, "pyproject.toml")
    plain, _ = await locked(path)
    assert plain.name == "requirements.txt", "there is no uv.lock beside it"
    (tmp_path / "uv.lock").write_text('version = 1\nrequires-python = ">=3.11"\n')
    lock, stack = await locked(path, web="==1.4")
    assert lock.name == "uv.lock"
    (tmp_path / "uv.lock").write_text(lock.text)
    assert read_pins(tmp_path / "uv.lock") == stack.pins
    assert "constraints" not in tomllib.loads(lock.text).get("manifest", {})
    answer = ask(
        find_uv_bin(),
        "lock",
        "--check",
        "--project",
        tmp_path,
        "--default-index",
        served.url,
        "--no-config",
    )
    assert answer.returncode == 0, answer.stderr


async def test_a_uv_lock_that_cannot_be_the_stack_is_refused(locked, requirements, tmp_path):
    """The project bounds what its file does not tell the search: uv locks something else, and says so."""
    path = requirements(PYPROJECT + '[tool.uv]\nconstraint-dependencies = ["web==1.2"]\n', "pyproject.toml")
    (tmp_path / "uv.lock").write_text('version = 1\nrequires-python = ">=3.11"\n')
    with pytest.raises(ResolverError, match="uv"):
        await locked(path, web="==1.4")


@pytest.mark.integration
async def test_pipenv_takes_the_lock_for_that_of_the_pipfile(locked, requirements, tmp_path):
    """`pipenv verify` compares the hash in the lock with the one that it computes itself."""
    if not shutil.which("uvx"):
        pytest.skip("uvx is not there, which fetches pipenv")
    path = requirements(PIPFILE, "Pipfile")
    lock, _ = await locked(path)
    (tmp_path / "Pipfile.lock").write_text(lock.text)
    environment = {**os.environ, "PIPENV_PIPFILE": str(path), "PIPENV_IGNORE_VIRTUALENVS": "1"}
    verify = ["uvx", "--from", "pipenv==2026.0.3", "pipenv", "verify"]
    good = ask(*verify, env=environment)
    if "No solution found" in good.stderr or "Failed to fetch" in good.stderr:
        pytest.skip(f"pipenv cannot be fetched: {good.stderr[-200:]}")
    assert good.returncode == 0, good.stderr
    path.write_text(PIPFILE.replace('web = "*"', 'web = "<2"'))
    changed = ask(*verify, env=environment)
    assert changed.returncode != 0

"""The lock to ship: a stack in the form that the requirements came in."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker

from trimtab.engines.process.requirements import read_requirements
from trimtab.stacks.errors import ResolverError, without_secrets
from trimtab.stacks.oracle import Oracle
from trimtab.stacks.pipfile import locked, pins_of, pipfile_of, read_pipfile_document
from trimtab.stacks.stack import Stack

__all__ = ["LockFile", "lock_like"]


@dataclass(frozen=True)
class LockFile:
    """A lock as it is written.

    Attributes:
        name: Of the file.
        text: Its content.
    """

    name: str
    text: str


async def lock_like(oracle: Oracle, stack: Stack, path: Path) -> LockFile:
    """Lock a stack as a project does.

    A Pipfile or its lock gives a Pipfile.lock; a uv.lock, or a pyproject.toml with one beside it, a uv.lock; a pylock.toml the
    same; all else requirements.txt with hashes.

    Args:
        oracle: That made the stack.
        stack: What to lock.
        path: The file that the requirements came from.

    Raises:
        ResolverError: uv cannot lock these versions so: with a uv.lock, which is for all platforms at once, that may be.
        RequirementsError: The file is not what it was.
    """
    name = path.name
    if name in {"Pipfile", "Pipfile.lock"}:
        return _pipfile_lock(oracle, stack, path.with_name("Pipfile"))
    if name == "uv.lock" or (name == "pyproject.toml" and path.with_name("uv.lock").is_file()):
        return await _uv_lock(oracle, stack, path.parent)
    if name.startswith("pylock.") and name.endswith(".toml"):
        return LockFile(name, await _pylock(oracle, stack))
    return LockFile("requirements.txt", stack.lock)


def _pipfile_lock(oracle: Oracle, stack: Stack, pipfile: Path) -> LockFile:
    version, url = oracle.target.version, oracle.index.default or ""
    asked = (
        read_pipfile_document(pipfile)
        if pipfile.is_file()
        else pipfile_of(oracle.project, f"{version.major}.{version.minor}", url)
    )
    return LockFile("Pipfile.lock", json.dumps(locked(asked, stack), indent=4, sort_keys=True) + "\n")


async def _pylock(oracle: Oracle, stack: Stack) -> str:
    with tempfile.TemporaryDirectory(prefix="trimtab-lock-") as folder:
        wanted = Path(folder) / "wanted.in"
        wanted.write_text(_pinned(stack))
        answer = await oracle.run(
            *("pip", "compile", "--quiet", "--no-build", "--no-header", "--no-deps", "--color", "never"),
            *("--format", "pylock.toml", *oracle.target.arguments()),
            *("--config-file", str(oracle.configuration), str(wanted)),
        )
    if answer.code:
        raise ResolverError(f"uv writes no pylock.toml of this stack: {without_secrets(answer.complaint)}")
    return without_secrets(answer.stdout)


async def _uv_lock(oracle: Oracle, stack: Stack, directory: Path) -> LockFile:
    """What uv locks in a copy of the project, held to the stack's versions.

    A uv.lock is for all platforms and Pythons of its project; only on the target does it have to be the stack.
    """
    with tempfile.TemporaryDirectory(prefix="trimtab-lock-") as folder:
        for name in ("pyproject.toml", "uv.lock"):
            if (directory / name).is_file():
                shutil.copyfile(directory / name, Path(folder) / name)
        held = [word for name, version in stack.pins.items() for word in ("-P", f"{name}=={version}")]
        where = (
            "--project",
            folder,
            "--config-file",
            str(oracle.configuration),
            "--no-build",
            "--color",
            "never",
        )
        answer = await oracle.run("lock", *where, *held)
        if answer.code:
            raise ResolverError(
                f"uv cannot lock this stack in {directory}: {without_secrets(answer.stderr).strip()[-2000:]}"
            )
        exported = await oracle.run(
            *("export", *where, "--frozen", "--quiet", "--no-dev", "--no-emit-project", "--no-header"),
            *("--no-annotate", "--format", "requirements.txt"),
        )
        text = (Path(folder) / "uv.lock").read_text()
    there = _installed(exported.stdout, oracle.target.environment)
    if exported.code or there != dict(stack.pins):
        differs = sorted(name for name, version in stack.pins.items() if there.get(name) != version)
        raise ResolverError(
            f"uv locks other versions of {', '.join(differs) or 'other packages'} in {directory}, for its lock is for all "
            "platforms; take the requirements.txt"
        )
    return LockFile("uv.lock", without_secrets(text))


def _installed(text: str, environment: Mapping[str, str]) -> dict[str, str]:
    """What exported requirements install on a target."""
    return {
        each.name: each.version
        for each in read_requirements(text.encode()).pins
        if not each.marker or Marker(each.marker).evaluate({**environment, "extra": ""})
    }


def _pinned(stack: Stack) -> str:
    return "".join(
        f"{each.name} @ {each.url}\n" if each.url else f"{each.name}=={each.version}\n"
        for each in pins_of(stack)
    )

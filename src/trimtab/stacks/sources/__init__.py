"""Where direct requirements are read from: each kind of file that a project has."""

from collections.abc import Sequence
from pathlib import Path

from trimtab.stacks.errors import RequirementsError
from trimtab.stacks.project import Project
from trimtab.stacks.sources.checking import pin_of
from trimtab.stacks.sources.pipfile import read_pipfile, read_pipfile_lock
from trimtab.stacks.sources.requirements import read_requirements
from trimtab.stacks.sources.toml import read_pylock, read_pyproject, read_uv_lock

__all__ = ["read_pins", "read_project"]


def read_project(path: Path, extras: Sequence[str] = ()) -> Project:
    """Read the requirements of a project; which kind of file it is, its name says.

    Args:
        path: pyproject.toml, Pipfile, Pipfile.lock, pylock.toml (also `pylock.NAME.toml`), uv.lock, or requirements of
            any other name. Of a lock the versions bind nothing: it says what is wanted, and where a search starts.
        extras: Optional dependencies of a pyproject.toml that are wanted, too.

    Raises:
        RequirementsError: It cannot be read, requires nothing, or has what cannot be searched.
    """
    name = path.name
    if extras and name != "pyproject.toml":
        raise RequirementsError(f"{path}: only a pyproject.toml has extras; write them as NAME[EXTRA]")
    if name == "pyproject.toml":
        project = read_pyproject(path, extras)
    elif name == "Pipfile":
        project = read_pipfile(path)
    elif name == "Pipfile.lock":
        project = read_pipfile_lock(path)
    elif name == "uv.lock":
        project = read_uv_lock(path)
    elif name.startswith("pylock.") and name.endswith(".toml"):
        project = read_pylock(path)
    else:
        project = read_requirements(path)
    if not project.requirements:
        raise RequirementsError(
            f"{path} requires nothing, so there is nothing to search; name a package in it"
        )
    return project


def read_pins(path: Path) -> dict[str, str]:
    """Version by name of a lock; also of requirements without hashes, if all are pinned.

    Args:
        path: As of `read_project`.

    Raises:
        RequirementsError: It is no lock.
    """
    project = read_project(path)
    return dict(project.pins) or dict(pin_of(each, str(path)) for each in project.requirements)

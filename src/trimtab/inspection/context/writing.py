"""Writes a build context: a directory with a Containerfile and every file it copies.

What engines may rely on (`trimtab.engines` imports nothing of this package):

- `Containerfile` in the root. Each instruction begins at the start of a line; lines that go on end in a backslash; there
  are no here documents, no comments, one stage, and no ARG.
- `entrypoint`, the run wrapper, and `script` in the root too, byte for byte, for an engine that makes no image.
- `lock/`, `home/amun/`, `files/<n>/`: where `BuildRequest.files` and the lock come from.
- Every RUN is in exec form, starts `/bin/sh /opt/trimtab/install …`, and takes what the builder's machine says of indexes,
  proxies and certificates from the variables of pip, uv, apt and curl. An engine gives them by `ARG NAME=…`, with
  `--mount=type=secret` at each RUN for the files they point to: neither is in the image then. An ENV of the specification wins.
- Lines of the build's log that begin with `trimtab:` are for people: the last one says what the image lacks (exit code 78).
- A context depends on the specification, the script and this Trimtab and its Python alone: names, contents, modes, times.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path, PurePosixPath

from trimtab.engines.request import BuildRequest
from trimtab.inspection.context.containerfile import (
    ENTRYPOINT,
    LOCK_TREE,
    SCRIPT_TREE,
    TOOLS_TREE,
    containerfile,
    needs_tools,
    wrapper_name,
)
from trimtab.inspection.context.lockfiles import lock_of, substitutes
from trimtab.inspection.context.placement import HOME_TREE, place_files
from trimtab.inspection.context.variables import LAUNCHER, encode, split
from trimtab.inspection.specification import Problem, Specification, SpecificationError, is_at_home

__all__ = ["Context", "build_request", "write_context"]

SCRIPT = "script"
_WRITABLE = ("script.stdout", "script.stderr")
_DIRECTORY, _OPEN, _FILE, _PROGRAM = 0o755, 0o777, 0o644, 0o755
_TIME = 315_532_800  # 1980-01-01, the first that a zip archive can hold


@dataclass(frozen=True, slots=True)
class Context:
    """A context that was written.

    Attributes:
        directory: Where.
        digest: `sha256:…` over names, modes and contents: the same for the same specification and script.
        files: Path in the image, and where the content is, of the files of the specification.
        script: The program that is run; None: there is none.
    """

    directory: Path
    digest: str
    files: tuple[tuple[str, Path], ...]
    script: Path | None


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file to be written, by its path in the context."""

    path: str
    data: bytes
    mode: int = _FILE


def write_context(
    specification: Specification,
    directory: Path,
    *,
    script: bytes | None = None,
    wrapper: Mapping[str, bytes] | None = None,
) -> Context:
    """Write the context of a specification.

    Args:
        specification: What is built.
        directory: Where; it is made, or empty.
        script: The script's bytes, where the specification has the URL they came from.
        wrapper: The run wrapper's files by name, `entrypoint` among them; by default ours.

    Raises:
        SpecificationError: The script was not fetched, or the specification could not be submitted today.
        FileExistsError: There is something in the directory.
        OSError: It cannot be written.
    """
    checked = specification.checked()
    program = _script(checked, script)
    entries = [_Entry("Containerfile", containerfile(checked).encode()), *_tools(checked)]
    entries += [*_files(checked), *_locks(checked)]
    if program is not None:
        entries += _programs(program, _wrapper() if wrapper is None else wrapper, wrapper_name(checked))
    _write(directory, entries)
    placed = tuple((each.target, directory / each.source) for each in place_files(checked))
    return Context(directory, _digest(directory), placed, None if program is None else directory / SCRIPT)


def build_request(
    specification: Specification,
    context: Context,
    id: str,  # noqa: A002 - its name there
    *,
    best_effort: bool = False,
) -> BuildRequest:
    """What an engine is asked to build.

    Args:
        specification: What is built.
        context: Written of it.
        id: The inspection's id.
        best_effort: Leave out what the engine cannot do, rather than refuse.
    """
    python = specification.python
    return BuildRequest(
        id=id,
        context=context.directory,
        base=specification.base,
        resources=specification.build.requests.to_resources(),
        timeout=specification.build.timeout,
        running=None if specification.script is None else specification.run.requests.to_resources(),
        lock=lock_of(specification),
        packages=specification.packages,
        python_packages=specification.python_packages,
        environment=specification.variables,
        files=context.files,
        script=context.script,
        python_version=python.required_version if python else None,
        update=specification.update,
        upgrade_pip=specification.upgrade_pip,
        best_effort=best_effort,
    )


def _script(specification: Specification, fetched: bytes | None) -> bytes | None:
    if specification.script is None:
        return None
    if fetched is not None:
        return fetched
    if specification.script_url:
        raise SpecificationError([Problem("script", f"{specification.script_url} was not fetched yet")])
    return specification.script.encode()


def _tools(specification: Specification) -> Iterator[_Entry]:
    if not needs_tools(specification):
        return
    here = files("trimtab.inspection.context")
    yield _Entry(f"{TOOLS_TREE}install", (here / "install").read_bytes(), _PROGRAM)
    _, encoded = split(specification.variables)
    if encoded:
        yield _Entry(f"{TOOLS_TREE}environment", encode(encoded))
    for name, data in substitutes(specification).items():
        yield _Entry(f"{TOOLS_TREE}lock/{name}", data)


def _files(specification: Specification) -> Iterator[_Entry]:
    for each in place_files(specification):
        yield _Entry(each.source, each.data, _OPEN if is_at_home(each.target) else _FILE)


def _locks(specification: Specification) -> Iterator[_Entry]:
    lock = lock_of(specification)
    for name, data in lock.files.items() if lock else ():
        yield _Entry(f"{LOCK_TREE}{name}", data, 0o664)


def _programs(script: bytes, wrapper: Mapping[str, bytes], name: str) -> Iterator[_Entry]:
    """In the root as they are, for an engine that makes no image; below `run` as the image has them.

    The wrapper finds what belongs to it by its own name.
    """
    yield _Entry(SCRIPT, script, _PROGRAM)
    yield _Entry(SCRIPT_TREE + SCRIPT, script, 0o775)
    for file, data in wrapper.items():
        yield _Entry(file, data, _PROGRAM)
        yield _Entry(SCRIPT_TREE + file.replace(ENTRYPOINT, name, 1), data, 0o775)
    if name != ENTRYPOINT:
        yield _Entry(SCRIPT_TREE + ENTRYPOINT, LAUNCHER.encode(), 0o775)
    for file in _WRITABLE:
        yield _Entry(SCRIPT_TREE + file, b"", 0o666)


def _wrapper() -> Mapping[str, bytes]:
    from trimtab.inspection import wrapper

    return wrapper.files()


def _write(directory: Path, entries: Iterable[_Entry]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise FileExistsError(f"{directory} is not empty; a context is written into a directory of its own")
    _make(directory, PurePosixPath(HOME_TREE) / "amun")
    for entry in entries:
        _make(directory, PurePosixPath(entry.path).parent)
        path = directory / entry.path
        path.write_bytes(entry.data)
        path.chmod(entry.mode)
    for path in [*directory.rglob("*"), directory]:
        os.utime(path, (_TIME, _TIME))


def _make(root: Path, relative: PurePosixPath) -> None:
    """Make a directory and those above it, with modes that no umask changes."""
    for path in [*reversed(relative.parents[:-1]), relative] if relative.parts else []:
        made = root / path
        made.mkdir(exist_ok=True)
        made.chmod(_OPEN if path.parts[:2] == (HOME_TREE, "amun") else _DIRECTORY)


def _digest(directory: Path) -> str:
    """Over each entry's path, mode and content, each with its length."""
    found = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        data = path.read_bytes() if path.is_file() else b""
        name = os.fsencode(path.relative_to(directory))
        found.update(b"%d %s %o %d " % (len(name), name, path.stat().st_mode, len(data)))
        found.update(data)
    return f"sha256:{found.hexdigest()}"

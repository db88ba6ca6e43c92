"""`/home/amun` without an image: a directory, made once a build and copied for each run."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from trimtab.engines.request import BuildRequest

__all__ = ["ENTRYPOINT", "HOME", "STARTER", "Layout", "lay_out"]

HOME = PurePosixPath("/home/amun")
ENTRYPOINT = "entrypoint"
STARTER = f"{ENTRYPOINT}.start"
"""Starts the wrapper, whose path is its argument, on a Python that is known: without the shell that looks for one."""
_EXECUTABLE = 0o755


@dataclass(frozen=True, slots=True)
class Layout:
    """What is copied where.

    Attributes:
        files: Source by path below the home.
        outside: Paths that are not below the home, in plain words.
    """

    files: dict[PurePosixPath, Path]
    outside: tuple[str, ...]

    @classmethod
    def of(cls, request: BuildRequest) -> "Layout":
        """Sort the files of a request."""
        files: dict[PurePosixPath, Path] = {}
        outside = []
        for target, source in request.files:
            path = PurePosixPath(os.path.normpath(target))
            if path.is_relative_to(HOME) and path != HOME:
                files[path.relative_to(HOME)] = source
            else:
                outside.append(
                    f"the file {target!r} is not below {HOME}, and this machine's own files stay as they are"
                )
        return cls(files, tuple(outside))


def lay_out(request: BuildRequest, layout: Layout, home: Path) -> None:
    """Make the home of a build: its files, its lock, its script and the wrapper.

    Args:
        request: The build.
        layout: Its files.
        home: The directory, which is made.
    """
    home.mkdir(parents=True)
    for path, source in layout.files.items():
        _copy(source, home / path)
    if request.lock:
        for name, content in request.lock.files.items():
            (home / Path(name).name).write_bytes(content)
    if request.script:
        _copy(request.script, home / "script", _EXECUTABLE)
    wrappers = sorted(request.context.glob(f"{ENTRYPOINT}*"))  # with what was compiled of it
    for wrapper in wrappers:
        _copy(wrapper, home / wrapper.name, _EXECUTABLE)
    if request.script and not wrappers:
        _copy(request.script, home / ENTRYPOINT, _EXECUTABLE)


def _copy(source: Path, target: Path, mode: int = 0o644) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(mode)

"""An image in the storage of podman or Docker on this machine, as their own `save` writes it.

It is saved into a file first: the archive's table, which orders the layers, comes last.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from trimtab.images.errors import ImageReferenceError, NotFoundError, UnavailableError
from trimtab.images.sources.archive import from_archive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trimtab.images.image import Image
    from trimtab.images.platform import Platform

__all__ = ["ENGINES", "from_storage"]

ENGINES = ("podman", "docker")
PATIENCE = 1800  # seconds for saving an image
ABSENT = ("no such image", "does not exist", "not known", "reference does not exist", "not found")


@contextmanager
def from_storage(engine: str, name: str, reference: str, platform: Platform) -> Iterator[Image]:
    """Open an image of an engine; the file it is saved into is removed at the end.

    Raises:
        NotFoundError: The engine has no such image.
        UnavailableError: There is no such engine, or it fails.
    """
    program = shutil.which(engine)
    if program is None:
        raise UnavailableError(f"there is no {engine} on this machine")
    if not name or name.startswith("-") or not name.isprintable():
        raise ImageReferenceError(f"{name[:100]!r} is no name of an image in {engine}'s storage")
    with tempfile.TemporaryDirectory(prefix="trimtab-image-") as directory:
        archive = Path(directory) / "image.tar"
        _save([program, "image", "save", "--output", str(archive), name], engine, name)
        yield from_archive(archive, reference, None, platform)


def _save(command: list[str], engine: str, name: str) -> None:
    try:
        done = subprocess.run(  # noqa: S603 # a program found on the path, a name that is no option, no shell
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"{engine} did not save the image within {PATIENCE} seconds") from None
    except OSError as error:
        raise UnavailableError(f"{engine} cannot be started: {error.strerror}") from None
    if done.returncode:
        said = " ".join(done.stderr.split())[-500:]
        if any(each in said.lower() for each in ABSENT):
            raise NotFoundError(f"{engine} has no image {name}")
        raise UnavailableError(f"{engine} could not save the image: {said or 'it says nothing'}")

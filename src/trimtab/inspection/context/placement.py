"""Where files lie in a context, and so in the image."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from trimtab.inspection.specification import HOME, Specification, is_at_home

__all__ = ["HOME_TREE", "Placed", "place_files"]

HOME_TREE = "home"
"""Directory of the context that becomes /home: it has `amun`, and in it the files that belong there."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A file of the specification.

    Attributes:
        target: Its path in the image.
        source: Its path in the context.
        group: The directory of the context that is copied as a whole.
        directory: Where the group goes in the image, with a slash at its end.
        data: What is in it.
    """

    target: str
    source: str
    group: str
    directory: str
    data: bytes


def place_files(specification: Specification) -> Iterator[Placed]:
    """The place of each file. Those below /home/amun are one group, the others one for each directory.

    A directory outside may be reached by symbolic links of the base image, which a builder follows only in the target
    of a COPY. A file's name is never part of the Containerfile: it is the file's name in the context.
    """
    groups: dict[str, str] = {}
    for target, data in _last(specification).items():
        if is_at_home(target):
            source = HOME_TREE + target.removeprefix(str(PurePosixPath(HOME).parent))
            yield Placed(target, source, HOME_TREE, "/home/", data)
            continue
        path = PurePosixPath(target)
        directory = str(path.parent)
        group = groups.setdefault(directory, f"files/{len(groups)}")
        yield Placed(target, f"{group}/{path.name}", group, directory.rstrip("/") + "/", data)


def _last(specification: Specification) -> Mapping[str, bytes]:
    """Of several files with one path the last."""
    return {each.target: each.data for each in specification.files}

"""An OCI layout: `index.json` and `blobs/`, in a directory or an archive."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from trimtab.images.blob import Blob, check
from trimtab.images.errors import CorruptError, NotFoundError
from trimtab.images.image import Image
from trimtab.images.limits import Limits
from trimtab.images.manifest import config_digest, descriptors, index_entries, parsed
from trimtab.images.platform import chosen
from trimtab.images.sources.files import read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trimtab.images.platform import Platform
    from trimtab.images.sources.files import Files

__all__ = ["from_layout", "is_called"]

DEEPEST = 4
NAME = "org.opencontainers.image.ref.name"


def from_layout(files: Files, reference: str, tag: str | None, platform: Platform) -> Image:
    """The image of a layout: the one with the tag, or the only one.

    Raises:
        NotFoundError: There is none, or several and no tag.
        CorruptError: A document is not what its digest says.
    """
    entries = index_entries(parsed(read(files, "index.json", Limits().document), "index.json")) or ()
    digest = _tagged(entries, tag, platform)["digest"]
    for _ in range(DEEPEST):
        manifest = _document(files, digest)
        inner = index_entries(manifest)
        if inner is None:
            return _image(files, reference, digest, manifest)
        digest = chosen(inner, platform)["digest"]
    raise CorruptError(f"indexes in indexes, more than {DEEPEST}")


def is_called(name: str, asked: str) -> bool:
    """Whether an image of this name is meant by its whole name, its end, or its tag alone."""
    return name == asked or name.endswith((f"/{asked}", f":{asked}"))


def _image(files: Files, reference: str, digest: str, manifest: Mapping[str, Any]) -> Image:
    layers = [Blob(each, size, partial(files.open, _path(each))) for each, size in descriptors(manifest)]
    found = config_digest(manifest)
    config = _document(files, found) if found else {}
    return Image(reference, layers, digest, config, manifest)


def _tagged(entries: Sequence[Mapping[str, Any]], tag: str | None, platform: Platform) -> Mapping[str, Any]:
    names = {_name(each): each for each in entries}
    if tag is not None:
        for name, each in names.items():
            if is_called(name, tag):
                return each
        raise NotFoundError(f"the layout has no {tag!r}; there are: {', '.join(sorted(names)) or 'none'}")
    return chosen(entries, platform)


def _name(entry: Mapping[str, Any]) -> str:
    annotations = entry.get("annotations")
    return str(annotations.get(NAME)) if isinstance(annotations, dict) else "without a name"


def _document(files: Files, digest: str) -> dict[str, Any]:
    data = read(files, _path(digest), Limits().document)
    check(data, digest)
    return parsed(data, digest)


def _path(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/")

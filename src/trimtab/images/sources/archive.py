"""What `docker save` and `podman save` write: Docker's `manifest.json`, an OCI layout, or both in one archive."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from trimtab.images.blob import Blob, is_digest
from trimtab.images.errors import CorruptError, NotFoundError
from trimtab.images.image import Image
from trimtab.images.limits import Limits
from trimtab.images.manifest import parsed
from trimtab.images.sources.files import Archived, read
from trimtab.images.sources.layout import from_layout, is_called

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from trimtab.images.platform import Platform

__all__ = ["from_archive"]


def from_archive(path: Path, reference: str, tag: str | None, platform: Platform) -> Image:
    """The image of an archive: the one with the tag, or the only one.

    Raises:
        CorruptError: This is no archive of an image.
        NotFoundError: It has no such image.
    """
    files = Archived.at(path)
    if "index.json" in files and "oci-layout" in files:
        return from_layout(files, reference, tag, platform)
    if "manifest.json" not in files:
        raise CorruptError(f"{path} is no archive of an image: it has neither index.json nor manifest.json")
    return _docker(files, reference, tag)


def _docker(files: Archived, reference: str, tag: str | None) -> Image:
    entry = _tagged(_manifests(files), tag)
    layers, name = entry.get("Layers"), entry.get("Config")
    if not isinstance(layers, list) or not isinstance(name, str):
        raise CorruptError("a manifest.json without Layers or Config")
    config = parsed(read(files, name, Limits().document), name)
    rootfs = config.get("rootfs")
    digests = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if not isinstance(digests, list) or len(digests) != len(layers) or not all(map(is_digest, digests)):
        raise CorruptError("an image whose configuration does not tell the digests of its layers")
    blobs = [
        Blob(digest, files.size(str(layer)), partial(files.open, str(layer)))
        for digest, layer in zip(digests, layers, strict=True)
    ]
    return Image(reference, blobs, None, config, entry)


def _names(entry: Mapping[str, Any]) -> list[str]:
    found = entry.get("RepoTags")
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def _manifests(files: Archived) -> list[Mapping[str, Any]]:
    try:
        found = json.loads(read(files, "manifest.json", Limits().document))
    except (ValueError, RecursionError):
        raise CorruptError("manifest.json is no JSON") from None
    if not isinstance(found, list) or not found or not all(isinstance(each, dict) for each in found):
        raise CorruptError("manifest.json is no list of images")
    return found


def _tagged(entries: Sequence[Mapping[str, Any]], tag: str | None) -> Mapping[str, Any]:
    if tag is None and len(entries) == 1:
        return entries[0]
    names = {name: each for each in entries for name in _names(each)}
    for name, each in names.items():
        if tag is not None and is_called(name, tag):
            return each
    what = f"has no {tag!r}" if tag else "holds several images; name one as PATH:TAG"
    raise NotFoundError(f"the archive {what}; there are: {', '.join(sorted(names)[:20]) or 'none'}")

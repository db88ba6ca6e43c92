"""Manifests, indexes and configurations: JSON from strangers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from trimtab.images.blob import is_digest
from trimtab.images.errors import CorruptError

__all__ = ["config_digest", "descriptors", "index_entries", "parsed"]

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)


def parsed(data: bytes, what: str) -> dict[str, Any]:
    """The object.

    Raises:
        CorruptError: This is no JSON object.
    """
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise CorruptError(f"{what} is no JSON") from None
    if not isinstance(document, dict):
        raise CorruptError(f"{what} is no JSON object")
    return document


def index_entries(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]] | None:
    """The images of an index; None of what is an image's manifest itself."""
    entries = document.get("manifests")
    if document.get("mediaType") not in INDEXES and not (
        isinstance(entries, list) and "layers" not in document
    ):
        return None
    if not isinstance(entries, list):
        raise CorruptError("an index without manifests")
    return [each for each in entries if isinstance(each, dict) and is_digest(each.get("digest"))]


def descriptors(manifest: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Digest and size of each layer, the lowest first; of the old schema 1 too, whose order is the reverse.

    Raises:
        CorruptError: This is no manifest of an image.
    """
    found: list[tuple[Any, Any]]
    if manifest.get("schemaVersion") == 1:
        layers = manifest.get("fsLayers")
        found = [(each.get("blobSum"), 0) for each in reversed(_objects(layers))]
    else:
        found = [(each.get("digest"), each.get("size")) for each in _objects(manifest.get("layers"))]
    if not all(is_digest(digest) and isinstance(size, int) for digest, size in found):
        raise CorruptError("a manifest with a layer that has no digest or size")
    return [(str(digest), int(size or 0)) for digest, size in found]


def config_digest(manifest: Mapping[str, Any]) -> str | None:
    """The digest of the configuration; None of schema 1, which has it inside."""
    config = manifest.get("config")
    digest = config.get("digest") if isinstance(config, dict) else None
    return digest if is_digest(digest) else None


def _objects(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise CorruptError("a manifest without layers: no image of containers")
    return value

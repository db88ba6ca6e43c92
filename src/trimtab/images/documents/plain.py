"""Trimtab's own document of an image's contents: every fact with the layer and path it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trimtab.images.package import identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimtab.images.contents import Contents, Interpreter
    from trimtab.images.finding import Finding
    from trimtab.images.image import Image
    from trimtab.images.package import Package, Place

__all__ = ["document", "environment"]


def document(contents: Contents) -> dict[str, Any]:
    """The document; docs/container-images.md says what each field means."""
    return {
        "image": _image(contents.image),
        "os_release": dict(contents.os_release),
        "packages": [_package(each, contents.os_release) for each in contents.packages],
        "interpreters": [_interpreter(each) for each in contents.interpreters],
        "cuda": dict(contents.cuda),
        "libraries": {path: list(versions) for path, versions in contents.libraries.items()},
        "python_files": dict(contents.python_files),
        "findings": [_finding(each) for each in contents.findings],
    }


def environment(image: Image) -> list[str]:
    """The variables containers of the image start with, as `NAME=value`."""
    found = image.setting("Env")
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def _image(image: Image) -> dict[str, Any]:
    labels = image.setting("Labels")
    return {
        "reference": image.reference,
        "digest": image.digest,
        "size": image.size,
        "layers": [{"digest": layer.digest, "size": layer.size} for layer in image.layers],
        "os": image.config.get("os"),
        "architecture": image.config.get("architecture"),
        "created": image.config.get("created"),
        "labels": labels if isinstance(labels, dict) else {},
        "environment": environment(image),
    }


def _package(package: Package, os_release: Mapping[str, str]) -> dict[str, Any]:
    return {
        "type": package.type,
        "name": package.name,
        "version": package.version,
        "purl": identifier(package, os_release).to_string(),
        "architecture": package.architecture,
        "source": package.source,
        "licence": package.licence,
        "location": package.location,
        "origin": package.origin,
        "editable": package.editable,
        "relations": {kind: list(lines) for kind, lines in package.relations.items()},
        "found": _place(package.place),
    }


def _interpreter(each: Interpreter) -> dict[str, Any]:
    return {"path": each.path, "link": each.link, "version": each.version, "found": _place(each.place)}


def _place(place: Place) -> dict[str, Any]:
    return {"path": place.path, "layer": place.layer}


def _finding(each: Finding) -> dict[str, Any]:
    return {"kind": each.kind, "message": each.message, "layer": each.layer, "path": each.path}

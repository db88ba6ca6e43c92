"""A software bill of materials in CycloneDX 1.6, as JSON."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion

from trimtab.images.package import identifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trimtab.images.contents import Contents
    from trimtab.images.package import Package

__all__ = ["cyclonedx"]


def cyclonedx(contents: Contents) -> dict[str, Any]:
    """The bill: the image as its subject, each package as a component with the path and layer it was found in."""
    bom = Bom()
    image = contents.image
    bom.metadata.component = Component(
        name=image.reference, version=image.digest or "", type=ComponentType.CONTAINER, bom_ref="image"
    )
    bom.metadata.tools.components.add(
        Component(name="trimtab", version=version("trimtab"), type=ComponentType.APPLICATION)
    )
    if name := contents.os_release.get("id"):
        bom.components.add(
            Component(
                name=name,
                version=contents.os_release.get("version_id", ""),
                type=ComponentType.OPERATING_SYSTEM,
                bom_ref="operating-system",
            )
        )
    for number, package in enumerate(contents.packages):
        bom.components.add(_component(number, package, contents.os_release))
    bom.register_dependency(bom.metadata.component, bom.components)
    document: dict[str, Any] = json.loads(
        make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string()
    )
    return document


def _component(number: int, package: Package, os_release: Mapping[str, str]) -> Component:
    return Component(
        name=_text(package.name),
        version=_text(package.version),
        type=ComponentType.LIBRARY,
        bom_ref=f"package-{number}",
        purl=identifier(package, os_release),
        licenses=[DisjunctiveLicense(name=_text(package.licence))] if package.licence else None,
        properties=[Property(name=f"trimtab:{name}", value=_text(value)) for name, value in _places(package)],
    )


def _places(package: Package) -> Iterator[tuple[str, str]]:
    yield "path", package.place.path
    if package.place.layer:
        yield "layer", package.place.layer
    if package.location:
        yield "location", package.location


def _text(value: str) -> str:
    """What is no text of Unicode, replaced: paths in an image are bytes."""
    return value.encode("utf-8", "replace").decode()

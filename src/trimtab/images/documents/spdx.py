"""A software bill of materials in SPDX 2.3, as JSON: a small format, written by hand."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from trimtab.images.package import identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimtab.images.contents import Contents
    from trimtab.images.package import Package

__all__ = ["spdx"]

IMAGE = "SPDXRef-Image"
UNKNOWN = "NOASSERTION"


def spdx(contents: Contents, created: datetime | None = None) -> dict[str, Any]:
    """The bill: a document that describes the image, which contains each package."""
    image = contents.image
    moment = (created or datetime.now(UTC)).astimezone(UTC)
    packages = [_package(number, each, contents.os_release) for number, each in enumerate(contents.packages)]
    subject = {
        "SPDXID": IMAGE,
        "name": image.reference,
        "versionInfo": image.digest or UNKNOWN,
        "downloadLocation": UNKNOWN,
        "primaryPackagePurpose": "CONTAINER",
        "filesAnalyzed": False,
    }
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": image.reference,
        "documentNamespace": _namespace(contents, moment),
        "creationInfo": {
            "created": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            "creators": [f"Tool: trimtab-{version('trimtab')}"],
        },
        "packages": [subject, *packages],
        "relationships": [
            _related("SPDXRef-DOCUMENT", "DESCRIBES", IMAGE),
            *(_related(IMAGE, "CONTAINS", each["SPDXID"]) for each in packages),
        ],
    }


def _package(number: int, package: Package, os_release: Mapping[str, str]) -> dict[str, Any]:
    layer = f" of layer {package.place.layer}" if package.place.layer else ""
    return {
        "SPDXID": f"SPDXRef-Package-{number}",
        "name": package.name,
        "versionInfo": package.version,
        "downloadLocation": UNKNOWN,
        "filesAnalyzed": False,
        "sourceInfo": f"found in {package.place.path}{layer}",
        "licenseDeclared": UNKNOWN,  # what packages say is no SPDX expression as a rule
        "licenseComments": package.licence,
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": identifier(package, os_release).to_string(),
            }
        ],
    }


def _related(one: str, how: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": how, "relatedSpdxElement": other}


def _namespace(contents: Contents, moment: datetime) -> str:
    told = f"{contents.image.reference} {contents.image.digest} {moment.isoformat()}"
    return f"https://trimtab.example/spdx/{hashlib.sha256(told.encode('utf-8', 'replace')).hexdigest()}"

"""What is in an image: the value that documents, tables and comparisons are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trimtab.images.finding import Finding, Findings
from trimtab.images.image import Image
from trimtab.images.limits import Limits
from trimtab.images.package import Package, Place

if TYPE_CHECKING:
    from trimtab.images.databases.reading import Reading

__all__ = ["Contents", "Interpreter", "contents"]


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python interpreter, known by its files: nothing of an image is executed.

    Parameters:
        path: Its name in the image.
        link: The file its name leads to, where it is a link.
        version: As far as its files tell: `3.11.2`, or `3.11`.
        place: The file that tells the version, or the interpreter itself.
    """

    path: str
    link: str | None
    version: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in an image.

    Parameters:
        image: Where it was read from, its layers and its configuration.
        os_release: Of what system it is; nothing for an image made from scratch.
        packages: What is installed, ordered by type, name and place.
        python_files: SHA-256 by path of each `*.py`.
        interpreters: The Pythons.
        libraries: Symbol versions that each shared library of the search path defines, by path.
        cuda: Versions of CUDA and its libraries, by the file that tells.
        files: Parsed files of interest to one analysis: `Pipfile`, `Pipfile.lock`.
        findings: What was odd.
    """

    image: Image
    os_release: Mapping[str, str] = field(default_factory=dict)
    packages: Sequence[Package] = ()
    python_files: Mapping[str, str] = field(default_factory=dict)
    interpreters: Sequence[Interpreter] = ()
    libraries: Mapping[str, Sequence[str]] = field(default_factory=dict)
    cuda: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, object] = field(default_factory=dict)
    findings: Sequence[Finding] = ()


def contents(image: Image, limits: Limits | None = None) -> Contents:
    """Read an image.

    Raises:
        ImageError: It cannot be had, or is not what its digests say. What is odd inside it is a finding instead.
    """
    from trimtab.images.databases import PACKAGES
    from trimtab.images.databases.reading import Reading
    from trimtab.images.facts import INTERESTS, interpreters, libraries, python_files, versions
    from trimtab.images.facts.os_release import os_release
    from trimtab.images.interests import Interests
    from trimtab.images.scan import scanned

    findings = Findings()
    wanted = Interests([each for reader in PACKAGES for each in reader.INTERESTS] + list(INTERESTS))
    with scanned(image.layers, wanted, limits or Limits(), findings) as tree:
        reading = Reading(tree, [layer.digest for layer in image.layers], findings)
        found = [package for reader in PACKAGES for package in reader.packages(reading)]
        if moved := image.moved():
            findings.add("moved-tag", f"its tag names another image by now: {moved[:200]}")
        return Contents(
            image,
            os_release(reading),
            sorted(found, key=_order),
            python_files(reading),
            interpreters(reading),
            libraries(reading),
            versions(reading),
            _pipfiles(reading),
            list(findings),
        )


def _order(package: Package) -> tuple[str, str, str, str]:
    return package.type, package.name, package.version, package.place.path


def _pipfiles(reading: Reading) -> dict[str, object]:
    from trimtab.images.facts.pipfile import pipfiles

    return pipfiles(reading)

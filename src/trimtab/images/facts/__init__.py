"""Facts of an image that are no packages."""

from trimtab.images.facts import cuda, elf, os_release, pipfile
from trimtab.images.facts import interpreters as pythons
from trimtab.images.facts import python_files as sources
from trimtab.images.facts.cuda import versions
from trimtab.images.facts.elf import libraries
from trimtab.images.facts.interpreters import interpreters
from trimtab.images.facts.python_files import python_files

__all__ = ["INTERESTS", "interpreters", "libraries", "python_files", "versions"]

INTERESTS = (
    *os_release.INTERESTS,
    *sources.INTERESTS,
    *pythons.INTERESTS,
    *elf.INTERESTS,
    *cuda.INTERESTS,
    *pipfile.INTERESTS,
)

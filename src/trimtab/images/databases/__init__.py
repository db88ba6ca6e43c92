"""Databases of packages, read natively: nothing of an image is executed, and no tool of its system is needed.

Each module has `INTERESTS`, the files it wants, and `packages`, which makes packages of them.
"""

from trimtab.images.databases import apk, conda, dpkg, golang, java, npm, python, rpm

__all__ = ["PACKAGES"]

PACKAGES = (apk, conda, dpkg, golang, java, npm, python, rpm)

"""Where images are read from, behind one function."""

from trimtab.images.sources.opened import Access, opened
from trimtab.images.sources.registry.credentials import Credentials

__all__ = ["Access", "Credentials", "opened"]

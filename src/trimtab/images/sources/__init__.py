"""Where images are read from, behind one function."""

from trimtab.images.sources.opened import Access, opened

__all__ = ["Access", "opened"]

"""Where images are read from, behind one function."""

from trimtab.images.sources.opened import Access, opened, tags
from trimtab.images.sources.registry.credentials import Credentials
from trimtab.images.sources.registry.retries import Retries

__all__ = ["Access", "Credentials", "Retries", "opened", "tags"]

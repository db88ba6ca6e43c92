"""Where images are read from, behind one function."""

from trimtab.images.sources.opened import Access, in_registry, opened
from trimtab.images.sources.registry.credentials import Credentials, stored_credentials

__all__ = ["Access", "Credentials", "in_registry", "opened", "stored_credentials"]

"""Where images are read from, behind one function."""

from trimtab.images.sources.opened import Access, in_registry, opened, tags
from trimtab.images.sources.registry.credentials import Credentials, stored_credentials
from trimtab.images.sources.registry.retries import Retries

__all__ = ["Access", "Credentials", "Retries", "in_registry", "opened", "stored_credentials", "tags"]

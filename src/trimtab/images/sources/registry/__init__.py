"""Images in a registry, by the OCI distribution API."""

from trimtab.images.sources.registry.client import Registry, from_registry
from trimtab.images.sources.registry.credentials import Credentials, stored_credentials

__all__ = ["Credentials", "Registry", "from_registry", "stored_credentials"]

"""Contents of an image as documents that others read."""

from trimtab.images.documents.legacy import analysis
from trimtab.images.documents.plain import document

__all__ = ["analysis", "document"]

"""Contents of an image as documents that others read."""

from trimtab.images.documents.legacy import Circumstances, analysis, envelope, metadata
from trimtab.images.documents.plain import document

__all__ = ["Circumstances", "analysis", "document", "envelope", "metadata"]

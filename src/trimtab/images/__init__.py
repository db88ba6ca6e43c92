"""Container images: where they are read from, their layers, and what is in them.

Nothing of an image is executed, and nothing is unpacked: layers are streamed, and only the files that tell something are
kept while they are read. What is odd becomes a finding; what cannot be had, or is not what its digest says, an error.
"""

from trimtab.images.contents import Contents, Interpreter, contents
from trimtab.images.errors import (
    AccessError,
    CertificateError,
    CorruptError,
    ImageError,
    ImageReferenceError,
    LimitError,
    NotFoundError,
    RateLimitError,
    UnavailableError,
)
from trimtab.images.finding import Finding
from trimtab.images.image import Image
from trimtab.images.limits import Limits
from trimtab.images.package import Package, Place, identifier
from trimtab.images.reference import Reference
from trimtab.images.sources import Access, Credentials, in_registry, opened, stored_credentials

__all__ = [
    "Access",
    "AccessError",
    "CertificateError",
    "Contents",
    "CorruptError",
    "Credentials",
    "Finding",
    "Image",
    "ImageError",
    "ImageReferenceError",
    "Interpreter",
    "LimitError",
    "Limits",
    "NotFoundError",
    "Package",
    "Place",
    "RateLimitError",
    "Reference",
    "UnavailableError",
    "contents",
    "identifier",
    "in_registry",
    "opened",
    "stored_credentials",
]

"""What can be wrong with an image, or with reading it.

ImageError
├── ImageReferenceError the text names no image
├── NotFoundError       there is no such image, manifest or blob
├── CorruptError        what was read is not what its digest or its format says
├── LimitError          the image is larger than the reader was told to read
└── UnavailableError    the place it is in cannot be used now
    ├── AccessError     it wants credentials, other credentials, or refuses these rights
    ├── CertificateError  its certificate is not trusted
    └── RateLimitError  it asks to come back later
"""

__all__ = [
    "AccessError",
    "CertificateError",
    "CorruptError",
    "ImageError",
    "ImageReferenceError",
    "LimitError",
    "NotFoundError",
    "RateLimitError",
    "UnavailableError",
]


class ImageError(RuntimeError):
    """Anything wrong with an image. No message holds a secret."""

    passing = False
    """Whether trying later may help, with nothing changed."""


class ImageReferenceError(ImageError, ValueError):
    """A text that names no image."""


class NotFoundError(ImageError, LookupError):
    """There is no such image, manifest or blob."""


class CorruptError(ImageError, ValueError):
    """What was read is not what its digest, or its format, says."""


class LimitError(ImageError):
    """More than the reader was told to read."""


class UnavailableError(ImageError):
    """The place an image is in cannot be used now."""

    passing = True


class AccessError(UnavailableError):
    """The place wants credentials, or refuses these."""

    passing = False


class CertificateError(UnavailableError):
    """The certificate of the place is not trusted."""

    passing = False


class RateLimitError(UnavailableError):
    """The place asks to come back later.

    Parameters:
        after: After how many seconds, where it says so.
    """

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after

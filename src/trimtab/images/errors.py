"""What can be wrong with an image, or with reading it.

ImageError
├── ImageReferenceError the text names no image
├── IncompleteCredentialsError  a user without a password, or a password without a user
├── NotFoundError       there is no such image, manifest or blob
│   ├── ManifestUnknownError    the repository has no such tag or digest
│   └── RepositoryUnknownError  the registry has no such repository
├── CorruptError        what was read is not what its digest or its format says
├── LimitError          the image is larger than the reader was told to read
└── UnavailableError    the place it is in cannot be used now
    ├── AccessError     it wants credentials, other credentials, or refuses these rights
    │   ├── CredentialsMissingError  it wants credentials, and none are known
    │   ├── CredentialsRefusedError  it does not take these
    │   └── ForbiddenError           it takes them, and they do not allow it
    ├── CertificateError  its certificate is not trusted
    └── RateLimitError  it asks to come back later
"""

__all__ = [
    "AccessError",
    "CertificateError",
    "CorruptError",
    "CredentialsMissingError",
    "CredentialsRefusedError",
    "ForbiddenError",
    "ImageError",
    "ImageReferenceError",
    "IncompleteCredentialsError",
    "LimitError",
    "ManifestUnknownError",
    "NotFoundError",
    "RateLimitError",
    "RepositoryUnknownError",
    "UnavailableError",
]


class ImageError(RuntimeError):
    """Anything wrong with an image. No message holds a secret."""

    transient = False
    """Whether trying later may help, with nothing changed."""


class ImageReferenceError(ImageError, ValueError):
    """A text that names no image."""


class IncompleteCredentialsError(ImageError, ValueError):
    """A user without a password, or a password without a user: both have to be given."""


class NotFoundError(ImageError, LookupError):
    """There is no such image, manifest or blob."""


class ManifestUnknownError(NotFoundError):
    """The repository has no such tag or digest."""


class RepositoryUnknownError(NotFoundError):
    """The registry has no such repository."""


class CorruptError(ImageError, ValueError):
    """What was read is not what its digest, or its format, says."""


class LimitError(ImageError):
    """More than the reader was told to read."""


class UnavailableError(ImageError):
    """The place an image is in cannot be used now.

    Parameters:
        after: After how many seconds it asks to come back, where it says so.
        transient: Whether it may well be had later.
    """

    def __init__(self, message: str, after: float | None = None, *, transient: bool = False) -> None:
        super().__init__(message)
        self.after = after
        self.transient = transient


class AccessError(UnavailableError):
    """The place wants credentials, or refuses these."""


class CredentialsMissingError(AccessError):
    """The place wants credentials, and none are known."""


class CredentialsRefusedError(AccessError):
    """The place does not take these credentials."""


class ForbiddenError(AccessError):
    """The credentials are right, and do not allow what was asked for."""


class CertificateError(UnavailableError):
    """The certificate of the place is not trusted."""


class RateLimitError(UnavailableError):
    """The place asks to come back later: `after` so many seconds, where it says so."""

    def __init__(self, message: str, after: float | None = None, *, transient: bool = True) -> None:
        super().__init__(message, after, transient=transient)

"""What can be wrong with the store.

StoreError
├── StoreURLError          the URL names no store that can be used
├── NotFoundError          there is no such object
│   ├── InvalidKeyError    nor can there be: a name that no object may have
│   └── CacheMissError     nothing is known of it yet
├── DocumentError          an object that should be a JSON document is none: torn, or foreign
├── TooLargeError          an object larger than the reader wants to hold
└── UnavailableError       the store cannot be used now
    ├── UnreachableError   it does not answer
    ├── AccessError        it refuses these credentials, or these rights
    ├── BucketError        there is no such bucket
    ├── ReadOnlyError      it can be read, but not written
    └── FullError          no space, or no quota, is left
"""

__all__ = [
    "AccessError",
    "BucketError",
    "CacheMissError",
    "DocumentError",
    "FullError",
    "InvalidKeyError",
    "NotFoundError",
    "ReadOnlyError",
    "StoreError",
    "StoreURLError",
    "TooLargeError",
    "UnavailableError",
    "UnreachableError",
]


class StoreError(RuntimeError):
    """Anything wrong with the store. No message holds a secret."""


class StoreURLError(StoreError, ValueError):
    """A URL that names no store Trimtab can use."""


class NotFoundError(StoreError, LookupError):
    """There is no such object."""


class InvalidKeyError(NotFoundError, ValueError):
    """A name that no object may have."""


class CacheMissError(NotFoundError):
    """A cache knows nothing of what was asked for."""


class DocumentError(StoreError, ValueError):
    """An object that should be a JSON document, and is none."""


class TooLargeError(StoreError):
    """An object larger than the reader wants to hold; it can be streamed."""


class UnavailableError(StoreError):
    """The store cannot be used now."""


class UnreachableError(UnavailableError):
    """The store does not answer."""


class AccessError(UnavailableError):
    """The store refuses these credentials, or they lack the right."""


class BucketError(UnavailableError):
    """There is no such bucket."""


class ReadOnlyError(UnavailableError):
    """The store can be read, but not written."""


class FullError(UnavailableError):
    """No space, or no quota, is left."""

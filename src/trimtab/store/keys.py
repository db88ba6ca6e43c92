"""Names of objects. They come from outside, and become paths: so they are plain."""

import re

from trimtab.store.errors import InvalidKeyError

__all__ = ["check_key", "check_name", "is_name", "join"]

SEGMENT = re.compile(r"[A-Za-z0-9@_+=,:.~-]{1,200}")
LENGTH = 900  # of the 1024 bytes that S3 has, some are the prefix's


def is_name(name: str) -> bool:
    """Whether an object may be called so; see `check_name`."""
    return SEGMENT.fullmatch(name) is not None and set(name) != {"."}


def check_name(name: str) -> str:
    """A name without folders, as it is.

    Raises:
        InvalidKeyError: It has other characters than letters, digits and `@_+=,:.~-`, is longer than 200, or is
            one of the names by which a file system calls directories.
    """
    if not is_name(name):
        raise InvalidKeyError(f"{name[:80]!r} is no name that an object may have")
    return name


def check_key(key: str) -> str:
    """Names joined by `/`, as they are.

    Raises:
        InvalidKeyError: One of them is none, or all together are longer than 900 characters.
    """
    if len(key) > LENGTH:
        raise InvalidKeyError(f"{key[:80]!r}... is longer than {LENGTH} characters")
    for name in key.split("/"):
        check_name(name)
    return key


def join(*names: str | None) -> str:
    """Names or keys joined by `/`, the empty ones left out."""
    return "/".join(each for each in names if each)

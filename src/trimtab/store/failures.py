"""What the object storage library says, in our words: what is wrong, where, and what to do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from obstore import exceptions

from trimtab.store.errors import (
    AccessError,
    BucketError,
    FullError,
    InvalidKeyError,
    NotFoundError,
    ReadOnlyError,
    StoreError,
    UnavailableError,
    UnreachableError,
)

__all__ = ["translated"]

# Numbers of Linux, which the library puts into its messages.
DENIED = {"1", "13"}
READ_ONLY = {"30"}
FULL = {"28", "122", "27"}
NOT_OURS = {"20", "21", "36"}  # a file where a directory is wanted, the reverse, a name too long
WRONG_CREDENTIALS = {"SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidToken", "ExpiredToken"}
NO_QUOTA = {"QuotaExceeded", "EntityTooLarge", "InsufficientStorage", "507"}


@contextmanager
def translated(url: str, key: str = "", *, reading: bool = False) -> Iterator[None]:
    """Raise what the library raises as an error of the store.

    Args:
        url: Of the store.
        key: Of the object, if it is about one.
        reading: Whether it was looked for: what cannot be there is then missing.
    """
    try:
        yield
    except (exceptions.BaseError, FileNotFoundError) as error:
        if not _of_library(error):
            raise
        # The library's text may be long, and hold the identifier of the key: it is not chained.
        raise _translate(str(error), url, key, missing=_missing(error, reading)) from None


def _of_library(error: Exception) -> bool:
    # The library raises FileNotFoundError itself; that of a file to be stored has an errno.
    return not isinstance(error, FileNotFoundError) or error.errno is None


def _missing(error: Exception, reading: bool) -> bool:  # noqa: FBT001 # private
    number = _find(r"os error (\d+)", str(error))
    return isinstance(error, FileNotFoundError) or (reading and number in NOT_OURS)


def _translate(text: str, url: str, key: str, *, missing: bool) -> StoreError:
    number = _find(r"os error (\d+)", text)
    code = _find(r"<Code>(\w+)</Code>", text) or _find(r"status code: (\d{3})", text)
    if code == "NoSuchBucket":
        return BucketError(f"{url}: there is no such bucket; make it, or name another")
    if missing:
        return NotFoundError(f"{url} has no {key}")
    if number:
        return _of_file_system(number, text, url, key)
    return _of_server(code, url, key) if code else _of_nobody(text, url)


def _of_nobody(text: str, url: str) -> StoreError:
    if "non-unicode" in text:
        return UnavailableError(
            f"{url} has a file whose name is no text ({_first_line(text)}); rename or remove it"
        )
    if "HTTP error" in text or "timed out" in text:
        return UnreachableError(
            f"{url}: the server does not answer; is AWS_ENDPOINT_URL right, and the server up?"
        )
    return UnavailableError(f"{url}: {_first_line(text)}")


def _of_file_system(number: str, text: str, url: str, key: str) -> StoreError:
    if number in FULL:
        return FullError(f"{url} is full: {key} cannot be written; make room, or raise the quota")
    if number in READ_ONLY:
        return ReadOnlyError(
            f"{url} is read-only: {key} cannot be written; mount it for writing, or name another store"
        )
    if number in DENIED:
        return AccessError(
            f"{url}: no permission for {key or 'it'}; it must belong to the user that Trimtab runs as"
        )
    if number in NOT_OURS:
        return InvalidKeyError(
            f"{url}: {key} is in the way of another name, or too long for this file system"
        )
    return UnavailableError(f"{url}: {_first_line(text)}")


def _of_server(code: str, url: str, key: str) -> StoreError:
    if code in NO_QUOTA:
        return FullError(
            f"{url} is full ({code}): {key} cannot be written; raise the quota, or delete something"
        )
    if code in WRONG_CREDENTIALS:
        return AccessError(
            f"{url}: the server refuses the key or its secret ({code}); see AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    if code in {"AccessDenied", "403", "401"}:
        return AccessError(
            f"{url}: this key may not do that ({code}); its policy must allow to list, read, write and delete"
        )
    if code in {"503", "SlowDown", "ServiceUnavailable", "500", "502", "504", "InternalError"}:
        return UnreachableError(f"{url}: the server cannot answer now ({code}); try again later")
    return UnavailableError(f"{url}: the server answers {code}" + (f" for {key}" if key else ""))


def _find(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text)
    return found.group(1) if found else None


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:300]

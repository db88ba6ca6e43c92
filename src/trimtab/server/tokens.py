"""The tokens a server accepts; it holds their digests alone."""

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from trimtab.settings import ServerSettings

__all__ = ["TokenError", "Tokens"]

MIN_LENGTH = 16
MAX_FILE = 1 << 20
_DIGEST = re.compile(r"sha256:([0-9a-fA-F]{64})")


class TokenError(ValueError):
    """A token, or a file of tokens, that cannot be used. No message holds a token."""


class Tokens:
    """The tokens that are accepted; none at all means that everybody is.

    Args:
        digests: SHA-256 of each. Tokens are random, so that no slower hash is needed to keep them from being guessed.
    """

    def __init__(self, digests: Iterable[bytes] = ()) -> None:
        self._digests = tuple(digests)

    def __bool__(self) -> bool:
        return bool(self._digests)

    @classmethod
    def from_settings(cls, settings: ServerSettings) -> "Tokens":
        """Those of the settings: one by value, more in a file.

        Raises:
            TokenError: The file cannot be read, or a token is too short.
        """
        one = [] if settings.token is None else [_digest("TRIMTAB_TOKEN", settings.token.get_secret_value())]
        return cls([*one, *(_read(settings.token_file) if settings.token_file else ())])

    def accepts(self, token: str | None) -> bool:
        """Whether this token is one of them; takes as long whichever it is."""
        if not self._digests:
            return True
        found = hashlib.sha256((token or "").encode("utf-8", "surrogateescape")).digest()
        return any([hmac.compare_digest(found, each) for each in self._digests])  # noqa: C419 # every one is compared


def _read(path: Path) -> Iterator[bytes]:
    """Digests of the tokens in a file: one a line, in clear or as sha256:<hex>; # begins a comment."""
    try:
        with path.open(encoding="utf-8") as file:
            lines = file.read(MAX_FILE).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TokenError(f"the token file {path} cannot be read: {error}") from error
    found = [
        _digest(f"{path}:{number}", line.strip()) for number, line in enumerate(lines, 1) if _holds(line)
    ]
    if not found:
        raise TokenError(
            f"the token file {path} holds no token; write one a line (`trimtab token` makes one)"
        )
    yield from found


def _holds(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _digest(place: str, token: str) -> bytes:
    if kept := _DIGEST.fullmatch(token):
        return bytes.fromhex(kept[1])
    if len(token) < MIN_LENGTH:
        raise TokenError(
            f"{place}: a token of fewer than {MIN_LENGTH} characters; make one by `trimtab token`"
        )
    return hashlib.sha256(token.encode()).digest()

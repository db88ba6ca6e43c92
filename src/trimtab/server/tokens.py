"""The tokens a server accepts, and whose they are; it holds their digests alone."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from pathlib import Path

from trimtab.server.caller import ANYBODY, Caller, Scope
from trimtab.settings import ServerSettings

__all__ = ["TokenError", "Tokens"]

MIN_LENGTH = 16
MAX_FILE = 1 << 20
_DIGEST = re.compile(r"sha256:([0-9a-fA-F]{64})")
_NAMED = re.compile(rf"([A-Za-z0-9][A-Za-z0-9@._+-]{{0,63}}):({'|'.join(Scope)}):(.*)", re.DOTALL)


class TokenError(ValueError):
    """A token, or a file of tokens, that cannot be used. No message holds a token."""


class Tokens:
    """The tokens that are accepted; none at all means that everybody is, and may do everything.

    Args:
        callers: Whose each is, by its SHA-256. Tokens are random, so that no slower hash is needed to keep them from
            being guessed.
    """

    def __init__(self, callers: Mapping[bytes, Caller] | None = None) -> None:
        self._callers = dict(callers or {})

    def __bool__(self) -> bool:
        return bool(self._callers)

    @classmethod
    def from_settings(cls, settings: ServerSettings) -> "Tokens":
        """Those of the settings: one by value, more in a file.

        Raises:
            TokenError: The file cannot be read, a token is too short, or one is there twice for different callers.
        """
        found: dict[bytes, Caller] = {}
        if settings.token is not None:
            _add(found, "TRIMTAB_TOKEN", settings.token.get_secret_value())
        if settings.token_file is not None:
            _read(found, settings.token_file)
        return cls(found)

    def caller(self, token: str | None) -> Caller | None:
        """Whose token this is; None: it is none of these. Takes as long whichever it is."""
        if not self._callers:
            return ANYBODY
        digest = hashlib.sha256((token or "").encode("utf-8", "surrogateescape")).digest()
        found = [caller for each, caller in self._callers.items() if hmac.compare_digest(digest, each)]
        return found[0] if found else None


def _read(found: dict[bytes, Caller], path: Path) -> None:
    """The tokens of a file: one a line, # begins a comment."""
    try:
        with path.open(encoding="utf-8") as file:
            lines = file.read(MAX_FILE).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TokenError(f"the token file {path} cannot be read: {error}") from error
    held = [(number, line.strip()) for number, line in enumerate(lines, 1) if _holds(line)]
    if not held:
        raise TokenError(
            f"the token file {path} holds no token; write one a line (`trimtab token` makes one)"
        )
    for number, line in held:
        _add(found, f"{path}:{number}", line)


def _holds(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _add(found: dict[bytes, Caller], place: str, line: str) -> None:
    """A token in clear or as sha256:<hex>, which may do everything; or one behind `<name>:<scope>:`."""
    named = _NAMED.fullmatch(line)
    caller, token = (Caller(named[1], Scope(named[2])), named[3]) if named else (ANYBODY, line)
    if found.setdefault(_digest(place, token), caller) != caller:
        raise TokenError(f"{place}: the same token is there for another name or scope; make one for each")


def _digest(place: str, token: str) -> bytes:
    if kept := _DIGEST.fullmatch(token):
        return bytes.fromhex(kept[1])
    if len(token) < MIN_LENGTH:
        raise TokenError(
            f"{place}: a token of fewer than {MIN_LENGTH} characters; make one by `trimtab token`"
        )
    return hashlib.sha256(token.encode()).digest()

"""A proof that a document is the wrapper's: a digest over it with a secret that the script was not given.

It stands as the last member, over all that is before it: the bytes, not their meaning. Whoever rewrites the document
verifies it first.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_START, _END = b',\n  "proof": "', b'"\n}\n'
_NONE = b',\n  "proof": null\n}\n'
_DIGITS = 64


def sha256(data: bytes = b"") -> "object":
    """A digest, of the module behind the public one where there is: that loads a library of cryptography."""
    try:
        from _sha256 import sha256 as make  # type: ignore[import-not-found] # up to 3.11
    except ImportError:
        try:
            from _sha2 import sha256 as make  # type: ignore[import-not-found] # from 3.12 on
        except ImportError:
            from hashlib import sha256 as make
    return make(data)


def sealed(pieces: "Iterator[bytes]", token: str) -> "Iterator[bytes]":
    """A document's pieces but for its end, and then the proof and the end; without a token the proof is null."""
    digest = sha256()
    for piece in pieces:
        if token:
            digest.update(piece)  # type: ignore[attr-defined] # a digest of any of three modules
        yield piece
    yield _START + _proof(digest, token) + _END if token else _NONE


def proved(data: bytes, token: str) -> bool:
    """Whether a document, as it was written, was made with the token."""
    body, found, end = data.rpartition(_START)
    if not found or not token or len(end) != _DIGITS + len(_END) or not end.endswith(_END):
        return False
    # Both are digests of the same length; how far they agree tells nothing of the token.
    return end[:_DIGITS] == _proof(sha256(body), token)


def _proof(digest: object, token: str) -> bytes:
    """Both sides of the inner digest hold the secret, so none of it can be extended; a shell can do this, too."""
    secret = token.encode("utf-8", "surrogateescape")
    inner = digest.hexdigest().encode()  # type: ignore[attr-defined] # the same
    return sha256(secret + b":" + inner + b":" + secret).hexdigest().encode()  # type: ignore[attr-defined, no-any-return]

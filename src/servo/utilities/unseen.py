"""Text of strangers on a terminal: what it would obey, or nobody would see, made visible."""

import re

__all__ = ["UNSEEN", "visible"]

UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls but for tabs and line ends, marks of direction, half surrogates."""


def visible(text: str) -> str:
    """Return ``text`` with escapes for what is unseen; a JSON document still says the same."""
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)

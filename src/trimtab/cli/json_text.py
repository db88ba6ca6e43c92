"""Documents as JSON for a terminal or a program: readable in any language, and moving no terminal."""

import re
from typing import Any

__all__ = ["UNSEEN", "json_text"]

UNSEEN = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What JSON lets stand and a terminal obeys, or what is no character at all: controls, directions, half surrogates."""


def json_text(document: Any) -> str:
    """The document, indented; what is not to be seen is written as an escape, so that the value stays the same."""
    import json

    text = json.dumps(document, indent=2, ensure_ascii=False)
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)

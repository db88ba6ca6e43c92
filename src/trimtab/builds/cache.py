"""By what it is known that something was analysed before: the original's keys, so that its caches are read."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

__all__ = ["image_key", "log_key"]


def image_key(digest: str, image: str) -> str:
    """Of an image.

    Args:
        digest: Of its manifest.
        image: As it was asked for.
    """
    return f"{digest}+{_sha256(image)}"


def log_key(document: Mapping[str, Any]) -> str:
    """Of a log, as it was sent."""
    return _sha256(document)


def _sha256(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("ascii")).hexdigest()

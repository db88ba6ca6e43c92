"""The hash by which a Pipfile.lock knows its Pipfile."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

__all__ = ["pipfile_hash"]


def pipfile_hash(pipfile: Mapping[str, Any]) -> str:
    """SHA-256, in hex, of a Pipfile's sources, requirements of Python, and packages, as pipenv computes it.

    Args:
        pipfile: As JSON has it: `source`, `requires`, `packages`, `dev-packages`.
    """
    document = {
        "_meta": {"sources": pipfile.get("source") or [], "requires": pipfile.get("requires") or {}},
        "default": pipfile.get("packages") or {},
        "develop": pipfile.get("dev-packages") or {},
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

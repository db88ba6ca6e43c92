"""The files of a lock."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import tomli_w

from trimtab.engines.request import Lock
from trimtab.inspection.specification import Specification

__all__ = ["lock_of", "substitutes"]

INDEX = "${TRIMTAB_INDEX}"
"""Both installers put variables into URLs; what the image's pip uses is this one's value."""


def lock_of(specification: Specification) -> Lock | None:
    """The lock of a specification, as files; None if it has none.

    A Pipfile is written as TOML, its lock as pipenv writes it: sorted, indented by four.
    """
    stack = specification.python
    if stack is None or stack.kind is None:
        return None
    if stack.lock is not None:
        texts = {name: text.encode() for name, text in stack.lock.files.items()}
        return Lock(stack.lock.kind, texts, specification.installer)
    return Lock(
        "pipfile", _pipfile_files(stack.requirements, stack.requirements_locked), specification.installer
    )


def substitutes(specification: Specification) -> dict[str, bytes]:
    """What a Pipfile and its lock are installed from, if they name an index that is none; else nothing.

    The host of documentation (`pypi.example`) stands for the index that pip uses. The files under test stay as they are.
    """
    stack = specification.python
    pipfile, locked = (stack.requirements, stack.requirements_locked) if stack else (None, None)
    if not pipfile or not locked:
        return {}
    meta = locked.get("_meta") or {}
    changed = {**pipfile, "source": _sources(pipfile.get("source"))}
    changed_meta = {**meta, "sources": _sources(meta.get("sources"))}
    if changed["source"] == (pipfile.get("source") or []) and changed_meta["sources"] == (
        meta.get("sources") or []
    ):
        return {}
    if (meta.get("hash") or {}).get("sha256") == _hash(
        pipfile
    ):  # else its installer has to see that it is not
        changed_meta["hash"] = {"sha256": _hash(changed)}
    return _pipfile_files(changed, {**locked, "_meta": changed_meta})


def _pipfile_files(pipfile: Any, locked: Any) -> dict[str, bytes]:
    text = tomli_w.dumps(_without_null(pipfile or {})).encode()
    return {"Pipfile": text, "Pipfile.lock": json.dumps(locked, indent=4, sort_keys=True).encode() + b"\n"}


def _sources(sources: Any) -> list[Mapping[str, Any]]:
    return [{**each, "url": INDEX} if _stands_for_default(each["url"]) else each for each in sources or []]


def _stands_for_default(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return host.endswith(".example")


def _hash(pipfile: Mapping[str, Any]) -> str:
    """The hash by which a Pipfile.lock knows its Pipfile, as pipenv computes it."""
    document = {
        "_meta": {"sources": pipfile.get("source") or [], "requires": pipfile.get("requires") or {}},
        "default": pipfile.get("packages") or {},
        "develop": pipfile.get("dev-packages") or {},
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _without_null(value: Any) -> Any:
    """TOML has no null: what is null is not there."""
    if isinstance(value, dict):
        return {key: _without_null(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_null(each) for each in value if each is not None]
    return value

"""The files of a lock."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import tomli_w

from trimtab.engines.pipfile import pipfile_hash
from trimtab.engines.request import Lock
from trimtab.inspection.specification import Specification

__all__ = ["DEFAULT", "INDEX", "lock_of", "substitutes"]

INDEX = "${TRIMTAB_INDEX}"
"""Both installers put variables into URLs; what the builder's pip is configured to use is this one's value."""
DEFAULT = "index"
"""File with the URL that stands in for it, where nothing is configured."""


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
    """What a Pipfile and its lock are installed from, so that the machine that builds may have a mirror; else nothing.

    The source named `pypi` is the one that every machine has in its own way, and the host of documentation
    (`pypi.example`) stands for it: it becomes the index that the builder's pip is configured to use, and stays what it is
    where none is. Hashes are what they were, so it does not matter who answers. Other sources, which may have what no
    mirror has, stay; so do the files under test.
    """
    stack = specification.python
    pipfile, locked = (stack.requirements, stack.requirements_locked) if stack else (None, None)
    if not pipfile or not locked:
        return {}
    meta = locked.get("_meta") or {}
    listed = [*(pipfile.get("source") or []), *(meta.get("sources") or [])]
    replaced = [each["url"] for each in listed if _is_default(each)]
    if not replaced:
        return {}
    changed = {**pipfile, "source": _sources(pipfile.get("source"))}
    changed_meta = {**meta, "sources": _sources(meta.get("sources"))}
    if (meta.get("hash") or {}).get("sha256") == pipfile_hash(
        pipfile
    ):  # else its installer has to see that it is not
        changed_meta["hash"] = {"sha256": pipfile_hash(changed)}
    found = _pipfile_files(changed, {**locked, "_meta": changed_meta})
    real = next((url for url in replaced if not _stands_for_default(url)), None)
    return found if real is None else {**found, DEFAULT: real.encode()}


def _pipfile_files(pipfile: Any, locked: Any) -> dict[str, bytes]:
    text = tomli_w.dumps(_without_null(pipfile or {})).encode()
    return {"Pipfile": text, "Pipfile.lock": json.dumps(locked, indent=4, sort_keys=True).encode() + b"\n"}


def _sources(sources: Any) -> list[Mapping[str, Any]]:
    return [{**each, "url": INDEX} if _is_default(each) else each for each in sources or []]


def _is_default(source: Mapping[str, Any]) -> bool:
    return source.get("name") == "pypi" or _stands_for_default(source["url"])


def _stands_for_default(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return host.endswith(".example")


def _without_null(value: Any) -> Any:
    """TOML has no null: what is null is not there."""
    if isinstance(value, dict):
        return {key: _without_null(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_null(each) for each in value if each is not None]
    return value

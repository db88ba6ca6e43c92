"""Versions of CUDA, cuDNN and NCCL, by the files that tell them; where they differ, each is told."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from trimtab.images.interests import Interest
from trimtab.images.member import Kind

if TYPE_CHECKING:
    from trimtab.images.databases.reading import Reading

__all__ = ["INTERESTS", "versions"]

SMALL = 1 << 20
TEXT = re.compile(r"CUDA Version ([\w.]{1,40})")
LIBRARY = re.compile(r"lib(cudnn|nccl|cudart|cublas)\.so\.(\d+(?:\.\d+)+)$")
DEFINED = re.compile(r"#define\s+(CUDNN|NCCL)_(MAJOR|MINOR|PATCHLEVEL|PATCH)\s+(\d{1,6})")


def _version_json(data: bytes) -> dict[str, str]:
    try:
        told = json.loads(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(told, dict):
        raise ValueError("no object")  # noqa: TRY004 # what condensing raises is ValueError
    pairs = ((name, value.get("version")) for name, value in told.items() if isinstance(value, dict))
    return {name: version for name, version in pairs if isinstance(version, str)}


def _version_txt(data: bytes) -> str | None:
    found = TEXT.search(data.decode("utf-8", "replace"))
    return found[1] if found else None


def _defined(data: bytes) -> str | None:
    found = {part: number for _, part, number in DEFINED.findall(data.decode("utf-8", "replace"))}
    parts = (found.get("MAJOR"), found.get("MINOR"), found.get("PATCHLEVEL") or found.get("PATCH"))
    return ".".join(filter(None, parts)) or None


def _of_cuda(path: str) -> bool:
    return re.fullmatch(r"(?:.*/)?cuda(?:-[\d.]+)?/version\.(?:json|txt)", path) is not None


INTERESTS = (
    Interest(named=("version.json",), accepts=_of_cuda, limit=SMALL, condense=_version_json),
    Interest(named=("version.txt",), accepts=_of_cuda, limit=SMALL, condense=_version_txt),
    Interest(named=("cudnn_version.h", "cudnn.h", "nccl.h"), limit=SMALL, condense=_defined),
)


def versions(reading: Reading) -> dict[str, str]:
    """A version by the path that tells it; of a `version.json` each part has its name after a `#`."""
    found: dict[str, str] = {}
    for entry in reading.entries:
        name = entry.path.rpartition("/")[2]
        if entry.kind is Kind.file and name in {
            "version.json",
            "version.txt",
            "cudnn_version.h",
            "cudnn.h",
            "nccl.h",
        }:
            if isinstance(entry.content, dict):
                found |= {f"/{entry.path}#{part}": version for part, version in entry.content.items()}
            elif isinstance(entry.content, str):
                found[f"/{entry.path}"] = entry.content
        elif library := LIBRARY.fullmatch(name):
            found[f"/{entry.path}"] = library[2]
    return found

"""What changed between two images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trimtab.images.documents.plain import environment

if TYPE_CHECKING:
    from trimtab.images.contents import Contents

__all__ = ["Change", "difference", "difference_document"]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not the same.

    Parameters:
        kind: What it is: the type of a package, `python`, `system`, `cuda`, `variable`, `label`.
        name: Its name.
        before: What the first image has; nothing if it lacks it.
        after: What the second has.
        layer: Of the second image, if a layer of it brought the package.
    """

    kind: str
    name: str
    before: Sequence[str]
    after: Sequence[str]
    layer: str | None = None


def difference(before: Contents, after: Contents) -> list[Change]:
    """The changes, ordered by kind and name. What both have in the same versions is none, wherever it lies."""
    old, new = _facts(before), _facts(after)
    layers = {(each.type, each.name): each.place.layer for each in after.packages}
    return [
        Change(*key, old.get(key, ()), new.get(key, ()), layers.get(key))
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]


def difference_document(before: Contents, after: Contents) -> dict[str, Any]:
    """The same as a document."""
    return {
        "before": {"reference": before.image.reference, "digest": before.image.digest},
        "after": {"reference": after.image.reference, "digest": after.image.digest},
        "changes": [
            {
                "kind": each.kind,
                "name": each.name,
                "before": list(each.before),
                "after": list(each.after),
                "layer": each.layer,
            }
            for each in difference(before, after)
        ],
    }


def _facts(contents: Contents) -> Mapping[tuple[str, str], tuple[str, ...]]:
    found: dict[tuple[str, str], set[str]] = {}

    def note(kind: str, name: str, value: object) -> None:
        found.setdefault((kind, name), set()).add(str(value))

    for package in contents.packages:
        note(package.type, package.name, package.version)
    for interpreter in contents.interpreters:
        note("python", interpreter.path, interpreter.version)
    for name in ("id", "version_id"):
        if name in contents.os_release:
            note("system", name, contents.os_release[name])
    for path, version in contents.cuda.items():
        note("cuda", path, version)
    for variable in environment(contents.image):
        note("variable", variable.partition("=")[0], variable.partition("=")[2])
    labels = contents.image.setting("Labels")
    for name, value in labels.items() if isinstance(labels, dict) else ():
        note("label", name, value)
    return {key: tuple(sorted(values)) for key, values in found.items()}

"""What readers of databases share: the tree, and where they say what is wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from trimtab.images.finding import Findings
from trimtab.images.package import Package, Place
from trimtab.images.tree import Entry, Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["Reading"]


@dataclass(frozen=True)
class Reading:
    """One image while its databases are read.

    Parameters:
        tree: What lies where.
        layers: Digests of the layers, the lowest first; None for what has none.
        findings: Where odd things are told.
    """

    tree: Tree
    layers: Sequence[str | None]
    findings: Findings

    @cached_property
    def entries(self) -> Sequence[Entry]:
        """Everything in the tree, in the order of paths."""
        return tuple(self.tree.below())

    def place(self, entry: Entry) -> Place:
        """Where a fact of this file comes from."""
        return Place("/" + entry.path, self.layers[entry.layer])

    def note(self, kind: str, message: str, entry: Entry) -> None:
        """Tell something odd about a file."""
        self.findings.layer = self.layers[entry.layer]
        self.findings.add(kind, message, "/" + entry.path)
        self.findings.layer = None

    def broken(self, entry: Entry, what: str) -> None:
        """Tell that a file says not what its kind should."""
        self.note("broken-metadata", what, entry)

    def with_history(
        self, entry: Entry, read: Callable[[Entry, Reading], Iterable[Package]]
    ) -> list[Package]:
        """Packages of a database that each layer writes anew, each with the layer it came with.

        That is the lowest from which on every version of the database has it.
        """
        found = {package.identity: package for package in read(entry, self)}
        silent = replace(self, findings=Findings())
        unsure = set(found)
        for old in entry.before:
            unsure &= {package.identity for package in read(old, silent)}
            layer = self.layers[old.layer]
            for identity in unsure:
                package = found[identity]
                found[identity] = replace(package, place=replace(package.place, layer=layer))
        return list(found.values())

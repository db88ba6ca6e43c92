"""The files of an image as a container would see them: layers put upon each other, with what each took away.

Only what a reader asked for is in it, and all links. It is a tree of dictionaries, so that taking away a directory costs
the same whatever is below it: a hostile layer may take away as often as it likes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from trimtab.images.member import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Entry", "Tree"]

HOPS = 40  # links followed on the way to one file, as the kernel does
DEPTH = 400  # components of a path; more is no path of anybody's


@dataclass(slots=True)
class Entry:
    """A file or a link.

    Parameters:
        path: Where it lies, every directory on the way a real one.
        kind: `file` or `symlink`.
        layer: Which layer it came with, counted from 0.
        target: Where a link leads, as it is written.
        content: What was kept of a file: its bytes, or what a reader made of them.
        size: Bytes of the file.
        mode: Its permissions.
        before: What lower layers had at this path, the newest first.
    """

    path: str
    kind: Kind
    layer: int
    target: str = ""
    content: Any = None
    size: int = 0
    mode: int = 0
    before: tuple[Entry, ...] = ()


Node: TypeAlias = "dict[str, Node | Entry]"


@dataclass(slots=True)
class Tree:
    """What lies where."""

    _root: Node = field(default_factory=dict)
    _count: int = 0
    _held: int = 0
    _spilled: int = 0
    # The directory of the last entry, and that of the last one covered: the next is in the same as a rule.
    _last: tuple[str, Node, list[str]] | None = None
    _looked: tuple[str, tuple[Node, list[str]] | None] | None = None

    def __len__(self) -> int:
        return self._count

    def hold(self, size: int, limit: int) -> bool:
        """Count the bytes of a content in memory; whether all of them together stay within a limit."""
        self._held += size
        return self._held <= limit

    def spill(self, size: int, limit: int) -> bool:
        """The same of a content in a file."""
        self._spilled += size
        return self._spilled <= limit

    def put(self, entry: Entry) -> None:
        """Lay an entry at its path; links on the way are followed, and what is in the way is taken away."""
        self._looked = None
        directory, _, name = entry.path.rpartition("/")
        if self._last is None or self._last[0] != directory:
            found = self._directory(directory.split("/")[:DEPTH])
            if found is None:
                return
            self._last = directory, *found
        _, node, path = self._last
        old = node.get(name)
        if isinstance(old, Entry) and old.layer < entry.layer and old.kind is entry.kind is Kind.file:
            entry.before = (old, *old.before)
            old.before = ()
        entry.path = "/".join((*path, name))
        if old is not None or entry.kind is Kind.symlink:
            self._last = None  # the way to the directory may be another now
        node[name] = entry
        self._count += 1

    def take_away(self, path: str, *, contents_only: bool = False) -> None:
        """Remove what lies at a path, and below it; or only what is below it."""
        self._last = self._looked = None
        node, name = self._parent(path)
        if node is None:
            return
        if not contents_only:
            node.pop(name, None)
        elif isinstance(node.get(name), dict):
            node[name] = {}

    def cover(self, path: str, *, directory: bool) -> None:
        """Note that something nobody asked for lies at a path: what was there is gone, except below a directory."""
        above, _, name = path.rpartition("/")
        if self._looked is None or self._looked[0] != above:
            self._looked = above, self._directory(above.split("/"), make=False)
        found = self._looked[1]
        old = found[0].get(name) if found else None
        if found and old is not None and not (directory and isinstance(old, dict)):
            del found[0][name]
            self._last = self._looked = None

    def clear(self) -> None:
        """Remove everything."""
        self._root, self._last, self._looked = {}, None, None

    def find(self, path: str) -> Entry | None:
        """The file at a path, links followed inside the image; None where there is none."""
        parts, done = path.split("/")[::-1], list[str]()
        hops = 0
        while parts:
            part = parts.pop()
            if part in {"", "."}:
                continue
            if part == "..":
                del done[-1:]
                continue
            at = self._at([*done, part])
            if not isinstance(at, Entry):
                if at is None:
                    return None
                done.append(part)
            elif at.kind is Kind.symlink:
                hops += 1
                if hops > HOPS or len(parts) > DEPTH:
                    return None
                if at.target.startswith("/"):
                    done = []
                parts.extend(at.target.split("/")[::-1])
            else:
                return at if not any(part not in {"", "."} for part in parts) else None
        return None

    def real(self, path: str) -> str | None:
        """A directory's path with links followed; None if there is none."""
        found = self._directory([part for part in path.split("/") if part], make=False)
        return None if found is None else "/".join(found[1])

    def below(self, path: str = "") -> Iterator[Entry]:
        """All entries below a directory, links not followed, in the order of their paths."""
        real = self.real(path)
        node = None if real is None else self._at(real.split("/") if real else [])
        stack: list[Node | Entry] = [node] if isinstance(node, dict) else []
        while stack:
            top = stack.pop()
            if isinstance(top, Entry):
                yield top
            else:
                stack.extend(value for _, value in sorted(top.items(), reverse=True))

    def _at(self, parts: list[str]) -> Node | Entry | None:
        node: Node | Entry | None = self._root
        for part in parts:
            if not isinstance(node, dict):
                return None
            node = node.get(part)
        return node

    def _parent(self, path: str) -> tuple[Node | None, str]:
        directory, _, name = path.rpartition("/")
        found = self._directory(directory.split("/") if directory else [], make=False)
        return (found[0] if found else None), name

    def _directory(self, parts: list[str], *, make: bool = True) -> tuple[Node, list[str]] | None:
        """The directory at the end of a path, and its real path; links on the way are followed."""
        waiting, done = parts[::-1], list[str]()
        node, hops = self._root, 0
        above: list[Node] = []
        while waiting:
            part = waiting.pop()
            if part in {"", "."}:
                continue
            if part == "..":
                if done:
                    done.pop()
                    node = above.pop()
                continue
            following = node.get(part)
            if isinstance(following, Entry) and following.kind is Kind.symlink:
                hops += 1
                if hops > HOPS or len(waiting) > DEPTH:
                    return None
                if following.target.startswith("/"):
                    node, done, above = self._root, [], []
                waiting.extend(following.target.split("/")[::-1])
                continue
            if not isinstance(following, dict):
                if not make:
                    return None
                following = node[part] = {}
            above.append(node)
            done.append(part)
            node = following
        return node, done

"""One pass over an image's layers: what readers are interested in, as a container would see it."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trimtab.images.errors import CorruptError, LimitError
from trimtab.images.interests import EXECUTABLE
from trimtab.images.member import Kind, clean
from trimtab.images.tree import Entry, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trimtab.images.finding import Findings
    from trimtab.images.image import Layer, Members
    from trimtab.images.interests import Interest, Interests
    from trimtab.images.limits import Limits
    from trimtab.images.member import Member

__all__ = ["Scan", "scanned"]

# By names of their own, for they are asked for each member: to look up one of an enumeration takes nearly a microsecond.
FILE, DIRECTORY, SYMLINK, HARDLINK = Kind.file, Kind.directory, Kind.symlink, Kind.hardlink
WHITEOUT, OPAQUE = ".wh.", ".wh..wh..opq"
IN_MEMORY = 1 << 20


@contextmanager
def scanned(
    layers: Sequence[Layer], interests: Interests, limits: Limits, findings: Findings
) -> Iterator[Tree]:
    """The tree of what is of interest; contents too large for memory lie in a directory that ends with the context.

    Raises:
        LimitError: There are too many layers.
        CorruptError: A layer is not what its digest says.
    """
    if len(layers) > limits.layers:
        raise LimitError(f"an image of {len(layers)} layers; at most {limits.layers} are read")
    tree = Tree()
    with tempfile.TemporaryDirectory(prefix="trimtab-image-") as directory:
        for index, layer in enumerate(layers):
            findings.layer = layer.digest
            scan = Scan(tree, index, interests, limits, findings, Path(directory))
            _read(layer, scan, limits, findings)
            scan.settle()
        findings.layer = None
        yield tree


def _read(layer: Layer, scan: Scan, limits: Limits, findings: Findings) -> None:
    try:
        with layer.members(limits, findings) as members:
            try:
                for member in members:
                    scan.take(member, members)
            except LimitError as error:
                # Not raised further: leaving the context then reads the rest, which is what the limit is against.
                raise _Enough(str(error)) from None
    except _Enough as error:
        findings.add(
            "layer-too-large", f"{error}: the rest of the layer was not read, nor its digest compared"
        )
    except LimitError as error:
        findings.add("layer-too-large", f"{error}: what lies behind the archive's end was not read")
    except CorruptError as error:
        raise CorruptError(f"layer {layer.digest or ''}: {error}") from None


def _cost(content: Any) -> int:
    """About how many bytes of memory a content takes."""
    if isinstance(content, dict):
        return sum(len(value) for value in content.values() if isinstance(value, str))
    if isinstance(content, list):
        return sum(map(len, content))
    return len(content) if isinstance(content, bytes | str) else 0


class _Enough(Exception):  # noqa: N818 # no error: the end of what is read
    """What was read is enough."""


class Scan:
    """One layer while it is read.

    What it adds is laid into the tree at its end: what it takes away is of the layers below, wherever in the
    archive it says so.
    """

    def __init__(
        self,
        tree: Tree,
        index: int,
        interests: Interests,
        limits: Limits,
        findings: Findings,
        directory: Path,
    ) -> None:
        self._tree, self._index, self._interests = tree, index, interests
        self._limits, self._findings, self._directory = limits, findings, directory
        self._added: dict[str, Entry] = {}
        self._covers = len(tree) > 0
        self._full = False

    def take(self, member: Member, members: Members) -> None:
        """Look at one member, and keep what is of interest."""
        path, kind = member.path, member.kind
        name = path[path.rfind("/") + 1 :]
        if name.startswith(WHITEOUT):
            self._take_away(path, name)
        elif kind is FILE:
            interest = self._interests.of(path)
            if interest is None:
                interest = self._interests.of_executable(path, member.mode, member.size)
            if interest is None:
                self._cover(path)
            else:
                self._file(member, interest, members)
        elif kind is SYMLINK:
            self._add(Entry(path, kind, self._index, member.target))
        elif kind is HARDLINK:
            self._hardlink(member)
        else:
            self._cover(path, directory=kind is DIRECTORY)

    def settle(self) -> None:
        """Lay what was found into the tree. Links go first, so that files below them are found on their way."""
        for entry in sorted(self._added.values(), key=lambda entry: entry.kind is not SYMLINK):
            self._tree.put(entry)

    def _take_away(self, path: str, name: str) -> None:
        directory = path[: -len(name)].rstrip("/")
        if name == OPAQUE:
            if directory:
                self._tree.take_away(directory, contents_only=True)
            else:
                self._tree.clear()
        elif gone := name.removeprefix(WHITEOUT):
            self._tree.take_away(f"{directory}/{gone}".lstrip("/"))

    def _cover(self, path: str, *, directory: bool = False) -> None:
        if path in self._added and not directory:
            del self._added[path]
        if self._covers and path:
            self._tree.cover(path, directory=directory)

    def _add(self, entry: Entry) -> None:
        if len(self._added) + len(self._tree) >= self._limits.kept:
            if not self._full:
                self._findings.add("too-many-files", f"more than {self._limits.kept} files of interest")
            self._full = True
        elif entry.path:
            self._added[entry.path] = entry

    def _file(self, member: Member, interest: Interest, members: Members) -> None:
        entry = Entry(member.path, FILE, self._index, size=member.size, mode=member.mode)
        if member.sparse:
            self._findings.add("sparse-file", "a sparse file is not read", member.path)
        elif member.size > interest.limit:
            message = f"{member.size} bytes: more than {interest.limit} are not read of such a file"
            self._findings.add("file-too-large", message, member.path)
        else:
            entry.content = self._content(interest, member, members)
            if entry.content is None and EXECUTABLE in interest.named:
                self._cover(member.path)
                return
        self._add(entry)

    def _content(self, interest: Interest, member: Member, members: Members) -> Any:
        if interest.stream is not None:
            return interest.stream(members.content())
        if interest.large and member.size > IN_MEMORY:
            if self._tree.spill(member.size, self._limits.spilled):
                return self._in_file(members)
            return self._too_much(self._limits.spilled, member)
        data = b"".join(members.content())
        try:
            found = data if interest.condense is None else interest.condense(data)
        except ValueError as error:
            self._findings.add("broken-metadata", f"cannot be read: {error}", member.path)
            return None
        if self._tree.hold(_cost(found), self._limits.held):
            return found
        return self._too_much(self._limits.held, member)

    def _too_much(self, limit: int, member: Member) -> None:
        self._findings.add("too-much-content", f"more than {limit} bytes of interest", member.path)

    def _in_file(self, members: Members) -> Path:
        with tempfile.NamedTemporaryFile(dir=self._directory, delete=False) as file:
            for piece in members.content():
                file.write(piece)
        return Path(file.name)

    def _hardlink(self, member: Member) -> None:
        target = clean(member.target)
        if target is None:
            message = f"a hard link to {member.target[:200]!r}, out of the image"
            self._findings.add("path-escape", message, member.path)
            return
        source = self._added.get(target) or self._tree.find(target)
        if source is None:
            self._cover(member.path)
            if self._interests.of(member.path):
                self._findings.add(
                    "unread-link", f"a hard link to /{target}, which was not read", member.path
                )
            return
        self._add(
            Entry(
                member.path, source.kind, self._index, source.target, source.content, source.size, source.mode
            )
        )

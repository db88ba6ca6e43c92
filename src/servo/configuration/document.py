"""YAML documents that know where each of their values stands.

The parser's events are read one by one instead of letting the library build the document: that is what lets depth,
aliases and size be bounded before memory is spent, and every complaint carry a line and a column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from servo.errors import ConfigurationError

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_VALUES",
    "Document",
    "Position",
    "parse_documents",
    "read_documents",
]

MAX_BYTES = 4 * 1024 * 1024
"""How large a file may be: room for ten thousand servos."""
MAX_DEPTH = 64
"""How deep values may be nested."""
MAX_VALUES = 250_000
"""How many values a file may hold once its aliases are expanded."""

_MERGE = "tag:yaml.org,2002:merge"
_PREFIX = "tag:yaml.org,2002:"
_TEXTS = frozenset({"str", "merge", "timestamp", "value"})
_SCALARS = frozenset({"null", "bool", "int", "float"}) | _TEXTS
_COLLECTIONS = frozenset({None, "!", _PREFIX + "map", _PREFIX + "seq"})


class Position(NamedTuple):
    """A place in a file, both counted from 1."""

    line: int
    column: int


@dataclass(slots=True)
class _Node:
    position: Position
    value: Any = None  # of a scalar
    items: list[_Node] | None = None  # of a sequence
    entries: dict[str, tuple[Position, _Node]] | None = None  # of a mapping, with the place of each key
    size: int = 1  # how many values it comes to with its aliases expanded
    depth: int = 1  # how many levels, itself included

    def child(self, key: object) -> tuple[Position, _Node] | None:
        if self.entries is not None:
            return self.entries.get(str(key))
        if self.items is not None and isinstance(key, int) and 0 <= key < len(self.items):
            return self.items[key].position, self.items[key]
        return None

    def data(self) -> Any:
        if self.entries is not None:
            return {key: node.data() for key, (_, node) in self.entries.items()}
        if self.items is not None:
            return [node.data() for node in self.items]
        return self.value


@dataclass(slots=True)
class Document:
    """One YAML document: what it says, and where.

    Attributes:
        data: The plain value; mapping keys are always the text as written, so ``on:`` stays ``"on"``.
        file: The file it came from, as errors shall name it.
    """

    data: Any
    file: str | None
    _root: _Node = field(repr=False)

    @classmethod
    def of(cls, data: Any) -> Document:
        """Return a document of data that was read from nowhere."""
        return cls(data, None, _Node(Position(0, 0)))

    def locate(self, path: Sequence[object]) -> tuple[Position, tuple[str | int, ...]]:
        """Find the place of a value, or of the innermost one around it that the document does hold.

        Steps that the document does not know are passed over: validators put names of models and of variants
        of a union among the keys.

        Returns:
            The place, and the steps of the path that were found.
        """
        node, position, found = self._root, self._root.position, []
        for step in path:
            if (child := node.child(step)) is not None:
                position, node = child
                found.append(step if isinstance(step, int) else str(step))
        return position, tuple(found)


def read_documents(path: Path | str) -> list[Document]:
    """Read all the documents of a YAML file.

    Raises:
        FileNotFoundError: There is no such file.
        ConfigurationError: It is no readable YAML, or exceeds a limit.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ConfigurationError(
            f"the file cannot be read ({error.strerror})",
            file=path,
            remedy="check what it is and its permissions",
        ) from error
    return parse_documents(content, file=str(path))


def parse_documents(content: str | bytes, *, file: str | None = None) -> list[Document]:
    """Parse all the documents of a text; an empty text is one empty document.

    Raises:
        ConfigurationError: It is no readable YAML, or exceeds a limit.
    """
    content = content.encode() if isinstance(content, str) else content
    if len(content) > MAX_BYTES:
        raise ConfigurationError(
            f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB",
            file=file,
            line=1,
            column=1,
            remedy="a servo's configuration is a few kilobytes: check that this is the right file",
        )
    try:
        roots = list(_Reader(content).documents())
    except yaml.reader.ReaderError as error:
        raise _error(_unreadable(error, content), file) from None
    except yaml.MarkedYAMLError as error:
        raise _error(_syntax(error), file) from None
    except _Problem as problem:
        raise _error(problem, file) from None
    return [Document(root.data(), file, root) for root in roots or [_Node(Position(1, 1))]]


def _error(problem: _Problem, file: str | None) -> ConfigurationError:
    line, column = problem.position
    return ConfigurationError(problem.problem, file=file, line=line, column=column, remedy=problem.remedy)


class _Reader:
    """Builds trees of nodes from the parser's events."""

    def __init__(self, content: bytes) -> None:
        self._loader: Any = yaml.CSafeLoader(content)
        self._anchors: dict[str, _Node] = {}
        self._open: list[str] = []
        self._values = 0

    def documents(self) -> Iterator[_Node]:
        loader = self._loader
        while loader.check_event():
            if isinstance(loader.get_event(), yaml.DocumentStartEvent):
                self._anchors.clear()
                yield self._node(loader.get_event(), 1)

    def _node(self, event: Any, level: int) -> _Node:
        position = _position(event.start_mark)
        if level > MAX_DEPTH:
            raise _Problem(f"values are nested more than {MAX_DEPTH} deep", position, "flatten the document")
        self._count(1, position)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, position, level)
        if event.anchor:
            self._open.append(event.anchor)
        node = self._value(event, position, level)
        if event.anchor:
            self._open.pop()
            self._anchors[event.anchor] = node
        return node

    def _value(self, event: Any, position: Position, level: int) -> _Node:
        if isinstance(event, yaml.ScalarEvent):
            return _Node(position, self._scalar(event))
        if event.tag not in _COLLECTIONS:
            raise _unknown_tag(event.tag, position)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(position, level)
        return self._mapping(position, level)

    def _count(self, values: int, position: Position) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            raise _Problem(
                f"the file comes to more than {MAX_VALUES} values, its aliases expanded",
                position,
                "write fewer values, or repeat fewer of them by alias",
            )

    def _alias(self, event: Any, position: Position, level: int) -> _Node:
        name = event.anchor
        if name in self._open:
            raise _Problem(f"the alias *{name} stands inside the value it repeats", position, "remove it")
        node = self._anchors.get(name)
        if node is None:
            raise _Problem(
                f"the alias *{name} repeats nothing: no value before it is marked &{name}",
                position,
                f"mark a value with &{name} before this line, or quote the text if no alias is meant",
            )
        if level + node.depth - 1 > MAX_DEPTH:
            raise _Problem(f"values are nested more than {MAX_DEPTH} deep", position, "flatten the document")
        self._count(node.size - 1, position)
        return node

    def _scalar(self, event: Any) -> Any:
        tag = event.tag
        if tag is None or tag == "!":
            tag = self._loader.resolve(yaml.ScalarNode, event.value, event.implicit)
        kind = tag.removeprefix(_PREFIX)
        if kind not in _SCALARS:
            raise _unknown_tag(tag, _position(event.start_mark))
        # Dates stay text: the fields that want one parse it, and a version such as 2024-01-01 is no date.
        if kind in _TEXTS:
            return event.value
        node = yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark)
        try:
            return self._loader.yaml_constructors[tag](self._loader, node)
        except (ValueError, OverflowError):
            raise _Problem(
                f"the value is no readable {kind}", _position(event.start_mark), "write it out, or quote it"
            ) from None

    def _sequence(self, position: Position, level: int) -> _Node:
        items: list[_Node] = []
        while not isinstance(event := self._loader.get_event(), yaml.SequenceEndEvent):
            items.append(self._node(event, level + 1))
        return _sized(_Node(position, items=items), items)

    def _mapping(self, position: Position, level: int) -> _Node:
        entries: dict[str, tuple[Position, _Node]] = {}
        merged: list[_Node] = []
        while not isinstance(event := self._loader.get_event(), yaml.MappingEndEvent):
            key, place, is_merge = self._key(event)
            node = self._node(self._loader.get_event(), level + 1)
            if is_merge:
                merged.append(node)
                continue
            if key in entries:
                raise _Problem(
                    f"the key {key!r} is given twice, first on line {entries[key][0].line}",
                    place,
                    "keep one of the two",
                )
            entries[key] = place, node
        for node in merged:
            self._merge(entries, node)
        return _sized(_Node(position, entries=entries), [node for _, node in entries.values()])

    def _key(self, event: Any) -> tuple[str, Position, bool]:
        position = _position(event.start_mark)
        if not isinstance(event, yaml.ScalarEvent):
            raise _Problem("a key must be a plain text", position, "quote it, or write it on one line")
        is_merge = self._loader.resolve(yaml.ScalarNode, event.value, event.implicit) == _MERGE
        return event.value, position, is_merge

    def _merge(self, entries: dict[str, tuple[Position, _Node]], node: _Node) -> None:
        sources = [node] if node.items is None else node.items
        for source in sources:
            if source.entries is None:
                raise _Problem(
                    "<< wants a mapping, or a list of them", node.position, "repeat one by its alias"
                )
            for key, entry in source.entries.items():
                entries.setdefault(key, entry)


def _sized(node: _Node, children: Sequence[_Node]) -> _Node:
    node.size = 1 + sum(child.size for child in children)
    node.depth = 1 + max((child.depth for child in children), default=0)
    return node


def _position(mark: Any) -> Position:
    return Position(mark.line + 1, mark.column + 1)


class _Problem(Exception):  # noqa: N818 - becomes an error once the file is known
    """A complaint before the name of the file is known."""

    def __init__(self, problem: str, position: Position, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.position = position
        self.remedy = remedy


def _unknown_tag(tag: str, position: Position) -> _Problem:
    return _Problem(
        f"the tag {tag!r} is not understood",
        position,
        "remove it: values are texts, numbers, lists and mappings",
    )


def _syntax(error: yaml.MarkedYAMLError) -> _Problem:
    mark = error.problem_mark or error.context_mark
    context = f" ({error.context})" if error.context else ""
    return _Problem(
        f"this is no YAML: {error.problem or 'it cannot be parsed'}{context}",
        _position(mark) if mark else Position(1, 1),
        "check the indentation, the colons and the quotes there and on the line before",
    )


def _unreadable(error: yaml.reader.ReaderError, content: bytes) -> _Problem:
    before = content[: max(error.position, 0)]
    return _Problem(
        f"the file holds a character that YAML does not allow ({error.reason})",
        Position(before.count(b"\n") + 1, len(before) - before.rfind(b"\n")),
        "save it as UTF-8 text without control characters",
    )

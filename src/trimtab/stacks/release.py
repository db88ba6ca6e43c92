"""One version of a package, as an index has it."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag, parse_tag
from packaging.version import Version

from trimtab.stacks.target import Target

__all__ = ["File", "Release"]


@dataclass(frozen=True)
class File:
    """A file of a release.

    Attributes:
        name: Its file name.
        url: Where it is. It may hold a password: never show it.
        requires_python: Specifier of the Pythons it is for; empty: any.
        yanked: Why it was withdrawn; None: it was not.
        uploaded: When; None: the index does not say.
        metadata: Whether the index has its metadata in a file of its own.
    """

    name: str
    url: str
    requires_python: str = ""
    yanked: str | None = None
    uploaded: datetime | None = None
    metadata: bool = False

    @property
    def wheel(self) -> bool:
        """Whether it can be installed without building it."""
        return self.name.endswith(".whl")

    @cached_property
    def tags(self) -> frozenset[Tag]:
        """The tags of a wheel; none of a source distribution."""
        return _tags("-".join(self.name[:-4].split("-")[-3:])) if self.wheel else frozenset()

    def is_there(self, target: Target) -> bool:
        """Whether it was uploaded before the target's date. Where the index does not say, it was not, as uv has it."""
        if target.index_date is None:
            return True
        return self.uploaded is not None and self.uploaded < target.index_date

    def runs_on(self, target: Target) -> bool:
        """Whether it is for the target's Python, its upper bounds included, which uv leaves out and pip heeds."""
        return _contains(self.requires_python, target.version)


@dataclass(frozen=True)
class Release:
    """A version of a package.

    Attributes:
        name: Canonical.
        version: The version.
        files: Of all indexes.
    """

    name: str
    version: Version
    files: tuple[File, ...]

    def wheels(self, target: Target) -> tuple[File, ...]:
        """What can be installed on the target without building it."""
        return tuple(
            each
            for each in self.files
            if each.wheel and each.is_there(target) and each.runs_on(target) and target.tags & each.tags
        )


# The files of a package are thousands, their tags and specifiers a handful.
@lru_cache(maxsize=4096)
def _tags(text: str) -> frozenset[Tag]:
    try:
        return parse_tag(text)
    except ValueError:
        return frozenset()


@lru_cache(maxsize=4096)
def _contains(requires_python: str, version: Version) -> bool:
    try:
        return SpecifierSet(requires_python).contains(version, prereleases=True)
    except InvalidSpecifier:
        return True  # as pip has it

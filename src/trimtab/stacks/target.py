"""For which Python, platform and day a stack has to be valid."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from packaging.markers import default_environment
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms, platform_tags
from packaging.version import Version

from trimtab.stacks.errors import RequirementsError

__all__ = ["Target"]

_PYTHON = re.compile(r"3\.[0-9]{1,2}(\.[0-9]{1,3})?")
_LINUX = re.compile(r"(x86_64|aarch64)-(?:manylinux_2_([0-9]{1,2})|(manylinux2014)|unknown-linux-(gnu|musl))")
_GENERIC_GLIBC = 28  # what uv means by a Linux of which nothing else is said
_MANYLINUX_2014 = 17
_MUSL = 2
_OLD_NAMES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_SHORT = {
    "linux": "x86_64-unknown-linux-gnu",
    "windows": "x86_64-pc-windows-msvc",
    "macos": "aarch64-apple-darwin",
}
_OTHERS = {
    "x86_64-pc-windows-msvc": ("win32", "nt", "Windows", "AMD64", ("win_amd64",)),
    "aarch64-apple-darwin": ("darwin", "posix", "Darwin", "arm64", tuple(mac_platforms((13, 0), "arm64"))),
    "x86_64-apple-darwin": ("darwin", "posix", "Darwin", "x86_64", tuple(mac_platforms((13, 0), "x86_64"))),
}
_KNOWN = "linux, windows, macos, x86_64-manylinux_2_28, aarch64-unknown-linux-musl"


@dataclass(frozen=True)
class Target:
    """Where and when a stack is to be installed.

    Attributes:
        python: Version of Python, `X.Y` or `X.Y.Z`; None: the one that runs this.
        platform: In uv's words, as `x86_64-manylinux_2_28`; None: this machine.
        index_date: Releases that were uploaded later are not there; None: all are.

    Raises:
        RequirementsError: A version or platform that is none.
    """

    python: str | None = None
    platform: str | None = None
    index_date: datetime | None = None

    def __post_init__(self) -> None:
        if self.python is not None and not _PYTHON.fullmatch(self.python):
            raise RequirementsError(
                f"{self.python[:20]!r} is no version of Python 3; write it as 3.12 or 3.12.4"
            )
        if self.platform is not None and self._triple not in _OTHERS and not _LINUX.fullmatch(self._triple):
            raise RequirementsError(
                f"the platform {self.platform[:50]!r} is not known; there are {_KNOWN} and their kind"
            )
        if self.index_date is not None and self.index_date.tzinfo is None:
            raise RequirementsError("an index date needs a time zone; write it as 2026-01-31T00:00:00Z")

    @property
    def _triple(self) -> str:
        return _SHORT.get(self.platform or "", self.platform or "")

    @cached_property
    def version(self) -> Version:
        """The version of Python; of `X.Y` the first release, as uv takes it."""
        full = self.python or ".".join(map(str, sys.version_info[:3]))
        return Version(full if full.count(".") == 2 else f"{full}.0")  # noqa: PLR2004 - X.Y.Z

    def arguments(self) -> list[str]:
        """What tells uv."""
        found = ["--python", sys.executable]
        if self.python is not None:
            found += ["--python-version", self.python]
        if self.platform is not None:
            found += ["--python-platform", self.platform]
        if self.index_date is not None:
            found += ["--exclude-newer", self.index_date.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")]
        return found

    @cached_property
    def tags(self) -> frozenset[Tag]:
        """The tags of wheels that can be installed there."""
        python = (self.version.major, self.version.minor)
        platforms = list(self._platforms())
        interpreter = f"cp{python[0]}{python[1]}"
        return frozenset(
            (
                *cpython_tags(python, platforms=platforms),
                *compatible_tags(python, interpreter, platforms),
            )
        )

    @cached_property
    def environment(self) -> dict[str, str]:
        """The markers that hold there."""
        found = {name: str(value) for name, value in default_environment().items()}
        found |= {
            "python_version": f"{self.version.major}.{self.version.minor}",
            "python_full_version": str(self.version),
            "implementation_version": str(self.version),
        }
        if self.platform is None:
            return found
        if match := _LINUX.fullmatch(self._triple):
            words = ("linux", "posix", "Linux", match[1])
        else:
            words = _OTHERS[self._triple][:4]
        names = ("sys_platform", "os_name", "platform_system", "platform_machine")
        return found | dict(zip(names, words, strict=True))

    def _platforms(self) -> Iterator[str]:
        if self.platform is None:
            yield from platform_tags()
            return
        match = _LINUX.fullmatch(self._triple)
        if match is None:
            yield from _OTHERS[self._triple][4]
            return
        machine, minor, old, libc = match.groups()
        if libc == "musl":
            yield from (f"musllinux_1_{each}_{machine}" for each in range(_MUSL, -1, -1))
        else:
            newest = int(minor) if minor else _MANYLINUX_2014 if old else _GENERIC_GLIBC
            yield from _manylinux(newest, machine)
        yield f"linux_{machine}"


def _manylinux(newest: int, machine: str) -> Iterator[str]:
    oldest = 5 if machine == "x86_64" else _MANYLINUX_2014
    for minor in range(newest, oldest - 1, -1):
        yield f"manylinux_2_{minor}_{machine}"
        if minor in _OLD_NAMES:
            yield f"{_OLD_NAMES[minor]}_{machine}"

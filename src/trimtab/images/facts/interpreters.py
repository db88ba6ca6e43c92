"""Python interpreters, known by their files; nothing is executed, and links end inside the image."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trimtab.images.contents import Interpreter
from trimtab.images.interests import Interest
from trimtab.images.member import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trimtab.images.databases.reading import Reading
    from trimtab.images.package import Place
    from trimtab.images.tree import Entry

__all__ = ["INTERESTS", "interpreters"]

NAME = re.compile(r"(?:python|pypy)(?:\d+(?:\.\d+)?)?t?")
NAMES = ("python", "python2", "python3", *(f"python{v}" for v in ("2.7", *(f"3.{i}" for i in range(3, 30)))))
PYPIES = ("pypy", "pypy2", "pypy3", *(f"pypy3.{i}" for i in range(5, 20)))
PATCHLEVEL = re.compile(rb'#define\s+PY_VERSION\s+"([^"\s]{1,40})"')


def _in_bin(path: str) -> bool:
    return path.rpartition("/")[0].rpartition("/")[2] in {"bin", "sbin", "libexec"}


def _patchlevel(data: bytes) -> str | None:
    found = PATCHLEVEL.search(data)
    return found[1].decode("ascii", "replace") if found else None


def _pyvenv(data: bytes) -> dict[str, str]:
    lines = (line.partition("=") for line in data.decode("utf-8", "replace").splitlines())
    return {name.strip().lower(): value.strip() for name, equals, value in lines if equals}


LONGEST_VERSION = 20
VERSION = re.compile(rb"\0((?:2\.7|3\.\d{1,2})\.\d{1,2}(?:(?:a|b|rc)\d{1,2}|\+)?)\0")


def _version_in(pieces: Iterator[bytes]) -> str | None:
    """The version inside a program that is linked statically to its Python, as most are."""
    last = b""
    for piece in pieces:
        if found := VERSION.search(last + piece):
            return found[1].decode("ascii")
        last = piece[-LONGEST_VERSION:]
    return None


INTERESTS = (
    # An interpreter's version stands in its program as a string of its own; it is looked for while it is read.
    Interest(named=(*NAMES, *PYPIES), accepts=_in_bin, limit=1 << 30, stream=_version_in),
    Interest(named=("patchlevel.h",), limit=1 << 16, condense=_patchlevel),
    Interest(named=("pyvenv.cfg",), limit=1 << 16, condense=_pyvenv),
)


def interpreters(reading: Reading) -> list[Interpreter]:
    """Each name of an interpreter in any `bin` directory: those of the system, of virtual environments, of conda."""
    return sorted(_found(reading), key=lambda interpreter: interpreter.path)


def _found(reading: Reading) -> Iterator[Interpreter]:
    for entry in reading.entries:
        if NAME.fullmatch(entry.path.rpartition("/")[2]) and _in_bin(entry.path):
            program = reading.tree.find(entry.path)
            if program is None:
                reading.note("broken-link", f"an interpreter's name leads to nothing: {entry.target}", entry)
                continue
            version, place = _version(entry, program, reading)
            link = "/" + program.path if entry.kind is Kind.symlink else None
            yield Interpreter("/" + entry.path, link, version, place)


def _version(entry: Entry, program: Entry, reading: Reading) -> tuple[str | None, Place]:
    if isinstance(program.content, str):
        return program.content, reading.place(program)
    prefix = program.path.rpartition("/")[0].rpartition("/")[0]
    name = re.search(r"\d+\.\d+", program.path.rpartition("/")[2])
    for header in _headers(prefix, name and name[0]):
        found = reading.tree.find(header)
        if found is not None and isinstance(found.content, str):
            return found.content, reading.place(found)
    environment = reading.tree.find(entry.path.rpartition("/")[0] + "/../pyvenv.cfg")
    if environment is not None and isinstance(environment.content, dict):
        told = environment.content.get("version") or environment.content.get("version_info")
        if told:
            return told, reading.place(environment)
    return (name[0] if name else None), reading.place(program)


def _headers(prefix: str, version: str | None) -> Iterator[str]:
    if version:
        for directory in (f"include/python{version}", f"include/python{version}m"):
            yield f"{prefix}/{directory}/patchlevel.h"

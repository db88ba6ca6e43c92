"""What is put into the image: files, variables, names of packages."""

import base64
import binascii
import posixpath
import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from trimtab.inspection.specification.limits import MAX_NAME, MAX_PATH, MAX_TEXT, MAX_VALUE
from trimtab.inspection.specification.part import Part, Text, printable, rule

__all__ = ["HOME", "PackageName", "SourceFile", "Variable"]

HOME = "/home/amun"
"""Where the stack and the script live in an image."""
_VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_WORD = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_MAX_COMPONENT = 255


def _check_path(value: str) -> str:
    if "\0" in value:
        raise ValueError("a path has no NUL")
    if value.endswith(("/", "/.")) or value == ".":
        raise ValueError("it is a directory; write the path of a file")
    parts = value.split("/")
    if ".." in parts:
        raise ValueError("write the path without '..'")
    if len(value.encode()) > MAX_PATH or any(len(part.encode()) > _MAX_COMPONENT for part in parts):
        raise ValueError(f"a path has at most {MAX_PATH} bytes, and {_MAX_COMPONENT} between two slashes")
    return value


def _check_name(value: str) -> str:
    if value.startswith("-"):
        raise ValueError("it is an option, not a package; remove the dash")
    if not value.strip():
        raise ValueError("it is empty")
    return printable(value)


def _check_variable(value: str) -> str:
    if not _VARIABLE.fullmatch(value):
        raise ValueError(
            "a variable's name has letters, digits, '_', '-' and '.', and begins with no digit, as in Kubernetes"
        )
    return value


def _check_value(value: str) -> str:
    if "\0" in value:
        raise ValueError("a variable has no NUL")
    if (size := len(value.encode())) > MAX_VALUE:
        raise ValueError(
            f"it has {size} bytes; at most {MAX_VALUE} are possible. Put it into `files` instead"
        )
    return value


PackageName = Annotated[str, Field(min_length=1, max_length=MAX_NAME), rule(_check_name)]
"""A package of the operating system, or a requirement of Python."""


class SourceFile(Part):
    """A file of the image."""

    path: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_PATH,
            description="Where it is put; a relative path is below /home/amun. The last of several files with one path wins",
            examples=["/home/amun/data.txt"],
        ),
        rule(_check_path),
    ]
    content: Annotated[
        Text, Field(description="What is in it, byte for byte", max_length=MAX_TEXT, min_length=1)
    ]
    encoding: Annotated[
        Literal["utf-8", "base64"],
        Field(description="What `content` is: the text itself, or any bytes as Base64"),
    ] = "utf-8"

    @model_validator(mode="after")
    def _check_encoding(self) -> Self:
        try:
            _ = self.data
        except binascii.Error as error:
            raise ValueError(f"content is no Base64: {error}") from None
        return self

    @property
    def data(self) -> bytes:
        """The bytes of the file."""
        if self.encoding == "base64":
            return base64.b64decode("".join(self.content.split()), validate=True)
        return self.content.encode()

    @property
    def target(self) -> str:
        """The absolute path in the image, in its shortest form."""
        return "/" + posixpath.normpath(posixpath.join(HOME, self.path)).lstrip("/")


class Variable(Part):
    """An environment variable of the build's steps and of each run.

    A value with line breaks is set by a small program in shell, for no image's configuration can hold it; so its name
    has to be one that a shell takes.
    """

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=256,
            description="Its name",
            examples=["OMP_NUM_THREADS"],
            json_schema_extra={"pattern": f"^{_VARIABLE.pattern}$"},
        ),
        rule(_check_variable),
    ]
    value: Annotated[
        str, Field(max_length=MAX_VALUE, description="Its value, as it is; may be empty"), rule(_check_value)
    ]

    @model_validator(mode="after")
    def _check_lines(self) -> Self:
        if "\n" in self.value and not _WORD.fullmatch(self.name):
            raise ValueError("the value has line breaks, so the name may have only letters, digits and '_'")
        return self

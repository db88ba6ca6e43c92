"""The Python stack under test, locked."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from trimtab.engines.request import LockKind
from trimtab.inspection.specification.part import Part, Text, rule

__all__ = ["Installer", "LockFiles", "PythonStack"]

Installer = Literal["micropipenv", "pipenv", "uv"]
_VERSION = re.compile(r"([0-9]\.[0-9]{1,2})(?:\.[0-9]+)?")
_HASH = re.compile(r"--hash[= ]")


def _check_version(value: str) -> str:
    match = _VERSION.fullmatch(value)
    if not match:
        raise ValueError(f"{value[:20]!r} is no version of Python; write it as 3.11")
    return match[1]


def _check_hashes(value: str) -> str:
    if value.strip() and not _HASH.search(value):
        raise ValueError(
            "it has no hashes, so it locks nothing; make it with `uv pip compile --generate-hashes` or "
            "`pip-compile --generate-hashes`"
        )
    return value


class LockFiles(Part):
    """A lock in one of the formats beside Pipfile.lock: each field is a file by its name, with its content."""

    requirements: Annotated[
        Text | None,
        Field(
            alias="requirements.txt",
            description="A requirements.txt in which everything is pinned and has hashes",
        ),
        AfterValidator(lambda value: value if value is None else _check_hashes(value)),
    ] = None
    pylock: Annotated[
        Text | None, Field(alias="pylock.toml", description="A pylock.toml, as PEP 751 has it")
    ] = None
    uv_lock: Annotated[
        Text | None, Field(alias="uv.lock", description="A uv.lock; pyproject.toml goes with it")
    ] = None
    pyproject: Annotated[
        Text | None,
        Field(alias="pyproject.toml", description="The pyproject.toml that uv.lock was made from"),
    ] = None

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        kinds = [name for name in ("requirements.txt", "pylock.toml", "uv.lock") if name in self.files]
        if len(kinds) > 1:
            raise ValueError(f"there are {' and '.join(kinds)}; give one lock")
        if ("uv.lock" in self.files) != ("pyproject.toml" in self.files):
            raise ValueError("uv.lock and pyproject.toml go together; give both")
        if not kinds:
            raise ValueError(
                "it is empty; give requirements.txt, pylock.toml, or uv.lock with pyproject.toml"
            )
        return self

    @property
    def files(self) -> dict[str, str]:
        """Content by file name."""
        return self.model_dump(exclude_none=True)

    @property
    def kind(self) -> LockKind:
        """Which format it is."""
        if self.requirements is not None:
            return "requirements"
        return "pylock" if self.pylock is not None else "uv"


def _require(fulfilled: bool, problem: str) -> None:  # noqa: FBT001 - what it is about
    if not fulfilled:
        raise ValueError(problem)


def _check_objects(document: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        _require(isinstance(document.get(name) or {}, dict), f"its {name!r} is no object")


def _check_sources(sources: object) -> None:
    fulfilled = isinstance(sources, list) and all(
        isinstance(each, dict) and isinstance(each.get("url"), str) for each in sources
    )
    _require(fulfilled or not sources, "its sources are no array of objects with name, url and verify_ssl")


def _check_pipfile(document: dict[str, Any] | None) -> dict[str, Any] | None:
    if document:
        _check_objects(document, ("packages", "dev-packages", "requires", "pipenv"))
        _check_sources(document.get("source"))
    return document


def _check_pipfile_lock(document: dict[str, Any] | None) -> dict[str, Any] | None:
    if document:
        _require("default" in document, "it has no 'default', so it is no Pipfile.lock")
        _check_objects(document, ("_meta", "default", "develop"))
        for name, entry in (document["default"] or {}).items():
            _require(isinstance(entry, dict), f"the entry {name!r} of its 'default' is no object")
        meta = document.get("_meta") or {}
        _check_objects(meta, ("hash", "requires"))
        _check_sources(meta.get("sources"))
    return document


class PythonStack(Part):
    """The locked Python packages: a Pipfile with its lock, or `lock`. With neither, nothing is installed."""

    requirements: Annotated[
        dict[str, Any] | None,
        Field(
            description="A Pipfile as JSON: `source`, `packages`, `dev-packages`, `requires`, `pipenv`. It goes with "
            "`requirements_locked`"
        ),
        rule(_check_pipfile),
    ] = None
    requirements_locked: Annotated[
        dict[str, Any] | None,
        Field(
            description="A Pipfile.lock as JSON: `_meta`, `default`, `develop`. It goes with `requirements`"
        ),
        rule(_check_pipfile_lock),
    ] = None
    lock: Annotated[
        LockFiles | None, Field(description="A lock in another format, instead of the two fields above")
    ] = None
    version: Annotated[
        str | None,
        Field(
            description="The Python that is wanted, as 3.11; unset: what the Pipfile requires, or the image's python3",
            examples=["3.11"],
        ),
        AfterValidator(lambda value: value if value is None else _check_version(value)),
    ] = None
    runtime_environment: Annotated[
        Any, Field(description="Accepted, for a resolver's project has it, and not used")
    ] = None
    constraints: Annotated[
        list[Any] | None, Field(description="Accepted, for a resolver's project has it, and not used")
    ] = None

    @model_validator(mode="after")
    def _check_pair(self) -> Self:
        if bool(self.requirements) != bool(self.requirements_locked):
            given, missing = "requirements", "requirements_locked"
            if self.requirements_locked:
                given, missing = missing, given
            raise ValueError(f"there is {given} and no {missing}; give both, or neither")
        if self.lock and self.requirements:
            raise ValueError("there are both requirements and lock; give one stack")
        return self

    @property
    def kind(self) -> LockKind | None:
        """Which lock there is."""
        if self.lock:
            return self.lock.kind
        return "pipfile" if self.requirements_locked else None

    @property
    def required_version(self) -> str | None:
        """The Python that is wanted, as X.Y; None if nothing says so."""
        return self.version or self._pipfile_version()

    def _pipfile_version(self) -> str | None:
        meta = (self.requirements_locked or {}).get("_meta") or {}
        for requires in (meta.get("requires"), (self.requirements or {}).get("requires")):
            for key in ("python_version", "python_full_version"):
                version = requires.get(key) if isinstance(requires, dict) else None
                if isinstance(version, str) and (match := _VERSION.fullmatch(version)):
                    return match[1]
        return None

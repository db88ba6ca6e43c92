"""The `inspection` section of servo.yaml."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from servo.configuration import AbstractBaseConfiguration, BaseConfiguration
from servo.types.core import Duration, Unit

__all__ = ["FigureConfiguration", "InspectionConfiguration", "PackageConfiguration", "ResourceConfiguration"]

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9.+!_-]{1,100}")
_METRIC = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_RESERVED = {"duration", "memory", "error_rate"}
_MAX_CONTEXT = 8 * 1024 * 1024


class PackageConfiguration(AbstractBaseConfiguration):
    """A package whose version is a setting."""

    versions: list[str] = Field(min_length=1, max_length=1000, description="Versions to choose from.")
    default: str | None = Field(
        default=None, description="The first version; the last of the list if omitted."
    )

    @field_validator("versions")
    @classmethod
    def _check_versions(cls, value: list[str]) -> list[str]:
        for each in value:
            if not _VERSION.fullmatch(each):
                raise ValueError(f"{each[:50]!r} is no version; write it in quotes, as '1.10'")
        if len(set(value)) != len(value):
            raise ValueError("a version is there twice")
        return value

    @model_validator(mode="after")
    def _check_default(self) -> Self:
        if self.default is not None and self.default not in self.versions:
            raise ValueError(f"the default {self.default!r} is none of the versions")
        return self

    @property
    def first(self) -> str:
        """The version to begin with."""
        return self.default or self.versions[-1]


class ResourceConfiguration(AbstractBaseConfiguration):
    """A limit of each run that is a setting."""

    min: float = Field(gt=0, description="Least value.")
    max: float = Field(gt=0, description="Greatest value.")
    step: float = Field(gt=0, description="Distance between neighbouring values.")
    default: float = Field(gt=0, description="Value to begin with.")

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        if not self.min <= self.default <= self.max:
            raise ValueError(f"the default {self.default} is not between {self.min} and {self.max}")
        return self


class ResourcesConfiguration(AbstractBaseConfiguration):
    """Which limits are settings."""

    cpu: ResourceConfiguration | None = Field(default=None, description="Cores of a run.")
    memory: ResourceConfiguration | None = Field(default=None, description="Memory of a run, in GiB.")


class FigureConfiguration(AbstractBaseConfiguration):
    """A number that the script prints, and that is a metric."""

    key: str = Field(
        max_length=200,
        description="Where it is in the JSON that the script prints, such as `@result.elapsed`.",
    )
    unit: Unit = Field(default=Unit.float, description="What it counts.")


class InspectionConfiguration(BaseConfiguration):
    """Which stack is inspected, where, and what of it can be adjusted."""

    url: str = Field(
        description="URL of a Trimtab server, with or without `/api/v1`.", examples=["http://127.0.0.1:8080"]
    )
    token: SecretStr | None = Field(default=None, description="Token for the server, for the scope `submit`.")
    context: dict[str, Any] | Path = Field(
        description="What is inspected: a specification without `python`, or the file of one; `base` and `script` at least."
    )
    requirements: list[str] = Field(
        default_factory=list,
        max_length=1000,
        description="Further requirements, whose versions are left to uv.",
    )
    packages: dict[str, PackageConfiguration] = Field(
        default_factory=dict,
        max_length=100,
        description="Packages whose versions are settings: a list of versions, or `versions` and `default`.",
    )
    resources: ResourcesConfiguration = Field(
        default_factory=ResourcesConfiguration,
        description="Limits of each run that are settings: `cpu`, `memory`.",
    )
    runs: int = Field(
        default=5, ge=1, le=1000, description="Runs of an inspection, each of which is a reading."
    )
    figures: dict[str, FigureConfiguration] = Field(
        default_factory=dict,
        max_length=50,
        description="Numbers that the script prints, by the metric that each is.",
    )
    python: str | None = Field(
        default=None,
        pattern=r"^3\.[0-9]{1,2}$",
        description="Python of the base image, such as `3.12`; else that of the agent.",
    )
    index: SecretStr | None = Field(
        default=None, description="URL of the package index; else the one that uv is configured to use."
    )
    uv: str = Field(default="uv", description="The program that locks the versions.")
    timeout: Duration = Field(
        default=Duration("1h"), description="Time that an inspection may take, its waiting included."
    )

    @classmethod
    def generate(cls, **values: object) -> Self:
        """A sample: two versions of a package."""
        sample: dict[str, object] = {
            "url": "http://127.0.0.1:8080",
            "context": Path("context.json"),
            "packages": {"jinja2": ["3.1.5", "3.1.6"]},
        }
        return super().generate(**sample | values)

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
            raise ValueError(
                f"{value!r} is not an http:// or https:// URL with a host, and no password in it"
            )
        return value.rstrip("/").removesuffix("/api/v1")

    @field_validator("packages", mode="before")
    @classmethod
    def _lists(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: {"versions": each} if isinstance(each, list) else each for name, each in value.items()}

    @field_validator("packages")
    @classmethod
    def _check_names(cls, value: dict[str, PackageConfiguration]) -> dict[str, PackageConfiguration]:
        for name in value:
            if not _NAME.fullmatch(name) or name == "resources":
                raise ValueError(f"{name[:50]!r} is no name of a package")
        return value

    @field_validator("requirements")
    @classmethod
    def _check_requirements(cls, value: list[str]) -> list[str]:
        for each in value:
            if each.lstrip().startswith("-") or "\n" in each:
                raise ValueError(f"{each[:50]!r} is no requirement; write it as 'numpy>=2'")
        return value

    @field_validator("figures")
    @classmethod
    def _check_figures(cls, value: dict[str, FigureConfiguration]) -> dict[str, FigureConfiguration]:
        for name in value:
            if not _METRIC.fullmatch(name) or name in _RESERVED:
                raise ValueError(f"{name[:50]!r} is no name of a metric, or one that is there already")
        return value

    @model_validator(mode="after")
    def _check_something(self) -> Self:
        if not self.packages and self.resources.cpu is None and self.resources.memory is None:
            raise ValueError("nothing can be adjusted: give packages, or resources with cpu or memory")
        return self

    def specification(self) -> dict[str, Any]:
        """The context, read anew.

        Raises:
            ValueError: It is no JSON object, or has what is the connector's to say.
        """
        found = self.context
        if isinstance(found, Path):
            found = _read(found)
        if "python" in found:
            raise ValueError(
                "the context has a python: which packages there are is said by `packages` and `requirements`"
            )
        return dict(found)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(_MAX_CONTEXT))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise ValueError(f"{path} is no JSON object")  # noqa: TRY004 - what is read is a value
    return document

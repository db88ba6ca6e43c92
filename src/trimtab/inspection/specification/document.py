"""The specification of an inspection: what is built, and what is run."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, ConfigDict, Field, ValidationError, model_validator

from trimtab.inspection.identity import IDENTIFIER, MAX_IDENTIFIER, check_identifier
from trimtab.inspection.specification.contents import PackageName, SourceFile, Variable
from trimtab.inspection.specification.image import check_image
from trimtab.inspection.specification.limits import (
    MAX_BATCH,
    MAX_ENVIRONMENT,
    MAX_FILES,
    MAX_NAMES,
    MAX_VARIABLES,
)
from trimtab.inspection.specification.part import STORED, Part, Text, rule
from trimtab.inspection.specification.paths import check_paths
from trimtab.inspection.specification.problems import SpecificationError
from trimtab.inspection.specification.reading import bound, parse
from trimtab.inspection.specification.resources import (
    DEFAULT_CPU,
    DEFAULT_MEMORY,
    BuildPhase,
    RunPhase,
)
from trimtab.inspection.specification.stack import Installer, PythonStack

__all__ = ["Defaults", "Specification"]


@dataclass(frozen=True, slots=True)
class Defaults:
    """What is asked for where a specification says nothing.

    Attributes:
        cpu: Cores, as a quantity of Kubernetes.
        memory: Memory, as a quantity of Kubernetes.
    """

    cpu: str = DEFAULT_CPU
    memory: str = DEFAULT_MEMORY

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Defaults":
        """As the original service read them: `THOTH_DEFAULT_CPU_REQUESTS`, `THOTH_DEFAULT_MEM_REQUESTS`."""
        return cls(
            environment.get("THOTH_DEFAULT_CPU_REQUESTS") or DEFAULT_CPU,
            environment.get("THOTH_DEFAULT_MEM_REQUESTS") or DEFAULT_MEMORY,
        )


def _check_script(value: str) -> str:
    if "\0" in value:
        raise ValueError("a script has no NUL")
    return value


def _check_environment(value: tuple[Variable, ...]) -> tuple[Variable, ...]:
    if (size := sum(len(each.name) + len(each.value.encode()) for each in value)) > MAX_ENVIRONMENT:
        raise ValueError(f"the variables have {size} bytes; at most {MAX_ENVIRONMENT} are possible")
    return value


class Specification(Part):
    """What is built, and what is run: the body of `POST /api/v1/inspect`.

    Keys that are not named here are kept as they are; those that the server adds begin with `@`.
    """

    model_config = ConfigDict(extra="allow", title="Specification")

    base: Annotated[
        str,
        Field(
            min_length=1,
            max_length=512,
            description="The image to start from",
            examples=["registry.example/python:3.11"],
        ),
        rule(check_image),
    ]
    identifier: Annotated[
        str | None,
        Field(
            description="A word of yours in the inspection's id, and so in names of a cluster",
            examples=["np-matmul"],
            json_schema_extra={"pattern": f"^({IDENTIFIER.pattern})?$", "maxLength": MAX_IDENTIFIER},
        ),
        rule(lambda value: value if value is None else check_identifier(value)),
    ] = None
    package_manager: Annotated[
        Installer | None,
        Field(
            description="What installs the stack in an image; it is brought along if the base image lacks it. Unset: "
            "micropipenv for a Pipfile, uv for `python.lock`"
        ),
    ] = None
    batch_size: Annotated[
        int, Field(ge=1, le=MAX_BATCH, description="How often it is run; it is built once")
    ] = 1
    packages: Annotated[
        tuple[PackageName, ...],
        Field(
            max_length=MAX_NAMES,
            description="Packages of the operating system, one an entry; installed with what the image has of dnf, "
            "microdnf, yum, apt-get, apk and zypper",
            examples=[["which"]],
        ),
    ] = ()
    python_packages: Annotated[
        tuple[PackageName, ...],
        Field(
            max_length=MAX_NAMES,
            description="Requirements that pip installs into the image's own Python, before the stack",
            examples=[["micropipenv[toml]"]],
        ),
    ] = ()
    python: Annotated[PythonStack | None, Field(description="The locked Python packages under test")] = None
    build: Annotated[BuildPhase, Field(description="Resources and limits of the build")] = BuildPhase()
    run: Annotated[RunPhase, Field(description="Resources and limits of the runs, and their order")] = (
        RunPhase()
    )
    files: Annotated[
        tuple[SourceFile, ...],
        Field(max_length=MAX_FILES, description="Files that are in the image before the stack is installed"),
        rule(check_paths),
    ] = ()
    environment: Annotated[
        tuple[Variable, ...],
        Field(
            max_length=MAX_VARIABLES,
            description="Environment of the build's steps and of each run; the last of several with one name wins",
        ),
        AfterValidator(_check_environment),
    ] = ()
    script: Annotated[
        Text | None,
        Field(
            min_length=1,
            description="The program that is run, by its first line (`#!…`); or an http(s) URL, from which it is "
            "fetched when the inspection is submitted. Unset: nothing is run",
            examples=["#!/usr/bin/env python3\nimport numpy\n"],
        ),
        rule(lambda value: value if value is None else _check_script(value)),
    ] = None
    update: Annotated[
        bool, Field(description="Whether the operating system's packages are brought up to date first")
    ] = False
    upgrade_pip: Annotated[
        bool,
        Field(description="Whether pip is brought up to date, in the image and in the stack's environment"),
    ] = False
    send_messages: Annotated[bool, Field(description="Whether the end of the inspection is announced")] = True
    force_sync: Annotated[
        bool, Field(description="Whether rows that are known already are written again")
    ] = False

    @model_validator(mode="after")
    def _check_installer(self) -> Self:
        kind = self.python.kind if self.python else None
        if kind == "pipfile" and self.package_manager == "uv":
            raise ValueError(
                "package_manager: uv installs no Pipfile.lock; write micropipenv or pipenv, or give python.lock"
            )
        if kind not in {"pipfile", None} and self.package_manager not in {"uv", None}:
            raise ValueError(
                f"package_manager: {self.package_manager} does not install python.lock; write uv, or leave it out"
            )
        return self

    @classmethod
    def load(
        cls, document: Mapping[str, Any], *, defaults: Defaults | None = None, stored: bool = False
    ) -> "Specification":
        """Read a document, with what it leaves out filled in.

        Args:
            document: A specification, new or old.
            defaults: What is filled in for resources.
            stored: It was accepted once, by whichever service: names and paths that a new one may not have are let
                pass. What is built is checked again.

        Raises:
            SpecificationError: It is none; the error names each field that is wrong.
        """
        bound(document)
        try:
            return cls.model_validate(_fill(document, defaults or Defaults()), context={STORED: stored})
        except ValidationError as error:
            raise SpecificationError.of(error) from None

    @classmethod
    def parse(
        cls, text: str | bytes, *, defaults: Defaults | None = None, stored: bool = False
    ) -> "Specification":
        """Read a document from JSON; see `load`."""
        return cls.load(parse(text), defaults=defaults, stored=stored)

    def document(self) -> dict[str, Any]:
        """As JSON has it: what was given and filled in, and every key that is not known here."""
        return self.model_dump(mode="json", exclude_unset=True)

    def checked(self) -> "Specification":
        """The same, held to all that a submission has to obey.

        Raises:
            SpecificationError: It does not.
        """
        return Specification.load(self.document())

    def accepted(
        self, *, version: str, api_url: str | None, deployment: str | None, now: datetime | None = None
    ) -> "Specification":
        """The same with the keys that a server adds when it accepts one.

        Args:
            version: Of the service.
            api_url: Where it is reached.
            deployment: Its name, which is part of the store's keys.
            now: When; by default now.
        """
        moment = (now or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None)
        keys = {
            "@created": moment.isoformat(timespec="microseconds"),
            "@amun_service_version": version,
            "@amun_api_url": api_url,
            "@amun_deployment_name": deployment,
        }
        return self.model_copy(update=keys)

    @property
    def created(self) -> str | None:
        """When a server accepted it: UTC, ISO 8601, without a zone."""
        found = (self.model_extra or {}).get("@created")
        return found if isinstance(found, str) else None

    @property
    def script_url(self) -> str | None:
        """Where the script is to be fetched from; None if it is here, or there is none."""
        script = self.script
        return script if script and script.startswith(("http://", "https://")) else None

    @property
    def installer(self) -> Installer:
        """What installs the stack."""
        chosen = self.package_manager
        return chosen or ("uv" if self.python and self.python.lock else "micropipenv")

    @property
    def variables(self) -> dict[str, str]:
        """The environment by name."""
        return {each.name: each.value for each in self.environment}


def _fill(document: Mapping[str, Any], defaults: Defaults) -> dict[str, Any]:
    """What is null is not there; what is not there gets its default, where the original stored one."""
    given = {
        key: value
        for key, value in document.items()
        if value is not None or key not in Specification.model_fields
    }
    phases = {name: _phase(given.get(name, {}), defaults) for name in ("build", "run")}
    return {"batch_size": 1, **given, **phases}


def _phase(phase: Any, defaults: Defaults) -> Any:
    requests = phase.get("requests") if isinstance(phase, Mapping) else None
    if not isinstance(phase, Mapping) or not isinstance(requests or {}, Mapping):
        return phase
    asked = {key: value for key, value in (requests or {}).items() if value}
    kept = {key: value for key, value in (requests or {}).items() if key not in {"cpu", "memory"}}
    filled = {"cpu": asked.get("cpu", defaults.cpu), "memory": asked.get("memory", defaults.memory)}
    return {**phase, "requests": {**kept, **filled}}

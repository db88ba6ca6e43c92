"""The document of one run."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from trimtab.inspection.result.reading import LARGEST, ResultError, parse

__all__ = ["Distribution", "Interpreter", "OperatingSystem", "RunResult", "RuntimeEnvironment", "Usage"]


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""A time; documents give UTC without saying so."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=())


class Usage(_Part):
    """What a run used, as getrusage(2) counts it: seconds, KiB (`ru_maxrss`), blocks of 512 bytes, counts.

    What the wrapper could not find out is None.
    """

    ru_utime: float | None = None
    ru_stime: float | None = None
    ru_maxrss: int | None = None
    ru_ixrss: int | None = None
    ru_idrss: int | None = None
    ru_isrss: int | None = None
    ru_minflt: int | None = None
    ru_majflt: int | None = None
    ru_nswap: int | None = None
    ru_inblock: int | None = None
    ru_oublock: int | None = None
    ru_msgsnd: int | None = None
    ru_msgrcv: int | None = None
    ru_nsignals: int | None = None
    ru_nvcsw: int | None = None
    ru_nivcsw: int | None = None


class OperatingSystem(_Part):
    """Name and version by the image's os-release."""

    name: str | None = None
    version: str | None = None


class RuntimeEnvironment(_Part):
    """What a resolver wants to know of where a stack ran."""

    cuda_version: str | None = None
    hardware: Mapping[str, int | None] = Field(default_factory=dict)
    operating_system: OperatingSystem = OperatingSystem()
    python_version: str | None = None


class Interpreter(_Part):
    """What executed the script, and why that."""

    path: str
    resolved: str | None = None
    arguments: tuple[str, ...] = ()
    reason: str = ""
    shebang: str | None = None
    version: str | None = None


class Distribution(_Part):
    """A package that was installed for the script's Python."""

    name: str
    version: str | None = None


class RunResult(_Part):
    """The result of a run, by our wrapper or the original's; a member that a document has not is None or empty.

    Attributes:
        exit_code: Of the script; negative is the signal that ended it; 126 and 127: it could not be started.
        stdout: The JSON value that was printed, or the text; `{}` for nothing and for a value that is empty or false.
        stdout_raw: The text, where `stdout` is not.
        start_datetime: When it began, in UTC; before 2020-08 it was not recorded.
        end_datetime: When it ended.
        duration: Seconds by a monotonic clock.
        error: Why the script could not be started.
        hwinfo: The whole hardware document.
        cgroup: Limits and what was used under them.
        provenance: By member, where its figures are from.
    """

    exit_code: int | None = None
    stdout: Any = Field(default_factory=dict)
    stdout_raw: str | None = None
    stdout_base64: str | None = None
    stdout_bytes: int | None = None
    stdout_truncated: bool = False
    stderr: str | None = None
    stderr_base64: str | None = None
    stderr_bytes: int | None = None
    stderr_truncated: bool = False
    script_sha256: str | None = None
    usage: Usage = Usage()
    start_datetime: Moment | None = None
    end_datetime: Moment | None = None
    duration: float | None = None
    signal: int | None = None
    timed_out: bool = False
    timeout: float | None = None
    interrupted_by: int | None = None
    left_processes: int | None = None
    error: str | None = None
    hostname: str | None = None
    os_release: Mapping[str, str] | None = None
    runtime_environment: RuntimeEnvironment = RuntimeEnvironment()
    hwinfo: Mapping[str, Any] | None = None
    interpreter: Interpreter | None = None
    packages: tuple[Distribution, ...] = ()
    cgroup: Mapping[str, Any] | None = None
    pressure: Mapping[str, Any] | None = None
    provenance: Mapping[str, str] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    wrapper: Mapping[str, Any] | None = None
    proof: str | None = None

    _document: Mapping[str, Any] = PrivateAttr(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _of_old(cls, document: Any) -> Any:
        if not isinstance(document, Mapping):
            return document
        known = {name: value for name, value in document.items() if value is not None}
        if "datetime" in known:  # before 0.9.2 of the original: when it wrote the document
            known.setdefault("end_datetime", known["datetime"])
        if "signal" not in known and isinstance(known.get("exit_code"), int) and known["exit_code"] < 0:
            known["signal"] = -known["exit_code"]
        return known

    @classmethod
    def load(cls, document: bytes | str | Mapping[str, Any], limit: int = LARGEST) -> Self:
        """Read a document.

        Args:
            document: Its text, or what was read of it.
            limit: Bytes of text that are read.

        Raises:
            ResultError: It is none; the message names the member.
        """
        if isinstance(document, str):
            document = document.encode("utf-8", "replace")
        told = parse(document, limit) if isinstance(document, bytes) else document
        try:
            result = cls.model_validate(told)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            member = ".".join(str(part) for part in first["loc"])
            raise ResultError(f"the result document's {member!r}: {first['msg']}") from None
        result._document = told  # noqa: SLF001 - of this class
        return result

    def to_dict(self) -> Mapping[str, Any]:
        """The document as it was read, with all its members."""
        return self._document

    @property
    def succeeded(self) -> bool:
        """Whether the script ended by itself, and well."""
        return self.exit_code == 0 and not self.timed_out

    @property
    def seconds(self) -> float | None:
        """How long the script took: by the monotonic clock, or else by the times of day."""
        if self.duration is not None or not (self.start_datetime and self.end_datetime):
            return self.duration
        return (self.end_datetime - self.start_datetime).total_seconds()

    @property
    def output(self) -> str:
        """What was printed, as text."""
        if self.stdout_raw is not None:
            return self.stdout_raw
        return self.stdout if isinstance(self.stdout, str) else json.dumps(self.stdout) if self.stdout else ""

    @property
    def printed(self) -> Mapping[str, Any]:
        """The object that was printed, also one on a line of its own among others; empty if there is none."""
        if isinstance(self.stdout, str):
            lines = (line.strip() for line in reversed(self.stdout.splitlines()))
            return next((found for line in lines if line.startswith("{") and (found := _object(line))), {})
        return self.stdout if isinstance(self.stdout, Mapping) else {}

    @property
    def out_of_memory(self) -> bool:
        """Whether the kernel ended something in the run for want of memory."""
        return bool((self.cgroup or {}).get("memory", {}).get("oom_kills"))


def _object(line: str) -> dict[str, Any] | None:
    try:
        return parse(line.encode("utf-8", "replace"))
    except ResultError:
        return None

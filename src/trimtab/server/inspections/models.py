"""The bodies of answers about inspections."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from trimtab.catalog import InspectionState, Wanted
from trimtab.catalog.inspections import bounds

__all__ = [
    "BatchSize",
    "Compared",
    "Comparison",
    "Containerfile",
    "Dockerfile",
    "HardwareInfo",
    "Ids",
    "Log",
    "Named",
    "Reported",
    "Result",
    "Rows",
    "Specified",
    "Standing",
    "Statistics",
    "Status",
    "Submitted",
    "Tail",
    "Waited",
]

Document = dict[str, Any]


class Named(BaseModel):
    """Which inspection was asked for."""

    inspection_id: str


class Answer(BaseModel):
    """About one inspection."""

    parameters: Named


class Submitted(BaseModel):
    """A new inspection, and the specification it was accepted with."""

    inspection_id: str
    parameters: Document


class Selection(BaseModel):
    """Which inspections are asked for; what is not given says nothing."""

    page: Annotated[int | None, Field(description="From 1; what makes no sense is 1")] = None
    limit: Annotated[int | None, Field(description="At most 100 a page; what makes no sense is 100")] = None
    words: Annotated[
        str | None, Field(max_length=500, description="Each begins a word of the id or identifier")
    ] = None
    state: InspectionState | None = None
    base: Annotated[str | None, Field(max_length=512, description="The base image, as it was written")] = None
    package: Annotated[str | None, Field(max_length=300, description="`numpy`, or `numpy==1.26.4`")] = None
    hardware: Annotated[
        str | None,
        Field(max_length=200, description="Part of a processor's brand, or the beginning of a digest"),
    ] = None

    def wanted(self) -> Wanted:
        """As the catalog is asked."""
        return Wanted(self.words, self.base, self.state, self.package, self.hardware)

    def bounds(self) -> tuple[int, int]:
        """Offset and limit."""
        return bounds(self.page, self.limit)

    def told(self) -> dict[str, Any]:
        """What was asked for, with the page and the limit that were taken."""
        offset, limit = self.bounds()
        return self.model_dump(mode="json", exclude_none=True) | {"page": offset // limit + 1, "limit": limit}


class Ids(BaseModel):
    """Ids of inspections, in their order."""

    inspections: list[str]
    parameters: Selection


class Row(BaseModel):
    """An inspection in a list; times are seconds since 1970."""

    id: str
    identifier: str | None
    owner: str
    state: str
    base: str
    batch_size: int
    engine: str | None
    failure_class: str | None
    failure_reason: str | None
    created_at: float
    started_at: float | None
    ended_at: float | None


class Rows(BaseModel):
    """Inspections, the newest first."""

    inspections: list[Row]
    parameters: Selection


class Log(Answer):
    """What was printed."""

    log: str


class Tail(Answer):
    """Some of a log that may grow; `start` and `end` are bytes of it."""

    log: str
    start: int
    end: Annotated[int, Field(description="Where the next piece begins")]
    over: Annotated[bool, Field(description="Nothing comes after it")]


class BatchSize(Answer):
    """How many runs there are to be."""

    batch_size: int


class Result(Answer):
    """What came of a run."""

    result: Document


class HardwareInfo(Answer):
    """What a run was on."""

    hwinfo: Document


class Specified(Answer):
    """What was asked for."""

    specification: Document


class Containerfile(Answer):
    """What is built."""

    containerfile: str


class Reported(Answer):
    """How it ended, or how it stands."""

    report: Document


class Build(BaseModel):
    """The build, as the original told of its pod."""

    container: str | None
    exit_code: int | None
    finished_at: str | None
    reason: str | None
    started_at: str | None
    state: Literal["scheduling", "waiting", "running", "terminated"]


class Workflow(BaseModel):
    """All of it, as the original told of its Argo workflow."""

    phase: Literal["Pending", "Running", "Succeeded", "Failed"]
    startedAt: str | None  # noqa: N815 # Argo's name
    finishedAt: str | None  # noqa: N815 # Argo's name
    message: str | None
    nodes: Document


class State(BaseModel):
    """How far an inspection is; `unknown`: there is none such."""

    build: Build | None
    workflow: Workflow | None
    data_stored: bool
    state: Annotated[str, Field(description="queued, building, running, succeeded, …, or unknown")]


class Status(Answer):
    """The state of one."""

    status: State


class Standing(Answer):
    """In which state an inspection is."""

    state: str


class Waited(Standing):
    """In which state an inspection is after a while."""

    over: bool


class Statistics(Answer):
    """The runs in figures."""

    statistics: Document


class Compared(BaseModel):
    """Which two inspections were asked for."""

    inspection_id: str
    other_id: str


class Comparison(BaseModel):
    """What is known of the second inspection against the first."""

    comparison: Document
    parameters: Compared


class Given(BaseModel):
    """What was asked about."""

    specification: Document


class Dockerfile(BaseModel):
    """What would be built."""

    dockerfile: str
    parameters: Given

"""What is asked for in queries, and the bodies of answers about analyses."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

__all__ = [
    "Analysed",
    "AnalysisAsked",
    "AnalysisLog",
    "AnalysisStatus",
    "BuildAccepted",
    "BuildAsked",
    "BuildStanding",
    "Builds",
    "Deleted",
    "Findings",
    "ImageAsked",
    "Metadata",
    "Underway",
]

Environment = Literal["runtime", "buildtime"]
User = Annotated[str | None, Field(max_length=1000)]
Password = Annotated[
    SecretStr | None, Field(max_length=20_000, description="Rather send it in the body, or a name for it")
]
Origin = Annotated[str | None, Field(max_length=1000, description="Where this comes from; kept as it is")]
Debug = Annotated[bool, Field(description="Taken as the original did; it changes nothing")]
Force = Annotated[bool, Field(description="Analyse what was analysed before")]
Document = dict[str, Any]
State = Literal["pending", "running", "succeeded", "failed", "cancelled"]


class BuildAsked(BaseModel):
    """The query of a submission, as the original has it."""

    model_config = ConfigDict(hide_input_in_errors=True)

    base_registry_user: User = None
    base_registry_password: Password = None
    base_registry_verify_tls: bool = True
    output_registry_user: User = None
    output_registry_password: Password = None
    output_registry_verify_tls: bool = True
    environment_type: Environment = "runtime"
    origin: Origin = None
    debug: Debug = False
    force: Force = False


class ImageAsked(BaseModel):
    """An image of a registry, and who asks for it."""

    model_config = ConfigDict(hide_input_in_errors=True)

    image: Annotated[str, Field(max_length=1000, min_length=1)]
    registry_user: User = None
    registry_password: Password = None
    verify_tls: bool = True


class AnalysisAsked(ImageAsked):
    """The query of an analysis of an image, as the original has it."""

    environment_type: Environment = "runtime"
    origin: Origin = None
    debug: Debug = False
    force: Force = False

    def told(self) -> Document:
        """What is answered and kept of it: nothing of who asks."""
        return self.model_dump(mode="json", exclude={"registry_user", "registry_password"})


class Named(BaseModel):
    """Which analysis was asked for."""

    analysis_id: str


class Status(BaseModel):
    """How an analysis stands."""

    state: State
    started_at: str | None
    finished_at: str | None
    reason: str | None


class AnalysisStatus(BaseModel):
    """How it stands."""

    status: Status
    parameters: Named


class Deleted(BaseModel):
    """What is not there any more."""

    parameters: Named


class Underway(BaseModel):
    """It is not over."""

    error: str
    status: Status
    parameters: Document


class AnalysisLog(BaseModel):
    """What happened to it, a line each."""

    log: str | None
    parameters: Named


class Analysed(BaseModel):
    """A new analysis, or the one there is."""

    analysis_id: str
    cached: bool
    parameters: Document


class Findings(BaseModel):
    """What an analysis found."""

    metadata: Document
    result: Document


class Metadata(BaseModel):
    """An image as its registry knows it."""

    name: str
    tag: str | None
    digest: str
    repo_tags: list[str]
    created: str | None
    docker_version: str | None
    labels: Document
    architecture: str | None
    os: str | None
    layers: list[str]
    env: list[str]


class BuildName(BaseModel):
    """The id of what was submitted."""

    analysis_id: str


class BuildAccepted(BaseModel):
    """Which analyses were accepted of a build; `error` and `parameters` in a part's place if its registry refused it."""

    base_image_analysis: Document | None
    output_image_analysis: Document | None
    buildlog_analysis: Document | None
    buildlog_document_id: str | None
    build_analysis: BuildName


class BuildStanding(BaseModel):
    """How a build's analyses stand."""

    analysis_id: str
    state: State
    reason: str | None
    created_at: float
    started_at: str | None
    finished_at: str | None
    base_image_analysis: Document | None
    output_image_analysis: Document | None
    buildlog_analysis: Document | None
    buildlog_document_id: str | None
    missing: list[Document]
    build: Document | None
    parameters: Document


class BuildListed(BaseModel):
    """One build of a list."""

    analysis_id: str
    state: State
    reason: str | None
    created_at: float
    base_image: str | None
    output_image: str | None
    buildlog_document_id: str | None
    build: Document | None


class Builds(BaseModel):
    """The newest builds; `next` is where the list goes on, if it does."""

    builds: list[BuildListed]
    next: str | None
    parameters: Document

"""What an agent sends of a build: any of base image, output image and log, and what it knows beside them."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

__all__ = ["Build", "BuildSubmission", "Login", "Logins", "Missing", "Phase"]

Phase = Literal["complete", "failed", "cancelled", "timed_out", "error"]
Part = Literal["base_image", "output_image", "build_log"]
Text = Annotated[str, Field(max_length=500)]
Image = Annotated[str, Field(max_length=1000, description="Name of an image in a registry")]
Moment = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False, description="Seconds since 1970")]
Labels = Annotated[
    dict[Annotated[str, Field(max_length=500)], Annotated[str, Field(max_length=5000)]],
    Field(max_length=200),
]


class Login(BaseModel):
    """Who asks a registry: a user and a password, or the name of a secret that the server knows."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    user: Annotated[str | None, Field(max_length=1000)] = None
    password: Annotated[SecretStr | None, Field(max_length=20_000)] = None
    name: Annotated[str | None, Field(max_length=64)] = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.name is not None and (self.user is not None or self.password is not None):
            raise ValueError("either `name`, or `user` and `password`")
        return self


class Logins(BaseModel):
    """Credentials of the registries that the images are in."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    base: Login | None = None
    output: Login | None = None


class Missing(BaseModel):
    """A part that could not be had, and why."""

    part: Part
    reason: Annotated[str, Field(max_length=2000)] = ""


class Build(BaseModel):
    """The build as the agent saw it."""

    identity: Text | None = None
    name: Text | None = None
    namespace: Text | None = None
    source: Text | None = None
    phase: Phase | None = None
    started_at: Moment | None = None
    finished_at: Moment | None = None
    exit_code: Annotated[int | None, Field(ge=-(1 << 31), lt=1 << 32)] = None
    labels: Labels = Field(default_factory=dict)


class BuildSubmission(BaseModel):
    """The body of a submission: the original's three keys, and ours."""

    model_config = ConfigDict(hide_input_in_errors=True)

    base_image: Image | None = None
    output_image: Image | None = None
    build_log: Annotated[
        dict[str, Any] | None,
        Field(description="`log`, the text; beside it `apiversion`, `kind`, `metadata`, kept as they are"),
    ] = None
    credentials: Logins = Field(default_factory=Logins)
    missing: Annotated[list[Missing], Field(max_length=10)] = Field(default_factory=list)
    build: Build | None = None

    @property
    def log(self) -> dict[str, Any] | None:
        """The log's document; None if there is no text in it."""
        document = self.build_log
        return document if document and document.get("log") else None

    @model_validator(mode="after")
    def _log_is_text(self) -> Self:
        log = (self.build_log or {}).get("log")
        if log is not None and not isinstance(log, str):
            raise ValueError("build_log.log is the text of the log")
        return self

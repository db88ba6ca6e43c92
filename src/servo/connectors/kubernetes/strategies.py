"""How an adjustment reaches a workload."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from servo.configuration import AbstractBaseConfiguration

__all__ = ["ALIAS", "CanaryStrategy", "DefaultStrategy", "Strategy"]

ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./:@-]{0,127}")
"""What the name of a container or component looks like."""


class DefaultStrategy(AbstractBaseConfiguration):
    """The workload itself is adjusted; Kubernetes replaces its pods."""

    type: Literal["default"] = Field(default="default", description="The workload itself.")


class CanaryStrategy(AbstractBaseConfiguration):
    """One more pod is made like those of the workload, and adjusted; the workload is left alone."""

    type: Literal["canary"] = Field(default="canary", description="A tuning pod beside the workload.")
    alias: str | None = Field(default=None, description="Name of the component that is the tuning pod.")

    @field_validator("alias")
    @classmethod
    def _check_alias(cls, value: str | None) -> str | None:
        if value is not None and not ALIAS.fullmatch(value):
            raise ValueError(f"{value!r} is no name of a component")
        return value


def _spelled_out(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


Strategy = Annotated[
    Annotated[DefaultStrategy | CanaryStrategy, Field(discriminator="type")], BeforeValidator(_spelled_out)
]
"""Either, or its name."""

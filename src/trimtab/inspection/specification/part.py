"""What the parts of a specification have in common."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo

from trimtab.inspection.specification.limits import MAX_TEXT

__all__ = ["STORED", "Part", "Text", "printable", "rule"]

STORED = "stored"
"""Key of the validation context: the document was accepted once, so what only a submission has to obey is let pass."""

T = TypeVar("T")


class Part(BaseModel):
    """Base of the parts: unknown keys are mistakes, values are not changed once read."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )


def rule(check: Callable[[T], T]) -> AfterValidator:
    """A check that a submission has to pass, and a document of the store need not."""

    def validate(value: Any, info: ValidationInfo) -> Any:
        return value if isinstance(info.context, dict) and info.context.get(STORED) else check(value)

    return AfterValidator(validate)


def printable(value: str) -> str:
    """Refuse control characters: in a name they are a mistake, or somebody's trick."""
    if found := next((c for c in value if c < " " or c == "\x7f"), None):
        raise ValueError(f"it has the control character {found!r}")
    return value


def _check_size(value: str) -> str:
    if (size := len(value.encode())) > MAX_TEXT:
        raise ValueError(f"it has {size} bytes; at most {MAX_TEXT} are possible")
    return value


Text = Annotated[str, AfterValidator(_check_size)]
"""A content, of bounded size."""

"""What a check is, what it found, and which checks are wanted.

How connectors declare checks is in :mod:`servo.checks`.
"""

import hashlib
import inspect
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from time import perf_counter
from typing import Annotated, Any, Self, TypeAlias

from pydantic import Field, StrictStr, field_serializer, model_validator

from servo.types.duration import Duration
from servo.types.metadata import ErrorSeverity
from servo.types.model import BaseModel

__all__ = ["Check", "CheckError", "CheckFilter", "CheckHandler", "CheckHandlerResult"]

CheckHandlerResult: TypeAlias = bool | str | tuple[bool, str] | None
"""What the code of a check returns: whether it passed, a message, both, or nothing, which is passed."""

CheckHandler: TypeAlias = Callable[..., CheckHandlerResult | Awaitable[CheckHandlerResult]]
"""The code of a check."""

Remedy: TypeAlias = Callable[[], Any] | Awaitable[Any]
Tag: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9.-]{1,32}$")]

_SINGLE_BRACE = re.compile(r"(?<!\{)\{(?!\{)|(?<!\})\}(?!\})")
_DIGEST_BYTES = 4


class CheckError(Exception):
    """Raised by the code of a check to fail it with guidance.

    Args:
        message: What is wrong.
        hint: What a person can do about it.
        remedy: What the servo can do about it: called, or awaited, before the check is tried again.
    """

    def __init__(self, message: str = "", *, hint: str | None = None, remedy: Remedy | None = None) -> None:
        super().__init__(message)
        self.hint = hint
        self.remedy = remedy


class Check(BaseModel):
    """Something that was verified, or can be, before a servo runs.

    Args:
        name: What is verified, for people.
        id: The same for programs; a digest of the name by default.
        description: More about it.
        severity: How grave a failure is.
        tags: By which it can be chosen, each 1 to 32 lower case letters, digits, dots and dashes.
        success: Whether it passed; None if it has not run.
        message: What was found.
        hint: What a person can do about a failure.
        remedy: What the servo can do about it: called, or awaited.
        exception: What its code raised.
        created_at: When this object was made.
        run_at: When its code ran.
        runtime: How long that took.
    """

    name: StrictStr
    id: StrictStr = ""
    description: StrictStr | None = None
    severity: ErrorSeverity = ErrorSeverity.common
    tags: set[Tag] | None = None
    success: bool | None = None
    message: StrictStr | None = None
    hint: str | None = None
    remedy: Any = None
    exception: Exception | None = None
    created_at: datetime = Field(default_factory=lambda: datetime.now().astimezone())
    run_at: datetime | None = None
    runtime: Duration | None = None

    @model_validator(mode="after")
    def _digest_name(self) -> Self:
        if not self.id:
            # Past the validation of assignments, in which this very validator takes part.
            self.__dict__["id"] = hashlib.blake2b(self.name.encode(), digest_size=_DIGEST_BYTES).hexdigest()
        return self

    @classmethod
    async def run(
        cls,
        name: str,
        *,
        handler: CheckHandler,
        description: str | None = None,
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Run ``handler`` and return a check of what it returned or raised.

        Args:
            name: What is verified.
            handler: The code, synchronous or not.
            description: More about it.
            args: Passed to the code.
            kwargs: Passed to the code.
        """
        check = cls(name=name, description=description)
        await check.complete(handler, *args, **(kwargs or {}))
        return check

    async def complete(self, handler: CheckHandler, *args: Any, **kwargs: Any) -> None:
        """Run the code of this check and record what it returned or raised, when, and how long it took."""
        started = self._begin()
        try:
            result = handler(*args, **kwargs)
            self._conclude(await result if inspect.isawaitable(result) else result)
        except Exception as error:  # noqa: BLE001  whatever a check raises is its result
            self._fail(error)
        self.runtime = Duration(perf_counter() - started)

    def complete_now(self, handler: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Do the same with code that is synchronous."""
        started = self._begin()
        try:
            self._conclude(handler(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  as above
            self._fail(error)
        self.runtime = Duration(perf_counter() - started)

    @property
    def passed(self) -> bool:
        """Whether it is no reason not to run: it succeeded, or is only a warning."""
        return bool(self.success) or self.warning

    @property
    def failed(self) -> bool:
        """Whether it is a reason not to run."""
        return not self.passed

    @property
    def critical(self) -> bool:
        """Whether others need not even be tried if it fails."""
        return self.severity is ErrorSeverity.critical

    @property
    def warning(self) -> bool:
        """Whether it may fail."""
        return self.severity is ErrorSeverity.warning

    @property
    def escaped_name(self) -> str:
        """The name with its single braces doubled, for templates."""
        return _SINGLE_BRACE.sub(lambda brace: brace[0] * 2, self.name)

    def __hash__(self) -> int:
        return hash(self.id)

    @field_serializer("exception", when_used="json")
    def _write_exception(self, exception: Exception | None) -> str | None:
        return None if exception is None else repr(exception)

    @field_serializer("remedy", when_used="json")
    def _write_remedy(self, remedy: Any) -> str | None:
        return None if remedy is None else str(getattr(remedy, "__qualname__", remedy))

    def _begin(self) -> float:
        self.run_at = datetime.now().astimezone()
        return perf_counter()

    def _conclude(self, result: Any) -> None:
        match result:
            case None:
                self.success = True
            case bool():
                self.success = result
            case str():
                self.success, self.message = True, result
            case (bool() as success, str() as message):
                self.success, self.message = success, message
            case _:
                raise ValueError(
                    f"a check returns None, a bool, a str or a tuple of bool and str, not {type(result).__name__}"
                )

    def _fail(self, error: Exception) -> None:
        self.success = False
        self.exception = error
        match error:
            case CheckError():
                self.message, self.hint, self.remedy = str(error), error.hint, error.remedy
            case AssertionError():
                self.message = str(error)
            case _:
                self.message = f"caught exception ({type(error).__name__}): {error}"


class CheckFilter(BaseModel):
    """Which checks are wanted: those that match everything that is given.

    Args:
        name: The name, several of them, or a regular expression searched in it.
        id: The same of the id.
        tags: One of these tags, at least.
        exclusive: Whether the critical checks that come before a wanted one are left out, too.
    """

    name: str | Sequence[str] | re.Pattern[str] | None = None
    id: str | Sequence[str] | re.Pattern[str] | None = None
    tags: set[str] | None = None
    exclusive: bool = False

    @property
    def empty(self) -> bool:
        """Whether all checks match."""
        return self.name is None and self.id is None and self.tags is None

    @property
    def any(self) -> bool:
        """Whether there is anything to match."""
        return not self.empty

    def matches(self, check: Check) -> bool:
        """Return whether ``check`` is wanted."""
        return (
            _is_wanted(check.name, self.name)
            and _is_wanted(check.id, self.id)
            and (self.tags is None or not self.tags.isdisjoint(check.tags or ()))
        )


def _is_wanted(value: str, wanted: str | Sequence[str] | re.Pattern[str] | None) -> bool:
    if wanted is None:
        return True
    if isinstance(wanted, str):
        return value == wanted
    if isinstance(wanted, re.Pattern):
        return wanted.search(value) is not None
    return value in wanted

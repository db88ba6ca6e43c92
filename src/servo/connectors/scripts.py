"""Runs commands of the user when events happen."""

from __future__ import annotations

import os
import typing
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pydantic
from pydantic import Field, PrivateAttr, field_validator

from servo.configuration import BaseConfiguration
from servo.connector import BaseConnector, metadata
from servo.connectors.quoting import harmless, quoted
from servo.errors import AdjustmentFailedError, ConnectorError, MeasurementFailedError
from servo.events import Event, Preposition, get_event, on_event
from servo.types.core import Duration, License, Maturity
from servo.utilities.subprocess import SubprocessResult, run_subprocess_shell

__all__ = ["ScriptsConfiguration", "ScriptsConnector"]

_MAX_COMMANDS = 100
_LOGGED = 50
_FAILURES = {"measure": MeasurementFailedError, "adjust": AdjustmentFailedError}

Commands = dict[str, list[str]]


class ScriptsConfiguration(BaseConfiguration):
    """Which commands run when."""

    before: Commands = Field(
        default_factory=dict, description="Commands to run before an event, by its name."
    )
    on: Commands = Field(
        default_factory=dict, description="Commands to run on an event, beside the other connectors."
    )
    after: Commands = Field(default_factory=dict, description="Commands to run after an event.")
    timeout: Duration = Field(
        default=Duration("10m"),
        description="Time each command may take; then it is ended with all it started.",
    )
    fail: bool = Field(
        default=False, description="A command that fails makes the event fail; else that is only logged."
    )

    @field_validator("before", "on", "after")
    @classmethod
    def _check_events(cls, value: Commands) -> Commands:
        for name, commands in value.items():
            if get_event(name, None) is None:
                raise ValueError(f"there is no event {name!r}; `servo show events --all` lists them")
            if len(commands) > _MAX_COMMANDS or any(not command or "\0" in command for command in commands):
                raise ValueError(
                    f"{name}: at most {_MAX_COMMANDS} commands, none empty or with a NUL character"
                )
        return value

    @field_validator("timeout")
    @classmethod
    def _check_timeout(cls, value: Duration) -> Duration:
        if value <= Duration(0):
            raise ValueError("more than zero")
        return value

    def all(self) -> Iterator[tuple[Preposition, str, str]]:
        """When, on which event, and what, in the order of the file."""
        for preposition in (Preposition.before, Preposition.on, Preposition.after):
            for name, commands in getattr(self, str(preposition)).items():
                for command in commands:
                    yield preposition, name, command


@metadata(
    description="Runs shell commands before, on and after events",
    version="0.1.0",
    license=License.apache2,
    maturity=Maturity.experimental,
)
class ScriptsConnector(BaseConnector):
    """Runs the commands of its configuration through the shell: they are the user's own.

    Each has the event's name in `SERVO_EVENT` and `before`, `on` or `after` in `SERVO_PREPOSITION`.
    """

    config: ScriptsConfiguration

    _registered: bool = PrivateAttr(default=False)

    @on_event()
    async def attach(self, servo_: Any) -> None:
        """Register the commands, before anything else happens to the servo."""
        self._register()

    @on_event()
    async def startup(self) -> None:
        """Register the commands of a connector that was never attached."""
        self._register()

    def _register(self) -> None:
        # Handlers belong to this instance: two sections of commands know nothing of each other.
        if self._registered:
            return
        self._registered = True
        for preposition, name, command in self.config.all():
            event = get_event(name)
            self.add_event_handler(event, preposition, _handler(command, event, preposition))

    async def run_command(self, command: str, event: str, preposition: str) -> None:
        """Run a command, log what it wrote, and report how it ended.

        Raises:
            ConnectorError: It failed, and `fail` is set; of the kind that fits the event.
        """
        try:
            result = await run_subprocess_shell(
                command,
                timeout=self.config.timeout,
                env={**os.environ, "SERVO_EVENT": event, "SERVO_PREPOSITION": preposition},
            )
        except TimeoutError:
            self._report(command, event, f"took longer than {self.config.timeout} and was ended")
            return
        self._log(command, result)
        if result.return_code != 0:
            lines = result.stderr or result.stdout
            self._report(command, event, f"ended with exit code {result.return_code}{quoted(lines)}")

    def _log(self, command: str, result: SubprocessResult) -> None:
        lines = [f"  | {harmless(line)}" for line in [*result.stdout, *result.stderr][-_LOGGED:]]
        self.logger.info("\n".join([f"{_shown(command)} ended with exit code {result.return_code}", *lines]))

    def _report(self, command: str, event: str, what: str) -> None:
        message = f"{_shown(command)} {what}"
        if self.config.fail:
            failure = _FAILURES.get(event, ConnectorError)
            raise failure(message, reason="script-failed", connector=self)
        self.logger.warning(message)


def _handler(command: str, event: Event, preposition: Preposition) -> Callable[..., Awaitable[Any]]:
    async def run_script(self: ScriptsConnector, *_: Any, **__: Any):  # type: ignore[no-untyped-def]  # noqa: ANN202 - the event's type, known at run time only
        await self.run_command(command, event.name, str(preposition))
        return _nothing(event) if preposition is Preposition.on else None

    return run_script


def _nothing(event: Event) -> Any:
    """The empty value of what an event returns, so that whoever adds results up can add it."""
    kind = event.signature.return_annotation
    kind = typing.get_origin(kind) or kind
    if isinstance(kind, type) and (kind is list or issubclass(kind, pydantic.BaseModel)):
        return kind()
    return None


def _shown(command: str) -> str:
    return f"`{harmless(command.splitlines()[0])[:100]}`"

"""What a command is told: which file, which servo, which connector; put together when first asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from servo.cli.failures import USAGE, fail
from servo.cli.loop import run_async
from servo.cli.sections import LogLevel, Section

if TYPE_CHECKING:
    from servo.assembly import Assembly
    from servo.connector import BaseConnector
    from servo.events import EventResult
    from servo.servo import Servo

DEFAULT_FILE = Path("servo.yaml")


@dataclass
class State:
    """The global options, and the assembly they lead to. One per invocation."""

    config_file: Path = DEFAULT_FILE
    name: str | None = None
    limit: int | None = None
    log_level: LogLevel = LogLevel.info
    log_file: Path | None = None
    log_format: str = "text"
    no_color: bool = False
    assembly: Assembly | None = None

    def configure_logging(self) -> None:
        """Set up the log as the options say."""
        from servo import logging

        try:
            logging.configure(
                level=self.log_level.value,
                colors=False if self.no_color else None,
                file=self.log_file,
                format="json" if self.log_format == "json" else "text",
            )
        except OSError as error:
            fail(
                f"cannot write the log file '{self.log_file}': {error.strerror}; name another with --log-file",
                USAGE,
            )

    def assemble(self) -> Assembly:
        """Return the assembly of the configuration file, built at the first call.

        A file that is missing or wrong ends the command with exit code 2.
        """
        return self.assembly or run_async(self.assemble_async())

    async def assemble_async(self) -> Assembly:
        """Do the same from a coroutine."""
        if self.assembly is None:
            self._require_file()
            from servo.assembly import Assembly

            self.assembly = await Assembly.assemble(config_file=self.config_file.absolute())
        return self.assembly

    def _require_file(self) -> None:
        file = self.config_file.absolute()
        if file.is_dir():
            fail(f"Config file '{file}' is a directory: name a file with --config-file", USAGE)
        if not file.exists():
            fail(
                f"Config file '{file}' does not exist: write one with 'servo generate', "
                "or name another with --config-file",
                USAGE,
            )

    def servos(self) -> list[Servo]:
        """Return the servo named by ``--name``, or all of them."""
        return self.select(self.assemble())

    def select(self, assembly: Assembly) -> list[Servo]:
        """Return the servo of ``assembly`` named by ``--name``, or all of them.

        Raises:
            typer.BadParameter: there is none of that name.
        """
        servos = list(assembly.servos)
        if self.name is None:
            return servos
        named = [servo for servo in servos if servo.name == self.name]
        if not named:
            known = ", ".join(repr(servo.name) for servo in servos) or "none"
            raise typer.BadParameter(f'No servo was found named "{self.name}" (there are: {known})')
        return named

    def close(self) -> None:
        """Let connectors leave, so that what they started ends, and close connections."""
        if self.assembly is not None:
            run_async(_close(self.assembly))


async def _dispatch(
    assembly: Assembly, servo: Servo, event: str, args: tuple[Any, ...], options: dict[str, Any]
) -> list[EventResult]:
    with assembly.current(), servo.current():
        results: list[EventResult] = await servo.dispatch_event(event, *args, **options)
    return results


async def _close(assembly: Assembly) -> None:
    for servo in assembly.servos:
        if not servo.is_running:
            with servo.current():
                await servo.detach_connectors()
    await assembly.aclose()


class Context(typer.Context):
    """The context that commands receive."""

    @property
    def state(self) -> State:
        """The options and the assembly of this invocation."""
        root = self.find_root()
        if not isinstance(root.obj, State):
            root.obj = State()
        return root.obj

    @property
    def assembly(self) -> Assembly:
        """The assembly, built if it is not yet."""
        return self.state.assemble()

    @property
    def servos(self) -> list[Servo]:
        """The servo selected by ``--name``, or all."""
        return self.state.servos()

    def dispatch(self, servo: Servo, event: str, *args: Any, **options: Any) -> list[EventResult]:
        """Have a servo's connectors answer ``event``, and return what they did; the log tells the servos apart."""
        return run_async(_dispatch(self.assembly, servo, event, args, options))

    @property
    def servo(self) -> Servo | None:
        """The servo selected by ``--name``, or the only one; None if there are several."""
        servos = self.state.servos()
        return servos[0] if len(servos) == 1 else None

    servo_ = servo

    @property
    def connector(self) -> BaseConnector | None:
        """The connector that a connector's own command is for; None elsewhere."""
        resolve = self.meta.get("servo.connector")
        return resolve() if resolve is not None else None

    @property
    def config_file(self) -> Path:
        """The configuration file, absolute."""
        return self.state.config_file.absolute()

    @property
    def name(self) -> str | None:
        """The name given by ``--name``."""
        return self.state.name

    @property
    def limit(self) -> int | None:
        """The value of ``--limit``, which has no effect."""
        return self.state.limit

    @property
    def section(self) -> Section:
        """The heading under which the command stands in the help."""
        panel = getattr(self.command, "rich_help_panel", None)
        return Section(panel) if panel in set(Section) else Section.commands

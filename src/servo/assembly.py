"""All the servos of a process, built from one file: one document, one servo."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from servo import context
from servo.api.connections import Connections
from servo.configuration.document import Document, read_documents
from servo.configuration.loading import connectors_of, load
from servo.configuration.servo import BaseServoConfiguration
from servo.connector import BaseConnector, ConnectorLoader
from servo.context import current_assembly
from servo.errors import ConfigurationError, ConnectorError, explained
from servo.events import Event, EventResult
from servo.logging import logger
from servo.models import configuration_model
from servo.routes import routes_for
from servo.servo import Servo
from servo.telemetry import Telemetry

__all__ = ["Assembly", "current_assembly"]

Watcher = Callable[[Servo], Awaitable[None]]


class Assembly:
    """Servos that share a process, its HTTP connections and its bus of events.

    Args:
        config_file: What they were read from.
        servos: The servos.
        connections: The HTTP clients they share.
    """

    def __init__(
        self,
        *,
        config_file: Path | str | None = None,
        servos: Iterable[Servo] = (),
        connections: Connections | None = None,
    ) -> None:
        self.config_file = None if config_file is None else Path(config_file)
        self.servos = list(servos)
        self.connections = connections or Connections()
        self._watchers: list[tuple[Watcher, Watcher]] = []

    @classmethod
    async def assemble(
        cls,
        *,
        config_file: Path | str | None = None,
        configs: Sequence[Mapping[str, Any] | BaseServoConfiguration] | None = None,
        env: Mapping[str, str] = os.environ,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> Assembly:
        """Build the servos that a file, or configurations, describe, and attach their connectors.

        Args:
            config_file: A YAML file with a document for each servo.
            configs: The documents themselves, instead of those of the file.
            env: Where values are looked up that the documents omit.
            transport: Replaces the network, for tests and for an optimizer in the same process.

        Raises:
            FileNotFoundError: There is no such file.
            ConfigurationError: Something in it is wrong; the text says where, what, and what to do.
            ServoError: A connector could not be attached.
        """
        load_connector_types()
        documents = _documents(config_file, configs)
        assembly = cls(config_file=config_file, connections=Connections(transport))
        for document in documents:
            assembly.servos.append(assembly.build(document, env, alone=len(documents) == 1))
        await assembly._attach(assembly.servos)
        return assembly

    def build(
        self,
        document: Document | BaseServoConfiguration,
        env: Mapping[str, str] = os.environ,
        *,
        alone: bool = True,
    ) -> Servo:
        """Make the servo of one document; it does not join yet.

        Raises:
            ConfigurationError: Something in the document is wrong.
        """
        config, routes = configure(document, env, alone=alone)
        servo = Servo(config=config, routes=routes, telemetry=Telemetry(), connections=self.connections)
        if routes:
            servo.load_connectors()
        return servo

    def all_connector_types(self) -> set[type[BaseConnector]]:
        """Return the classes of all connectors that are active, ``Servo`` among them."""
        return {type(connector) for servo in self.servos for connector in servo.all_connectors}

    async def dispatch_event(self, event: Event | str, *args: Any, **options: Any) -> list[EventResult]:
        """Dispatch an event to all servos, side by side, and return all their results.

        Takes the options of a servo's own ``dispatch_event``.
        """
        with self.current():
            answers = await asyncio.gather(*(_dispatch(servo, event, args, options) for servo in self.servos))
        return [result for results in answers for result in _listed(results)]

    async def add_servo(self, servo: Servo) -> None:
        """Let a servo join: its connectors attach, and it starts if a runner runs the assembly.

        Raises:
            ValueError: It has joined already.
        """
        if any(each is servo for each in self.servos):
            raise ValueError(f"the servo '{servo.name}' is part of the assembly already")
        await self._attach([servo])
        self.servos.append(servo)
        for joined, _ in self._watchers:
            await joined(servo)

    async def remove_servo(self, servo: Servo, reason: str | None = None) -> None:
        """Let a servo leave: its command under way is cancelled, its connectors shut down and detach, it says goodbye.

        Raises:
            ValueError: It is no part of the assembly.
        """
        if all(each is not servo for each in self.servos):
            raise ValueError(f"the servo '{servo.name}' is no part of the assembly")
        for _, left in self._watchers:
            await left(servo)
        with self.current():
            await _end(servo, reason or "removed")
        self.servos = [each for each in self.servos if each is not servo]

    def watch(self, joined: Watcher, left: Watcher) -> Callable[[], None]:
        """Have functions called when a servo has joined and before one leaves; call the result to end that."""
        watchers = joined, left
        self._watchers.append(watchers)
        return lambda: self._watchers.remove(watchers)

    async def startup(self) -> None:
        """Start all servos that are not running."""
        with self.current():
            await asyncio.gather(
                *(_as_current(servo, servo.startup()) for servo in self.servos if not servo.is_running)
            )

    async def shutdown(self, reason: str | None = None) -> None:
        """Shut down the servos that run, detach the connectors of the others, and close the connections."""
        servos = list(self.servos)
        with self.current():
            outcomes = await asyncio.gather(
                *(_end(servo, reason) for servo in servos), return_exceptions=True
            )
        for servo, outcome in zip(servos, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                logger.error("the servo '{}' did not shut down: {}", servo.name, outcome)
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections; they open again when needed."""
        await self.connections.aclose()

    @contextmanager
    def current(self) -> Iterator[Assembly]:
        """Make this the current assembly until the block ends."""
        with context.set_for(context.assembly_var, self):
            yield self

    async def _attach(self, servos: Sequence[Servo]) -> None:
        with self.current():
            try:
                await asyncio.gather(*(_as_current(servo, servo.attach()) for servo in servos))
            except ExceptionGroup as group:
                raise explained(group, ConnectorError) from group


def configure(
    document: Document | BaseServoConfiguration, env: Mapping[str, str], *, alone: bool = True
) -> tuple[BaseServoConfiguration, dict[str, type[BaseConnector]]]:
    """Return the validated configuration of a document and the routes it mounts.

    Raises:
        ConfigurationError: Something in the document is wrong.
    """
    if isinstance(document, BaseServoConfiguration):
        return document, routes_for(document.connectors)
    descriptor = connectors_of(document, env)
    try:
        routes = routes_for(descriptor)
        model, sections = configuration_model(routes, required=descriptor is not None)
    except (ValueError, TypeError) as error:
        remedy = "see `servo connectors` for those that are installed"
        position, written = document.locate(("connectors",))
        wrong = ConfigurationError(str(error), field="connectors", remedy=remedy)
        if not written and descriptor is not None:
            raise wrong.at(file="environment variable SERVO_CONNECTORS") from error
        raise wrong.at(
            file=document.file, line=position.line or None, column=position.column or None
        ) from error
    return load(model, document, env, routes=sections, alone=alone), routes


def load_connector_types() -> None:
    """Import every connector that is installed, so that its class is known; one that cannot be imported is logged."""
    for _ in ConnectorLoader().load():
        pass


def _documents(
    config_file: Path | str | None, configs: Sequence[Mapping[str, Any] | BaseServoConfiguration] | None
) -> list[Document | BaseServoConfiguration]:
    if configs is not None:
        return [
            each if isinstance(each, BaseServoConfiguration) else Document.of(dict(each)) for each in configs
        ]
    if config_file is None:
        return [Document.of({})]
    return list(read_documents(config_file))


async def _as_current(servo: Servo, action: Awaitable[Any]) -> Any:
    with servo.current():
        return await action


async def _end(servo: Servo, reason: str | None) -> None:
    with servo.current():
        if servo.is_running:
            await servo.shutdown(reason)
        else:  # it never started, or could not start again
            await servo.detach_connectors()


async def _dispatch(servo: Servo, event: Event | str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    with servo.current():
        return await servo.dispatch_event(event, *args, **options)


def _listed(results: Any) -> list[EventResult]:
    if results is None:
        return []
    return results if isinstance(results, list) else [results]

"""One servo: its connectors on one bus, and its line to the optimizer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

import httpx2
from pydantic import Field

from servo import context
from servo.api.client import OptimizerClient, read_status, user_agent
from servo.api.connections import Connections
from servo.api.messages import CommandResponse, Status
from servo.api.statuses import Events as ApiEvents
from servo.api.statuses import OptimizerStatuses
from servo.configuration import AppdynamicsOptimizer, BaseServoConfiguration
from servo.connector import BaseConnector, metadata
from servo.context import current_command_uid, current_servo
from servo.dispatch import Bus
from servo.errors import EventCancelledError, ServoError, UnexpectedCommandIdError, UnexpectedEventError
from servo.events import Preposition, on_event
from servo.logging import logger
from servo.readiness import check_servo
from servo.release import CRYPTONYM, release
from servo.schema import top_level_schema
from servo.standard_events import Events
from servo.types.checks import Check, CheckFilter
from servo.types.core import ErrorSeverity, License, Maturity

__all__ = ["Events", "Servo", "current_command_uid", "current_servo"]

CONNECTIVITY = "Opsani API connectivity"
UNEXPECTED_COMMAND = "unexpected cmd_uid"
SHUTDOWN_SECONDS = 20.0
GOODBYE_SECONDS = 5.0


@metadata(
    name="Servo",
    description="Continuous Optimization Orchestrator",
    version=release(),
    homepage="https://opsani.com/",
    license=License.apache2,
    maturity=Maturity.robust,
    cryptonym=CRYPTONYM,
)
class Servo(BaseConnector):
    """A connector that owns others, and what an optimizer talks to.

    Args:
        config: What its document of ``servo.yaml`` says.
        routes: The class of each connector by the name of its section.
        connections: HTTP clients to share with other servos; own ones if None.
        transport: Replaces the network where ``connections`` is None.
    """

    __routable__: ClassVar[bool] = False
    """No document mounts a servo as a connector of another."""

    config: BaseServoConfiguration
    connectors: list[BaseConnector] = Field(default_factory=list)
    routes: dict[str, Any] = Field(default_factory=dict)

    # Slots, and not private attributes: those cost each servo a dictionary.
    __slots__ = ("_client", "_running")

    if TYPE_CHECKING:
        _client: OptimizerClient
        _running: bool

    def __init__(
        self,
        *,
        config: BaseServoConfiguration,
        connections: Connections | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        **values: Any,
    ) -> None:
        super().__init__(config=config, _optimizer=config.optimizer, _global_config=config.settings, **values)
        # Not validated: the ids of optimizers have spaces in them that names of connectors may not.
        self.name = config.name or getattr(config.optimizer, "id", None) or "servo"
        self._running = False
        self._client = OptimizerClient(
            config.optimizer,
            config.settings,
            servo_uid=config.servo_uid,
            connections=connections,
            transport=transport,
        )
        self._rebuild_bus()

    # Connectors

    def load_connectors(self) -> None:
        """Make the connector of each route whose section is present.

        Raises:
            RuntimeError: There are no routes.
        """
        if not self.routes:
            raise RuntimeError("a servo without routes has no connectors to load")
        self.connectors = [
            self._make(name, kind, section)
            for name, kind in self.routes.items()
            if (section := self.config.section(name)) is not None
        ]
        self._rebuild_bus()

    @property
    def all_connectors(self) -> list[BaseConnector]:
        """The connectors, and the servo itself at the end."""
        return [*self.connectors, self]

    def connectors_named(self, names: Iterable[str]) -> list[BaseConnector]:
        """Return the connectors of these names, in the order of the bus."""
        wanted = set(names)
        return [connector for connector in self.all_connectors if connector.name in wanted]

    def get_connector(self, name: str | Sequence[str]) -> BaseConnector | list[BaseConnector] | None:
        """Return the connector of a name, None if there is none; or those of several names."""
        if isinstance(name, str):
            return next(iter(self.connectors_named([name])), None)
        return self.connectors_named(name)

    async def add_connector(self, name: str, connector: BaseConnector) -> None:
        """Let a connector join: it attaches, and starts if the servo is running.

        Raises:
            ValueError: The name is taken.
        """
        if self.get_connector(name) is not None:
            raise ValueError(f"invalid connector: a connector named '{name}' already exists")
        connector.name = name
        self._adopt(connector)
        self.connectors.append(connector)
        self.config.add_section(name, connector.config)
        self.routes = {**self.routes, name: type(connector)}
        self._rebuild_bus()
        with self.current():
            await self.dispatch_event(Events.attach, self, include=[connector])
            if self._running:
                await self.dispatch_event(Events.startup, include=[connector], _prepositions=Preposition.on)
                connector.start_repeating_methods()

    async def remove_connector(self, connector: str | BaseConnector) -> None:
        """Let a connector leave: it shuts down if the servo is running, and detaches.

        Raises:
            ValueError: It is not one of this servo's.
        """
        name = connector if isinstance(connector, str) else connector.name
        found = next((each for each in self.connectors if each.name == name), None)
        if found is None:
            raise ValueError(f"invalid connector: no connector named '{name}' is active")
        with self.current():
            await self._stop([found], was_running=self._running)
        self._let_go([found])
        self.config.remove_section(name)
        self.routes = {route: kind for route, kind in self.routes.items() if route != name}

    # Life

    @property
    def is_running(self) -> bool:
        """Whether it was started and not yet shut down."""
        return self._running

    async def attach(self) -> None:
        """Tell every connector that it belongs to this servo."""
        await self.dispatch_event(Events.attach, self)

    async def startup(self) -> None:
        """Introduce the servo to its optimizer and start its connectors.

        Raises:
            RuntimeError: It is running already.
            ExceptionGroup: A connector does not start.
        """
        if self._running:
            raise RuntimeError("cannot start up a servo that is already running")
        await self.connect()
        self._running = True
        await self.dispatch_event(Events.startup, _prepositions=Preposition.on)
        # Those that were made while no loop ran could not begin by themselves.
        for connector in self.connectors:
            connector.start_repeating_methods()

    async def shutdown(self, reason: str | None = None) -> None:
        """Let every connector restore what it must and leave, then say goodbye to the optimizer.

        Connectors have 20 seconds, the goodbye five; what fails is logged.

        Raises:
            RuntimeError: It is not running.
        """
        if not self._running:
            raise RuntimeError("cannot shut down a servo that is not running")
        self._running = False
        await self._stop(self.connectors, was_running=True)
        self._let_go(self.connectors)
        await self.disconnect(reason)

    async def detach_connectors(self) -> None:
        """Tell every connector of a servo that does not run that it leaves."""
        await self._stop(self.connectors, was_running=False)
        self._let_go(self.connectors)

    async def restart(self) -> None:
        """Shut down and start again in place, with connectors made anew: the optimizer and we were out of step."""
        if self._running:
            await self.shutdown("restarting")
        else:  # a restart before this one failed, after its connectors had attached
            await self.detach_connectors()
        self.load_connectors()
        await self.attach()
        await self.startup()

    async def aclose(self) -> None:
        """Close the connections, unless they are shared."""
        await self._client.aclose()

    # The optimizer

    @property
    def client(self) -> OptimizerClient:
        """The line to the optimizer."""
        return self._client

    async def connect(self) -> None:
        """Say hello to the optimizer, again and again within the limits of ``settings.backoff``."""
        await self._client.hello(self._introduction())

    async def try_connect(self) -> None:
        """Say hello to the optimizer, once."""
        await self._client.hello(self._introduction(), once=True)

    async def disconnect(self, reason: str | None = None) -> None:
        """Say goodbye to the optimizer; what fails is logged only."""
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._client.post(ApiEvents.goodbye, {"reason": reason or "unknown"}, once=True)
        except (httpx2.HTTPError, ServoError, TimeoutError) as error:
            logger.warning(
                "could not say goodbye to the optimizer: {}: {}", type(error).__name__, error, connector=self
            )

    async def post_event(
        self, event: ApiEvents | str, param: Mapping[str, Any] | None = None
    ) -> CommandResponse | Status:
        """Post an event to the optimizer and return its answer."""
        return await self._client.post_event(event, param)

    def progress_request(
        self,
        *,
        operation: str,
        progress: float,
        started_at: datetime,
        message: str | None = None,
        command_uid: str | None = None,
        **_: Any,
    ) -> tuple[str, dict[str, Any]]:
        """Return the event and parameter of a progress report.

        Args:
            operation: ``DESCRIPTION``, ``MEASUREMENT`` or ``ADJUSTMENT``.
            progress: In percent.
            started_at: When the operation began.
            message: The log line.
            command_uid: The command that is being carried out.
        """
        runtime = (datetime.now(started_at.tzinfo) - started_at).total_seconds()
        param = {
            "progress": float(progress),
            "runtime": max(runtime, 0.0),
            "cmd_uid": command_uid or current_command_uid(),
            "message": message,
        }
        return operation, param

    async def report_progress(self, **report: Any) -> None:
        """Tell the optimizer how far the current operation is.

        Raises:
            EventCancelledError: The optimizer cancels the operation.
            UnexpectedEventError: It does not expect this operation: we are out of step.
            UnexpectedCommandIdError: It has moved on to another command.
            ServoError: It answered something else than the protocol knows.
        """
        event, param = self.progress_request(**report)
        status = read_status(await self._client.post(event, param, once=True))
        match status.status:
            case OptimizerStatuses.ok:
                return
            case OptimizerStatuses.cancelled:
                raise EventCancelledError(status.reason or "Command cancelled", connector=self)
            case OptimizerStatuses.unexpected_event:
                raise UnexpectedEventError(
                    status.reason or "the optimizer did not expect this", connector=self
                )
            case OptimizerStatuses.invalid if status.reason == UNEXPECTED_COMMAND:
                raise UnexpectedCommandIdError(UNEXPECTED_COMMAND, connector=self)
            case OptimizerStatuses.invalid:
                logger.warning(
                    "the optimizer calls a progress report invalid: {}", status.reason, connector=self
                )
            case other:
                raise ServoError(f"the optimizer answered progress with the unknown status {other!r:.100}")

    async def watch_connection_file(self, every: float = 1.0) -> None:
        """Reload address and token whenever the connection file changes, until cancelled.

        The client looks before each message anyway; this is for a servo that does not talk for long.
        """
        while True:
            self._client.refresh()
            await asyncio.sleep(every)

    # Checks

    @on_event()
    async def check(
        self,
        matching: CheckFilter | None = None,
        halt_on: ErrorSeverity | None = ErrorSeverity.critical,  # noqa: ARG002 - the same
    ) -> list[Check]:
        """Check that the optimizer answers."""

        async def connectivity() -> tuple[bool, str]:
            try:
                await self._client.post(ApiEvents.hello, None, once=True)
            except httpx2.HTTPStatusError as error:
                return False, f"Response status code: {error.response.status_code}"
            return True, "Response status code: 200"

        check = Check(name=CONNECTIVITY)
        if matching is not None and not matching.matches(check):
            return []
        await check.complete(connectivity)
        return [check]

    async def check_servo(self, print_callback: Callable[[str], Any] | None = None) -> bool:
        """Run the checks that ``config.checks`` selects, again and again until they pass or its time is over.

        Args:
            print_callback: Called with the table of each pass unless ``progressive`` or ``quiet`` is set.

        Returns:
            Whether everything passed.
        """
        return await check_servo(self, print_callback)

    # Schema

    def top_level_schema(self, *, all: bool = False) -> dict[str, Any]:  # noqa: A002 - the original's name
        """Return the JSON Schema of the configuration, with those of its connectors as definitions.

        Args:
            all: Whether to describe every connector that is available rather than those that are active.
        """
        return top_level_schema(self, every=all)

    def top_level_schema_json(self, *, all: bool = False) -> str:  # noqa: A002 - the original's name
        """Return the same as text."""
        return json.dumps(self.top_level_schema(all=all), indent=2)

    @contextmanager
    def current(self) -> Iterator[Servo]:
        """Make this the current servo until the block ends."""
        with context.set_for(context.servo_var, self):
            yield self

    def _introduction(self) -> dict[str, Any]:
        return {"agent": user_agent(), "telemetry": dict(self.telemetry.values)}

    def _make(self, name: str, kind: type[BaseConnector], section: Any) -> BaseConnector:
        return kind(
            name=name,
            config=section,
            telemetry=self.telemetry,
            _optimizer=self.config.optimizer,
            _global_config=self.config.settings,
        )

    def _adopt(self, connector: BaseConnector) -> None:
        connector.telemetry = self.telemetry
        # Ours to set: a connector has no public way to change whose it is.
        connector._optimizer = self.config.optimizer  # noqa: SLF001 - see above
        connector._global_config = self.config.settings  # noqa: SLF001 - see above

    def _rebuild_bus(self) -> None:
        bus = Bus(self.all_connectors)
        for connector in bus:
            connector.__connectors__ = bus

    def _let_go(self, leaving: Sequence[BaseConnector]) -> None:
        """Take connectors off the bus, and the bus from them: they neither address nor keep their former peers."""
        gone = list(leaving)
        self.connectors = [each for each in self.connectors if each not in gone]
        for connector in gone:
            connector.__connectors__ = Bus([connector])
        self._rebuild_bus()

    async def _stop(self, connectors: Sequence[BaseConnector], *, was_running: bool) -> None:
        if was_running:
            await self._tell(Events.shutdown, connectors, _prepositions=Preposition.on)
        await self._tell(Events.detach, connectors, self)
        for connector in connectors:
            connector.cancel_repeating_tasks()

    async def _tell(
        self, event: Events, connectors: Sequence[BaseConnector], *args: Any, **options: Any
    ) -> None:
        """Dispatch an event of parting: bounded in time, and nobody's failure keeps others from hearing it."""
        dispatch: Awaitable[Any] = self.dispatch_event(
            event, *args, include=list(connectors), return_exceptions=True, **options
        )
        try:
            async with asyncio.timeout(SHUTDOWN_SECONDS):
                results = await dispatch
        except TimeoutError:
            logger.error("{}: connectors took longer than {:g} s", event, SHUTDOWN_SECONDS, connector=self)
        except Exception as error:  # noqa: BLE001 - whoever fails to part must not keep the others
            logger.opt(exception=error).error("{}: {}", event, error, connector=self)
        else:
            for result in results:
                if isinstance(result.value, BaseException):
                    logger.opt(exception=result.value).error(
                        "{}: {}", event, result.value, connector=result.connector
                    )

    @property
    def has_connection_file(self) -> bool:
        """Whether address and token come from a file that may change."""
        optimizer = self.config.optimizer
        return isinstance(optimizer, AppdynamicsOptimizer) and optimizer.connection_file is not None

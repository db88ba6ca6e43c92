"""Watches builds for as long as a servo runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import PrivateAttr

from servo.connector import BaseConnector, metadata
from servo.connectors.builds.configuration import BuildsConfiguration
from servo.errors import ConnectorError
from servo.events import on_event
from servo.types.api import Control, Description
from servo.types.checks import Check, CheckFilter
from servo.types.core import ErrorSeverity, License, Maturity

if TYPE_CHECKING:
    from servo.connectors.builds.agent import Agent

__all__ = ["BuildsConnector"]


@metadata(
    description="Watches builds and sends each once to a backend that takes them apart",
    version="0.1.0",
    license=License.apache2,
    maturity=Maturity.experimental,
)
class BuildsConnector(BaseConnector):
    """Watches builds beside whatever else the servo does; it adjusts and measures nothing."""

    config: BuildsConfiguration

    _agent: Agent | None = PrivateAttr(default=None)

    @on_event()
    async def startup(self) -> None:
        """Begin to watch."""
        from servo.connectors.builds.agent import Agent, described

        agent = Agent(self.config)
        try:
            await agent.start()
        except (RuntimeError, OSError, ValueError) as error:
            raise ConnectorError(str(error), reason="builds-failed", connector=self) from error
        self._agent = agent
        self.logger.info(described(self.config))

    @on_event()
    async def shutdown(self) -> None:
        """Watch no more; what waits goes on waiting in the journal."""
        await self._stop()

    @on_event()
    async def detach(self, servo_: Any) -> None:
        """Watch no more, if the servo did not come to its shutdown."""
        await self._stop()

    @on_event()
    async def describe(self, control: Control = Control()) -> Description:  # noqa: B008 - the event's signature
        """Nothing to adjust, nothing to measure."""
        return Description()

    @on_event()
    async def check(
        self, matching: CheckFilter | None, halt_on: ErrorSeverity | None = ErrorSeverity.critical
    ) -> list[Check]:
        """Verify that builds can be seen, written down and sent."""
        from servo.connectors.builds.checks import BuildsChecks

        return await BuildsChecks(config=self.config).run_all(matching=matching, halt_on=halt_on)

    async def _stop(self) -> None:
        agent, self._agent = self._agent, None
        if agent is not None:
            await agent.stop()

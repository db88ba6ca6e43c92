"""What must be so for a load to say something."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterable
from dataclasses import replace

from servo.checks import BaseChecks, CheckError, CheckHandler, ErrorSeverity, check, multicheck, require, warn
from servo.connectors.load.arrivals import Phase
from servo.connectors.load.configuration import LoadConfiguration
from servo.connectors.load.crew import LoadError, Outcome, generate
from servo.connectors.load.planning import make_plan
from servo.connectors.load.requests import Origin
from servo.connectors.load.saturation import judge
from servo.connectors.load.tally import Tally, total
from servo.connectors.load.targets import TargetError

_CONNECT_SECONDS = 5.0
_MOST_ERRORS = 5.0


class LoadChecks(BaseChecks):
    """Checks of a load, the cheap ones first. Only the configured hosts are contacted."""

    config: LoadConfiguration

    @require("Targets")
    def check_targets(self) -> str:
        """They can be read."""
        try:
            found = self.config.parse_targets()
        except TargetError as error:
            raise CheckError(
                str(error), hint="correct `targets` or the file named by `targets_file`"
            ) from error
        return f"{len(found)} on {len(self.config.origins())} hosts"

    @multicheck("Connect to {item}", severity=ErrorSeverity.critical)
    def check_connections(self) -> tuple[Iterable[Origin], CheckHandler]:
        """Each host accepts a connection."""
        return self.config.origins(), self._connect

    async def _connect(self, origin: Origin) -> str:
        context = None
        if origin.scheme == "https":
            context = ssl.create_default_context(cafile=self.config.ca_file)
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                _, writer = await asyncio.open_connection(origin.host, origin.port, ssl=context)
        except (OSError, TimeoutError) as error:
            reason = str(error) or "it did not answer in time"
            raise CheckError(
                f"{origin}: {reason}", hint="start the application, or correct the target"
            ) from error
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return str(origin)

    @require("One request")
    async def check_request(self) -> str:
        """A single request is answered as expected."""
        counted, _ = await self._try(Phase(rate=20, duration=0.05))
        if counted.failed:
            raise CheckError(
                _kinds(counted), hint="ask for it by hand; `expect` says which statuses are a success"
            )
        return f"answered in {counted.latency_max * 1000:.1f} ms"

    @check("Error rate")
    async def check_error_rate(self) -> str:
        """Under the configured load few requests fail."""
        counted, _ = await self._try(None)
        if counted.error_rate > _MOST_ERRORS:
            raise CheckError(
                f"{counted.error_rate:.1f} % of {counted.requests} requests failed: {_kinds(counted)}",
                hint="the load may be more than the application can take: lower it",
            )
        return f"{counted.error_rate:.1f} % of {counted.requests} requests"

    @warn("Load generator")
    async def check_generator(self) -> str:
        """The load generator itself keeps up."""
        counted, outcome = await self._try(None)
        judged = judge(outcome, counted, self.config.max_lag.total_seconds())
        if judged.fatal:
            raise CheckError(
                judged.fatal, hint="lower the rate, raise `processes`, or let it run on another machine"
            )
        return f"at most {judged.lag_p99 * 1000:.2f} ms late (99th percentile)"

    async def _try(self, phase: Phase | None) -> tuple[Tally, Outcome]:
        plan = make_plan(self.config, warmup=0.0, duration=self.config.check_duration.total_seconds())
        if phase is not None:
            plan = replace(plan, phases=(phase,), concurrency=None)
        try:
            outcome = await generate(plan, processes=1 if phase else self.config.processes)
        except LoadError as error:
            raise CheckError(str(error)) from error
        return total(outcome.measured), outcome


def _kinds(tally: Tally) -> str:
    return ", ".join(f"{kind} ({count})" for kind, count in tally.errors.most_common(5))

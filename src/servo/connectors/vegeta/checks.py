"""What must be so for vegeta to be of use."""

from __future__ import annotations

from pydantic import PrivateAttr

from servo.checks import BaseChecks, CheckError, check, require
from servo.connectors.vegeta.attack import VegetaError, attack
from servo.connectors.vegeta.configuration import VegetaConfiguration
from servo.connectors.vegeta.report import VegetaReport
from servo.types.core import Duration

__all__ = ["VegetaChecks"]

_DURATION, _EVERY = Duration("5s"), Duration("1s")
_MOST_ERRORS = 5.0


class VegetaChecks(BaseChecks):
    """Checks of one attack of five seconds."""

    config: VegetaConfiguration

    _reports: list[VegetaReport] | None = PrivateAttr(default=None)

    @require("Vegeta execution")
    async def check_execution(self) -> str:
        """It attacks, and ends well."""
        return f"{len(await self._attack())} reports"

    @require("Report aggregation")
    async def check_reports(self) -> str:
        """It reports what it did."""
        return f"{(await self._last()).requests} requests"

    @check("Error rate < 5.0%")
    async def check_error_rate(self) -> str:
        """Few requests fail."""
        last = await self._last()
        if last.error_rate >= _MOST_ERRORS:
            said = "; ".join(last.errors or [])[:300]
            raise CheckError(
                f"{last.error_rate:.1f} % of {last.requests} requests failed: {said}",
                hint="start the application, correct the targets, or lower the rate",
            )
        return f"{last.error_rate:.1f} % of {last.requests} requests"

    async def _last(self) -> VegetaReport:
        reports = await self._attack()
        if not reports:
            raise CheckError("vegeta reported not a single request")
        return reports[-1]

    async def _attack(self) -> list[VegetaReport]:
        if self._reports is None:
            reports: list[VegetaReport] = []
            try:
                await attack(self.config, _DURATION, every=_EVERY, on_report=reports.append)
            except VegetaError as error:
                raise CheckError(str(error), hint="install vegeta, or correct its section") from error
            self._reports = reports
        return self._reports

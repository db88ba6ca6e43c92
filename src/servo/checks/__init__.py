"""Checks: what has to hold before a servo starts, verified by code and reported to people.

::

    class GaugeChecks(servo.BaseChecks):
        config: GaugeConfiguration

        @servo.require("The gauge answers")
        async def check_answer(self) -> str:
            return await ask(self.config.url)

        @servo.multicheck("Series {item} exists", tags={"data"})
        def check_series(self) -> tuple[Iterable[str], servo.CheckHandler]:
            return self.config.series, self.find

What a check is and found is in :mod:`servo.types.checks`.
"""

from servo.checks.base import BaseChecks, create_checks_from_iterable
from servo.checks.decorators import check, multicheck, require, warn
from servo.types.checks import Check, CheckError, CheckFilter, CheckHandler, CheckHandlerResult
from servo.types.metadata import ErrorSeverity

__all__ = [
    "BaseChecks",
    "Check",
    "CheckError",
    "CheckFilter",
    "CheckHandler",
    "CheckHandlerResult",
    "ErrorSeverity",
    "check",
    "create_checks_from_iterable",
    "multicheck",
    "require",
    "warn",
]

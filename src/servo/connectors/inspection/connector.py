"""Answers events with inspections of stacks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import PrivateAttr

from servo.connector import BaseConnector, metadata
from servo.connectors.inspection.client import Client, LostError, RefusedError
from servo.connectors.inspection.configuration import InspectionConfiguration, ResourceConfiguration
from servo.connectors.inspection.figures import measured, metrics, spread
from servo.connectors.inspection.locking import LockError, UnsatisfiableError, lock
from servo.errors import AdjustmentFailedError, AdjustmentRejectedError, MeasurementFailedError
from servo.events import on_event
from servo.types.api import Adjustment, Component, Control, Description, Measurement
from servo.types.checks import Check, CheckFilter
from servo.types.core import ErrorSeverity, License, Maturity, Metric
from servo.types.settings import EnumSetting, RangeSetting

__all__ = ["InspectionConnector"]

_RESOURCES = "resources"
_VERSION = "version"
_UNITS = {"cpu": "cores", "memory": "GiB"}
_MEBI = 1024
_TOLERANCE = 1e-6
Value = float | str


@metadata(
    description="Tunes versions of packages and resources of a stack; a measurement is an inspection by a Trimtab server",
    version="0.1.0",
    license=License.apache2,
    maturity=Maturity.experimental,
)
class InspectionConnector(BaseConnector):
    """Adjusts what is inspected next, and measures by inspecting it."""

    config: InspectionConfiguration

    _values: dict[tuple[str, str], Value] = PrivateAttr(default_factory=dict)
    _lock: str | None = PrivateAttr(default=None)

    @on_event()
    async def metrics(self) -> list[Metric]:
        """What is measured."""
        return metrics(self.config.figures)

    @on_event()
    async def components(self) -> list[Component]:
        """Each package with its version, and the resources."""
        found = [
            Component(
                name=name,
                settings=[
                    EnumSetting(name=_VERSION, values=list(each.versions), value=self._value(name, _VERSION))
                ],
            )
            for name, each in self.config.packages.items()
        ]
        ranges = [
            RangeSetting(
                name=name, min=each.min, max=each.max, step=each.step, value=self._value(_RESOURCES, name), unit=_UNITS[name]
            )
            for name, each in self._ranges().items()
        ]  # fmt: skip
        return [*found, Component(name=_RESOURCES, settings=ranges)] if ranges else found

    @on_event()
    async def describe(self, control: Control = Control()) -> Description:  # noqa: B008 - the event's signature
        """Settings and metrics."""
        return Description(components=await self.components(), metrics=await self.metrics())

    @on_event()
    async def adjust(
        self,
        adjustments: list[Adjustment],
        control: Control = Control(),  # noqa: B008 - the event's signature
    ) -> Description:
        """Take other versions and resources, if the versions go together. Nothing is built before it is measured."""
        values = dict(self._values)
        for each in adjustments:
            if each.component_name in {*self.config.packages, _RESOURCES}:
                values[each.component_name, each.setting_name] = self._accepted(each)
        try:
            self._lock = await self._locked(values)
        except UnsatisfiableError as error:
            raise AdjustmentRejectedError(str(error), reason="unsatisfiable", connector=self) from error
        except LockError as error:
            raise AdjustmentFailedError(str(error), reason="not-locked", connector=self) from error
        self._values = values
        return await self.describe()

    @on_event()
    async def measure(
        self,
        *,
        metrics: list[str] | None = None,
        control: Control = Control(),  # noqa: B008 - the event's signature
    ) -> Measurement:
        """Inspect the stack; each run is a reading. How long it takes is the script's to say, not the control's."""
        client = self._client()
        try:
            return await self._inspected(client, metrics)
        except (LockError, UnsatisfiableError, LostError, RefusedError, ValueError) as error:
            raise MeasurementFailedError(str(error), reason="not-inspected", connector=self) from error
        finally:
            await client.aclose()

    @on_event()
    async def check(
        self, matching: CheckFilter | None, halt_on: ErrorSeverity | None = ErrorSeverity.critical
    ) -> list[Check]:
        """Verify that the first versions go together, and that the server answers."""
        steps = (("the versions can be locked", self._check_lock), ("the server answers", self._check_server))
        checks = []
        for name, step in steps:
            try:
                checks.append(Check(name=name, success=True, message=await step()))
            except (LockError, UnsatisfiableError, LostError, RefusedError, ValueError) as error:
                checks.append(Check(name=name, success=False, message=str(error)))
        return checks

    async def _inspected(self, client: Client, wanted: list[str] | None) -> Measurement:
        if self._lock is None:
            self._lock = await self._locked(self._values)
        key = f"servo-{secrets.token_hex(16)}"
        inspection = await client.submit(self._specification(self._lock), key)
        text = f"inspecting {self._named()}: {inspection}"
        self.logger.info(text)
        try:
            async with asyncio.timeout(self.config.timeout.total_seconds()):
                report = await client.over(inspection)
        except TimeoutError:
            await client.cancel(inspection)
            raise MeasurementFailedError(
                f"{inspection} was not over after {self.config.timeout}", reason="overdue", connector=self
            ) from None
        except asyncio.CancelledError:
            with contextlib.suppress(LostError, RefusedError):
                await asyncio.shield(client.cancel(inspection))
            raise
        return await self._measurement(client, inspection, report, wanted)

    async def _measurement(
        self, client: Client, inspection: str, report: Mapping[str, Any], wanted: list[str] | None
    ) -> Measurement:
        runs = {
            each["item"]: each for each in report.get("runs") or ()
        }  # a later attempt stands for the earlier
        good = [item for item, each in runs.items() if each.get("state") == "succeeded"]
        if not good:
            failure = _failure(report, runs.values())
            reason = f"{failure.get('kind') or 'inspection'}-failed"
            told = failure.get("reason") or f"it ended as {report.get('state')}"
            lines = failure.get("lines") or [""]
            raise MeasurementFailedError(
                f"{inspection}: {told} {lines[-1]}".strip(), reason=reason, connector=self
            )
        results = [await client.result(inspection, item) for item in good]
        failed = sum(each.get("state") == "failed" for each in runs.values())
        series = measured(results, failed=failed, figures=self.config.figures, wanted=wanted)
        annotations = {"inspection": inspection, "stack": self._named()}
        if errors := spread(series):
            annotations["spread.inspection"] = json.dumps(errors)
        return Measurement(readings=series, annotations=annotations)

    def _specification(self, locked: str) -> dict[str, Any]:
        found = self.config.specification()
        found["batch_size"] = self.config.runs
        if locked:
            found["python"] = {"lock": {"requirements.txt": locked}}
            if self.config.python:
                found["python"]["version"] = self.config.python
        requests = {name: _quantity(name, self._value(_RESOURCES, name)) for name in self._ranges()}
        if requests:
            run = dict(found.get("run") or {})
            found["run"] = {**run, "requests": {**(run.get("requests") or {}), **requests}}
        return found

    async def _locked(self, values: Mapping[tuple[str, str], Value]) -> str:
        versions = {
            name: str(values.get((name, _VERSION), each.first)) for name, each in self.config.packages.items()
        }
        index = self.config.index.get_secret_value() if self.config.index else None
        return await lock(
            self.config.uv, versions, self.config.requirements, python=self.config.python, index=index
        )

    def _accepted(self, adjustment: Adjustment) -> Value:
        """The value, if the setting is there and can take it."""
        name, setting, value = adjustment.component_name, adjustment.setting_name, adjustment.value
        package, wanted = self.config.packages.get(name), self._ranges().get(setting)
        if package is not None and setting == _VERSION and value in package.versions:
            return str(value)
        if package is None and wanted is not None and (number := _in_range(wanted, value)) is not None:
            return number
        raise AdjustmentRejectedError(
            f"{name}.{setting} cannot be {value}", reason="invalid-setting", connector=self
        )

    def _value(self, component: str, setting: str) -> Any:
        if component == _RESOURCES:
            return self._values.get((component, setting), self._ranges()[setting].default)
        return self._values.get((component, setting), self.config.packages[component].first)

    def _ranges(self) -> dict[str, ResourceConfiguration]:
        resources = self.config.resources
        found = {"cpu": resources.cpu, "memory": resources.memory}
        return {name: each for name, each in found.items() if each is not None}

    def _named(self) -> str:
        parts = [f"{name}=={self._value(name, _VERSION)}" for name in self.config.packages]
        parts += [f"{name}={self._value(_RESOURCES, name)}" for name in self._ranges()]
        return " ".join(parts)

    def _client(self) -> Client:
        token = self.config.token.get_secret_value() if self.config.token else None
        return Client(self.config.url, token)

    async def _check_lock(self) -> str:
        locked = await self._locked({})
        self.config.specification()
        return f"{locked.count('==')} packages"

    async def _check_server(self) -> str:
        client = self._client()
        try:
            return f"version {await client.version()}"
        finally:
            await client.aclose()


def _failure(report: Mapping[str, Any], runs: Any) -> Mapping[str, Any]:
    failures: Sequence[Any] = [report.get("failure"), *(each.get("failure") for each in runs)]
    return next((each for each in failures if each), {})


def _in_range(wanted: ResourceConfiguration, value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    steps = (number - wanted.min) / wanted.step
    inside = wanted.min - _TOLERANCE <= number <= wanted.max + _TOLERANCE
    return number if inside and abs(steps - round(steps)) < _TOLERANCE * max(1.0, steps) else None


def _quantity(name: str, value: float) -> str:
    """As a specification has it: cores, and memory in whole MiB."""
    return f"{value:g}" if name == "cpu" else f"{round(value * _MEBI)}Mi"

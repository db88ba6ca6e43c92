"""The checks of a connector, and how they are run."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import ConfigDict

from servo import signatures
from servo.checks.decorators import Method, fresh
from servo.checks.steps import Step, methods_of, selected, steps_of
from servo.types.checks import Check, CheckFilter, CheckHandler
from servo.types.metadata import ErrorSeverity
from servo.types.model import OldNames

__all__ = ["BaseChecks", "create_checks_from_iterable"]

Checks = TypeVar("Checks", bound="BaseChecks")

_PREFIX = "check_"


class BaseChecks(OldNames):
    """The checks of a connector: methods named ``check_*``, run in the order in which they are defined.

    Each is decorated with one of this module's decorators, or annotated to return a `Check`. Other public methods
    are refused, but for those whose names start with ``run_``.

    Args:
        config: The connector's configuration.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="allow")

    config: Any

    def __init__(self, config: Any, **values: Any) -> None:
        super().__init__(config=config, **values)
        _require_names(type(self))

    @classmethod
    async def run(
        cls,
        config: Any,
        *,
        matching: CheckFilter | None = None,
        halt_on: ErrorSeverity | None = ErrorSeverity.critical,
    ) -> list[Check]:
        """Run the checks of a configuration. See :meth:`run_all`."""
        return await cls(config).run_all(matching, halt_on)

    async def run_all(
        self,
        matching: CheckFilter | None = None,
        halt_on: ErrorSeverity | None = ErrorSeverity.critical,
    ) -> list[Check]:
        """Run the checks and return those that ran.

        Args:
            matching: Which are wanted. Critical ones that come before a wanted one run, too, unless it is exclusive.
            halt_on: How grave a failure has to be to end the run: critical ones do so for ``critical``, all but
                warnings for the others; None for never.

        Raises:
            ValueError: A public method is not named ``check_*``, or is neither decorated nor annotated.
        """
        return [found for _, found in await self._run(matching, halt_on)]

    async def run_one(
        self,
        *,
        id: str | None = None,  # noqa: A002  as above
        name: str | None = None,
        halt_on: ErrorSeverity | None = ErrorSeverity.critical,
        skip_requirements: bool = False,
    ) -> Check:
        """Run one check, and the critical ones before it, and return it.

        Args:
            id: Its id; or else
            name: its name.
            halt_on: How grave a failure before it has to be to give up.
            skip_requirements: Whether to leave out those before it.

        Raises:
            ValueError: Not exactly one of ``id`` and ``name`` is given, as a string, or there is no such check.
            RuntimeError: One before it failed.
        """
        key, value = _single(id, name)
        wanted = CheckFilter(**{key: value, "exclusive": skip_requirements})
        ran = await self._run(wanted, halt_on)
        for step, found in ran:
            if wanted.matches(found) or (step.spec is not None and wanted.matches(step.spec)):
                return found
        if ran and _is_halting(ran[-1][1], halt_on):
            failure = ran[-1][1]
            raise RuntimeError(
                f"unable to run check '{value}': prerequisite failure of '{failure.name}': {failure.message}"
            ) from failure.exception
        raise ValueError(f"unable to run check: no check found with {key} = '{value}'")

    async def _run(
        self, matching: CheckFilter | None, halt_on: ErrorSeverity | None
    ) -> list[tuple[Step, Check]]:
        ran: list[tuple[Step, Check]] = []
        for step in selected(await steps_of(self, methods_of(type(self), BaseChecks)), matching):
            found = await step.run()
            ran.append((step, found))
            if _is_halting(found, halt_on):
                break
        return ran


def create_checks_from_iterable(
    handler: CheckHandler, iterable: Iterable[Any], *, base_class: type[Checks] | None = None
) -> type[Checks]:
    """Return a class with one check for each item.

    Args:
        handler: The code, called with the item.
        iterable: The items. One with a method ``__check__`` says itself what its check is.
        base_class: The class to extend.
    """
    methods = {f"{_PREFIX}item_{index}": _item_method(handler, item) for index, item in enumerate(iterable)}
    namespace = {"__module__": __name__, "__qualname__": "_IterableChecks", **methods}
    base = base_class or BaseChecks
    return typing.cast(
        "type[Checks]", types.new_class("_IterableChecks", (base,), {}, lambda ns: ns.update(namespace))
    )


def _item_method(handler: CheckHandler, item: Any) -> Method:
    given = getattr(item, "__check__", None)
    spec = given() if callable(given) else Check(name=f"Check {getattr(item, 'name', item)}")

    async def check_item(self: BaseChecks) -> Check:  # noqa: ARG001  a method
        found = fresh(spec, spec.name)
        await found.complete(handler, item)
        return found

    check_item.__check__ = spec  # type: ignore[attr-defined] # read below
    return check_item


def _is_halting(found: Check, halt_on: ErrorSeverity | None) -> bool:
    if halt_on is None or found.passed:
        return False
    return found.critical or halt_on is not ErrorSeverity.critical


def _single(id_: Any, name: Any) -> tuple[str, str]:
    if (id_ is None) == (name is None):
        raise ValueError("unable to run check: give either its id or its name")
    key, value = ("name", name) if id_ is None else ("id", id_)
    if not isinstance(value, str):
        raise ValueError(f"unable to run check: {key} has to be a string, not {type(value).__name__}")  # noqa: TRY004  the original's
    return key, value


def _require_names(cls: type[BaseChecks]) -> None:
    for name, method in methods_of(cls, BaseChecks).items():
        if not name.startswith(_PREFIX):
            raise ValueError(
                f'invalid check method "{name}" of {cls.__name__}: public methods have to be named '
                '"check_*" or "run_*"; start the names of helpers with "_"'
            )
        if hasattr(method, "__check__") or hasattr(method, "__multicheck__"):
            continue
        if not signatures.compatible(signatures.resolved(method).return_annotation, Check):
            raise ValueError(
                f'invalid check method "{name}" of {cls.__name__}: it has to be annotated to return a Check, '
                "or decorated with check, require, warn or multicheck"
            )

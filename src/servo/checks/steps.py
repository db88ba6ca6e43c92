"""What is run, in which order, for a filter."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from servo.checks.decorators import Method, formatted, fresh
from servo.types.checks import Check, CheckFilter, CheckHandler

__all__ = ["Step", "methods_of", "selected", "steps_of"]


class Step:
    """One check to run, and what is known of it before."""

    __slots__ = ("call", "name", "spec")

    def __init__(self, name: str, call: Callable[[], Any], spec: Check | None) -> None:
        self.name = name
        self.call = call
        self.spec = spec

    async def run(self) -> Check:
        """Return the check; a failed one if the method raises or returns anything else."""
        try:
            result = self.call()
            found = await result if inspect.isawaitable(result) else result
        except Exception as error:  # noqa: BLE001  a check that fails to run has failed
            return await Check.run(self.name, handler=_raiser(error))
        if not isinstance(found, Check):
            mistake = TypeError(f"{self.name} has to return a Check, not {type(found).__name__}")
            return await Check.run(self.name, handler=_raiser(mistake))
        return found


def methods_of(cls: type, root: type) -> dict[str, Method]:
    """Return the public methods below ``root`` in the order of their definition, those of base classes first."""
    found: dict[str, Method] = {}
    for base in reversed(cls.__mro__):
        if issubclass(base, root) and base is not root:
            found |= {
                name: value
                for name, value in vars(base).items()
                if inspect.isfunction(value) and not name.startswith(("_", "run_", "model_"))
            }
    return found


async def steps_of(checks: Any, methods: Mapping[str, Method]) -> list[Step]:
    """Return what there is to run, one step for each item of a multicheck."""
    steps: list[Step] = []
    for name, method in methods.items():
        if hasattr(method, "__multicheck__"):
            steps += await _expanded(checks, name, method)
        else:
            steps.append(Step(name, getattr(checks, name), _formatted_spec(checks, method)))
    return steps


async def _expanded(checks: Any, name: str, method: Method) -> list[Step]:
    base: Check = method.__multicheck__  # type: ignore[attr-defined] # set by the decorator
    try:
        result = method(checks)
        items, handler = await result if inspect.isawaitable(result) else result
        numbered = list(enumerate(items))
    except Exception as error:  # noqa: BLE001  a check that cannot be expanded has failed
        failed, fail = fresh(base, base.name), _raiser(error)
        return [Step(name, lambda: _completed(failed, fail), base)]
    return [
        _item_step(base, f"{name}_item_{index}", formatted(base.name, self=checks, item=item), handler, item)
        for index, item in numbered
    ]


def _item_step(base: Check, id_: str, name: str, handler: CheckHandler, item: Any) -> Step:
    spec = base.model_copy(update={"id": id_, "name": name})
    return Step(id_, lambda: _completed(fresh(spec, name), handler, item), spec)


async def _completed(found: Check, handler: CheckHandler, *args: Any) -> Check:
    await found.complete(handler, *args)
    return found


def selected(steps: list[Step], matching: CheckFilter | None) -> Iterator[Step]:
    """Yield what is to be run for a filter: see :meth:`BaseChecks.run_all`."""
    if matching is None or matching.empty:
        yield from steps
        return
    remaining = sum(step.spec is not None and matching.matches(step.spec) for step in steps)
    for step in steps:
        if step.spec is None:
            if not matching.exclusive:
                yield step
        elif matching.matches(step.spec):
            remaining -= 1
            yield step
        elif remaining and step.spec.critical and not matching.exclusive:
            yield step


def _formatted_spec(checks: Any, method: Method) -> Check | None:
    spec: Check | None = getattr(method, "__check__", None)
    if spec is None or "{" not in spec.name:
        return spec
    return spec.model_copy(update={"name": formatted(spec.name, self=checks)})


def _raiser(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any) -> None:
        raise error

    return fail

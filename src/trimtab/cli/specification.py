"""A session's specification from the options of a command."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trimtab.optimizer.session_spec import SessionSpec

__all__ = ["SpecificationError", "parse_prices", "parse_spec"]

_OPTIONS = {"goal": "objective", "slos": "slo", "prices": "price", "seconds": "time"}


class SpecificationError(ValueError):
    """An option that cannot be read; the message names it."""


def parse_spec(**values: Any) -> "SessionSpec":
    """The specification.

    Raises:
        SpecificationError: An option is wrong; every one that is has a line.
    """
    from pydantic import ValidationError

    from trimtab.optimizer.session_spec import SessionSpec

    try:
        return SessionSpec.model_validate(values)
    except ValidationError as error:
        goal = values.get("goal") or {}
        raise SpecificationError("\nError: ".join(_problem(each, goal) for each in error.errors())) from None


def parse_prices(texts: Iterable[str]) -> dict[str, float]:
    """Prices by setting, of texts such as `web.cpu=30`.

    Raises:
        SpecificationError: One is not written so.
    """
    prices: dict[str, float] = {}
    for text in texts:
        name, _, value = text.rpartition("=")
        try:
            prices[name.strip()] = float(value)
        except ValueError:
            raise SpecificationError(f"--price: {text!r} is not written as web.cpu=30") from None
    return prices


def _problem(error: Any, goal: Mapping[str, Any]) -> str:
    """The option, and what is wrong with it."""
    text: str = error["msg"].removeprefix("Value error, ")
    return f"--{_option(error, goal)}: {text}"


def _option(error: Any, goal: Mapping[str, Any]) -> str:
    """Which option is wrong, and which of several of the same."""
    place = error["loc"]
    name = next((part for part in reversed(place) if isinstance(part, str)), "")
    slos = list(goal.get("slos", ()))
    # The goal is read as a whole; its errors know the text they are about.
    written = getattr(error.get("ctx", {}).get("error"), "text", None)
    if name == "goal" and written in slos:
        return _nth("slo", slos.index(written), len(slos))
    if name == "slos" and isinstance(place[-1], int):
        return _nth("slo", place[-1], len(slos))
    return _OPTIONS.get(name, name)


def _nth(name: str, index: int, count: int) -> str:
    return name if count == 1 else f"{name} ({index + 1} of {count})"

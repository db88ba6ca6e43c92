"""A session's specification from the options of a command."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trimtab.optimizer.session_spec import SessionSpec

__all__ = ["SpecificationError", "parse_prices", "parse_spec"]

_OPTIONS = {"goal": "objective or --slo", "slos": "slo", "prices": "price", "seconds": "time"}


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
        raise SpecificationError("\nError: ".join(map(_problem, error.errors()))) from None


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


def _problem(error: Any) -> str:
    """The option, and what is wrong with it."""
    place = next((part for part in reversed(error["loc"]) if isinstance(part, str)), "")
    text: str = error["msg"].removeprefix("Value error, ")
    return f"--{_OPTIONS.get(place, place)}: {text}"

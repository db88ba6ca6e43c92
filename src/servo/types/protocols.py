"""What an object can do, told from its methods."""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, runtime_checkable

__all__ = ["Futuristic", "HumanReadable", "NoneCallable", "OpsaniRepr", "isfuturistic"]

NoneCallable: TypeAlias = Callable[[], None]
"""A function of nothing that returns nothing."""


@runtime_checkable
class HumanReadable(Protocol):
    """Something with a text for people, such as ``500m`` for half a core."""

    def human_readable(self, **kwargs: Any) -> str:
        """Return the text."""
        ...


@runtime_checkable
class OpsaniRepr(Protocol):
    """Something with a form that optimizers read."""

    def __opsani_repr__(self) -> dict[str, Any]:
        """Return plain data that becomes JSON."""
        ...


@runtime_checkable
class Futuristic(Protocol):
    """Something that will have a result, or an exception, later: an asyncio or concurrent future."""

    def result(self) -> Any:
        """Return the result, or raise."""
        ...

    def exception(self) -> BaseException | None:
        """Return the exception, if any."""
        ...

    def done(self) -> bool:
        """Tell whether there is a result."""
        ...

    def cancelled(self) -> bool:
        """Tell whether it was cancelled."""
        ...

    def cancel(self) -> bool:
        """Ask to cancel it."""
        ...

    def add_done_callback(self, callback: Callable[..., object], /) -> object:
        """Call ``callback`` when it is done."""
        ...


def isfuturistic(obj: Any) -> bool:
    """Tell whether ``obj`` is a ``Futuristic``."""
    return isinstance(obj, Futuristic)

"""What the agent tells the optimizer about itself with HELLO: strings under dotted keys."""

import os
import platform
from collections.abc import Iterator, Mapping, MutableMapping

from servo.release import release


class Telemetry(MutableMapping[str, str]):
    """A dictionary of strings that starts with the agent's own version and platform.

    The keys ``servox.version``, ``servox.platform`` (``Linux-x86_64``) and, inside a pod, ``servox.namespace`` are the
    original's, which optimizers read; connectors add ``<connector>.namespace``, ``.version`` and ``.platform``.

    Args:
        environment: where ``POD_NAMESPACE`` is looked up; the process's own by default.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        variables = os.environ if environment is None else environment
        self._values = {
            "servox.version": release(),
            "servox.platform": f"{platform.system()}-{platform.machine()}",
        }
        if namespace := variables.get("POD_NAMESPACE"):
            self._values["servox.namespace"] = namespace

    @property
    def values(self) -> dict[str, str]:  # type: ignore[override] # the original's property; third parties read it
        """A copy of everything, as it is sent."""
        return dict(self._values)

    def remove(self, key: str) -> None:
        """Forget ``key``; what is not there is no error, so that a detach may follow a failed attach."""
        self._values.pop(key, None)

    def __getitem__(self, key: str) -> str:
        return self._values[key]

    def __setitem__(self, key: str, value: str) -> None:
        self._values[key] = str(value)

    def __delitem__(self, key: str) -> None:
        del self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._values!r})"

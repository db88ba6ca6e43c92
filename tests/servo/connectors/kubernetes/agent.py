"""An agent that adjusts a cluster, and kills itself at a point that the test names.

Arguments, as JSON: the configuration, a list of adjustments (each a list of component, setting, value), and the point:
``{"call": "replace", "kind": "Deployment", "count": 2, "when": "after"}``. The calls are those of the client, and ``until_ready``,
``stay_ready``, ``recover``. With ``victims`` these processes are killed in its stead, or with ``both`` besides; ``"when": "unanswered"`` is
after a request was carried out, of which the agent is told nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from typing import Any

from servo.connectors.kubernetes import KubernetesConfiguration, KubernetesConnector, tuning, workload
from servo.kubernetes import Client, UnreachableError
from servo.types.api import Adjustment, Control

CONFIGURATION, ADJUSTMENTS, POINT = (json.loads(each) for each in sys.argv[1:4])
_met = 0


def _die() -> None:
    """Kill the processes that the point names, and this one unless there are others."""
    for victim in POINT.get("victims", ()):
        os.kill(victim, signal.SIGKILL)
    if POINT.get("both", True):
        os.kill(os.getpid(), signal.SIGKILL)


def _is_met(call: str, kind: str | None = None) -> bool:
    global _met  # noqa: PLW0603  one point in one process
    if POINT["call"] != call or POINT.get("kind") not in {None, kind}:
        return False
    _met += 1
    return _met == POINT.get("count", 1)


def _patched(call: str) -> Any:
    whole = getattr(Client, call)

    async def patched(self: Client, resource: Any, *args: Any, **options: Any) -> Any:
        met = not options.get("dry_run") and _is_met(call, resource.kind)
        if met and POINT["when"] == "before":
            _die()
        found = await whole(self, resource, *args, **options)
        if met and POINT["when"] != "before":
            _die()
        if met and POINT["when"] == "unanswered":
            raise UnreachableError("the connection broke off before an answer")
        return found

    return patched


def _dying(module: Any, call: str) -> None:
    whole = getattr(module, call)

    async def dying(*args: Any, **options: Any) -> Any:
        if _is_met(call):
            asyncio.get_running_loop().call_later(POINT.get("later", 0.5), _die)
        return await whole(*args, **options)

    setattr(module, call, dying)


async def main() -> None:
    for call in ("create", "replace", "patch", "delete"):
        setattr(Client, call, _patched(call))
    for module in (workload, tuning):
        for call in ("until_ready", "stay_ready"):
            _dying(module, call)
    connector = KubernetesConnector(config=KubernetesConfiguration.model_validate(CONFIGURATION))
    await connector.startup()
    for given in ADJUSTMENTS:
        wanted = [Adjustment(component_name=c, setting_name=s, value=v) for c, s, v in given]
        try:
            await connector.adjust(wanted, Control(settlement="2s"))
            sys.stdout.write("accepted\n")
        except Exception as error:  # noqa: BLE001  it is the test that judges
            sys.stdout.write(f"{type(error).__name__}: {error}\n")
    sys.stdout.write("survived\n")


asyncio.run(main())

"""An agent that is to be killed: ``python builds_agent_child.py DIRECTORY PORT STEP COUNT``.

It reads a directory of logs. At the COUNTth time that it comes to STEP it kills itself; with no STEP it goes on until told to end.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from servo.connectors.builds import Agent, BuildsConfiguration
from servo.connectors.builds.http import DirectTransport
from servo.connectors.builds.journal.journal import Journal
from servo.connectors.builds.parts import Parts
from servo.connectors.builds.spool import Spool
from servo.connectors.builds.submitter import Submitter

STEPS = {
    "before-commit": (Journal, "_transaction", False),
    "after-commit": (Journal, "_transaction", True),
    "before-parts": (Parts, "collect", False),
    "after-parts": (Parts, "collect", True),
    "before-post": (DirectTransport, "request", False),
    "after-post": (DirectTransport, "request", True),
    "before-mark": (Submitter, "_mark", False),
    "after-mark": (Submitter, "_mark", True),
    "before-postpone": (Submitter, "_postpone", False),
    "after-postpone": (Submitter, "_postpone", True),
    "before-spool": (Spool, "save", False),
    "after-spool": (Spool, "save", True),
}


def kill_at(step, count):
    """Have the process killed when a function is called, or has returned, for the countth time."""
    owner, name, after = STEPS[step]
    original, left = getattr(owner, name), [count]

    def passed():
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def plain(*args, **options):
        if not after:
            passed()
        result = original(*args, **options)
        if after:
            passed()
        return result

    async def awaited(*args, **options):
        if not after:
            passed()
        result = await original(*args, **options)
        if after:
            passed()
        return result

    setattr(owner, name, awaited if asyncio.iscoroutinefunction(original) else plain)


async def main(directory, port, step, count):
    if step:
        kill_at(step, count)
    agent = Agent(
        BuildsConfiguration.model_validate(
            {
                "backend": {"url": f"http://127.0.0.1:{port}", "timeout": "2s"},
                "journal": directory / "journal.sqlite",
                "sources": [
                    {"type": "directory", "path": directory / "logs", "settle": "1h", "interval": "50ms"}
                ],
                "retry": {"first": "20ms", "longest": "200ms", "give_up": "1h"},
                "workers": 8,
            }
        )
    )
    await agent.start()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    await agent.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])))

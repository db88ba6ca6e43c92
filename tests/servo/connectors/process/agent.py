"""An agent that runs an application until it is killed: `agent.py <configuration as JSON>`."""

import asyncio
import json
import sys

from servo.connectors.process.application import Application
from servo.connectors.process.configuration import ProcessConfiguration


async def main() -> None:
    application = Application(ProcessConfiguration.model_validate(json.loads(sys.argv[1])))
    await application.start()
    await application.apply(application.values | {"mode": "family"}, 0.3)
    child = application.child
    print(json.dumps([child.pid, child.supervisor, child.watcher]), flush=True)  # noqa: T201 - to the test
    await application.apply(application.values | {"mode": sys.argv[2]}, 60.0)
    await asyncio.sleep(600)


asyncio.run(main())

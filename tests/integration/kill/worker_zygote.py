"""Workers that kill themselves at named points, each forked from this process, which has imported all they need.

Reads a JSON document a line: what a worker is to do. Answers with how it ended: a number, negative for a signal.
"""

import asyncio
import functools
import importlib
import json
import os
import sys
import traceback
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from trimtab_killed import lethal

import trimtab.workflows.queue  # noqa: F401 # imported here, so that no worker has to
from trimtab.catalog import CatalogError, Database
from trimtab.catalog import submissions as catalog
from trimtab.engines import ProcessEngine
from trimtab.store import Inspections, Store
from trimtab.workflows import Inspecting, Patience, Place, Submission


async def work(task):
    """Submit, and work until all of it is over and nothing is left of it."""
    database = await patiently(Database, task["database"])
    place = Place(database, Inspections(Store.open(task["store"]), "test"), Path(task["home"]))
    options = {"engine": "process", "allow_process": True, "patience": Patience(3, 0.0), "grace": 1.0}
    async with Inspecting.alone(place, **options | task.get("options", {})) as worker:
        for each in task["submissions"]:
            await worker.submit(Submission.load(each))
        for each in task.get("ids") or [each["id"] for each in task["submissions"]]:
            while await patiently(kept, database, each):  # noqa: ASYNC110 # the database tells nobody
                await asyncio.sleep(0.05)
    database.close()


async def patiently(call, *arguments):
    """The database may be away for a while."""
    while True:
        with suppress(CatalogError):
            return await asyncio.to_thread(call, *arguments)
        await asyncio.sleep(0.1)


def kept(database, inspection_id):
    with database.read() as connection:
        return catalog.by_id(connection, inspection_id) is not None


def arm(point, moment, nth):
    module, _, name = point.partition(":")
    *owners, last = name.split(".")
    owner = functools.reduce(getattr, owners, importlib.import_module(module))
    setattr(owner, last, lethal(getattr(owner, last), moment, nth))


def count(path):
    """Leave a line for each run that is really begun."""
    made = ProcessEngine.run

    async def run(self, request, log):
        note(path, f"{request.id} {request.item}\n")
        return await made(self, request, log)

    ProcessEngine.run = run


def note(path, line):
    with Path(path).open("a") as file:
        file.write(line)


def child(task):
    os.setsid()
    count(task["log"])
    Path(f"{task['log']}.pid").write_text(str(os.getpid()))
    if "point" in task:
        arm(*task["point"])
    asyncio.run(work(task))


def main():
    for line in sys.stdin:
        if not (worker := os.fork()):
            try:
                child(json.loads(line))
            except BaseException:  # noqa: BLE001 # whatever it is, this is another process
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(worker, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

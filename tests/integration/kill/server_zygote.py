"""Servers that kill themselves at named points, each forked from this process, which has imported all they need.

Reads a JSON document a line. `{"start": {"home", "log", "point"}}` starts `trimtab serve` and answers its id; `{"wait": id}` answers how
it ended: a number, negative for a signal.
"""

import functools
import importlib
import json
import os
import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import uvicorn  # noqa: F401 # imported here, so that no server has to
from trimtab_killed import lethal

import trimtab.server.app
import trimtab.server.builds
import trimtab.server.inspections
import trimtab.workflows.accepting
import trimtab.workflows.queue  # noqa: F401 # the same


def arm(point, moment, nth):
    module, _, name = point.partition(":")
    *owners, last = name.split(".")
    owner = functools.reduce(getattr, owners, importlib.import_module(module))
    setattr(owner, last, lethal(getattr(owner, last), moment, nth))


def serve(task):
    log = os.open(task["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for each in (1, 2):
        os.dup2(log, each)
    for name in [each for each in os.environ if each.startswith("TRIMTAB_")]:
        del os.environ[name]
    os.environ |= {"TRIMTAB_HOME": task["home"], "TRIMTAB_DEPLOYMENT": "test"}
    if task.get("point"):
        arm(*task["point"])
    sys.argv = ["trimtab", "serve", "--port", "0", "--engine", "docker"]
    from trimtab.cli import main

    main()


def start(task):
    if child := os.fork():
        return child
    try:
        serve(task)
    except BaseException:  # noqa: BLE001 # whatever it is, this is another process
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main():
    for line in sys.stdin:
        asked = json.loads(line)
        if "start" in asked:
            answer = start(asked["start"])
        else:
            answer = os.waitstatus_to_exitcode(os.waitpid(asked["wait"], 0)[1])
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

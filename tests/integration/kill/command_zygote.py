"""Command lines of `trimtab`, each forked from this process, which has imported all they need.

Reads a JSON document a line: `arguments`, `environment`, `directory`, `stdout` and `stderr` (files), `runs` (a file with a line for each
run that is begun), and perhaps `point`, at which it
kills itself. Answers at once with its process id, and when it is asked to `wait` for one, with how that ended: a number, negative for a signal.
"""

import functools
import importlib
import json
import os
import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from trimtab_killed import lethal

import trimtab.cli
import trimtab.cli.campaigns
import trimtab.cli.campaigns_here
import trimtab.cli.campaigns_kept
import trimtab.cli.inspections
import trimtab.engines.process.engine
import trimtab.workflows.campaigns.workflow  # all of them are imported here, so that no command has to


def arm(point, moment, nth):
    module, _, name = point.partition(":")
    *owners, last = name.split(".")
    owner = functools.reduce(getattr, owners, importlib.import_module(module))
    setattr(owner, last, lethal(getattr(owner, last), moment, nth))


def count(path):
    """Leave a line for each run that is really begun."""
    made = trimtab.engines.process.engine.ProcessEngine.run

    async def run(self, request, log):
        note(path, f"{request.id}\n")
        return await made(self, request, log)

    trimtab.engines.process.engine.ProcessEngine.run = run


def note(path, line):
    with Path(path).open("a") as file:
        file.write(line)


def child(task):
    os.setsid()
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(task[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.clear()
    os.environ.update(task["environment"])
    os.chdir(task["directory"])
    count(task["runs"])
    if "point" in task:
        arm(*task["point"])
    sys.argv = ["trimtab", *task["arguments"]]
    trimtab.cli.main()


def fork(task):
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        child(task)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 # whatever it is, this is another process
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main():
    for line in sys.stdin:
        task = json.loads(line)
        if "wait" in task:
            _, status = os.waitpid(task["wait"], 0)
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = fork(task)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

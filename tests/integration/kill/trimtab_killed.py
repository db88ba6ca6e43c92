"""`trimtab` in a process that kills itself at a named point: `trimtab_killed.py MODULE:NAME MOMENT NTH ARGUMENT...`.

The moment is before, after or during the nth call: during is some time after its beginning, if it has not ended by then.
"""

import asyncio
import functools
import importlib
import os
import signal
import sys
from inspect import iscoroutinefunction

SOME = 0.3  # seconds


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def lethal(function, moment, nth):
    """The same function, which ends this process before, or after, its nth call."""
    calls = iter(range(1, 1_000_000))

    @functools.wraps(function)
    async def waiting(*arguments, **options):
        last = next(calls) == nth
        if last and moment == "before":
            kill()
        if last and moment == "during":
            asyncio.get_running_loop().call_later(SOME, kill)
        found = await function(*arguments, **options)
        if last:
            kill()
        return found

    @functools.wraps(function)
    def plain(*arguments, **options):
        last = next(calls) == nth
        if last and moment == "before":
            kill()
        found = function(*arguments, **options)
        if last:
            kill()
        return found

    return waiting if iscoroutinefunction(function) else plain


def main():
    point, moment, nth, *arguments = sys.argv[1:]
    module, _, name = point.partition(":")
    *owners, last = name.split(".")
    owner = functools.reduce(getattr, owners, importlib.import_module(module))
    setattr(owner, last, lethal(getattr(owner, last), moment, int(nth)))
    sys.argv = ["trimtab", *arguments]
    from trimtab.cli import main as trimtab

    trimtab()


if __name__ == "__main__":
    main()

"""How a run ended, from what its supervisor tells."""

from datetime import UTC, datetime

from trimtab.engines.leavings import tidy
from trimtab.engines.log import Log
from trimtab.engines.process.groups import out_of_memory
from trimtab.engines.request import Run, RunRequest
from trimtab.engines.supervision import Ending

__all__ = ["judge", "lost"]

_SIGNALLED = range(129, 129 + 64)
_KILLED = 137


def judge(
    request: RunRequest, ending: Ending, log: Log, started: datetime, *, notes: list[str], sandboxed: bool
) -> Run:
    """What is told of a run, once its output is safe to read.

    Args:
        request: What was asked.
        ending: What the supervisor tells.
        log: The run's.
        started: When, in UTC.
        notes: What is to be said besides.
        sandboxed: Whether a sandbox stood between it and the supervisor.
    """
    code, number = ending.code, ending.signal
    if code is None and number is not None:
        code = 128 + number
    elif sandboxed and code is not None and code in _SIGNALLED:
        number = code - 128  # so a sandbox tells of a signal; the wrapper knows better
    over_memory = out_of_memory(ending.statistics)
    killed = code == _KILLED and number is not None
    if over_memory and not killed:
        notes.append("the memory limit killed a process of it")
    if (
        ending.killed and not ending.timed_out and not sandboxed
    ):  # a sandbox's own first process counts otherwise
        notes.append(f"{ending.killed} processes were still there when it had ended, and were killed")
    return Run(
        code,
        number,
        over_memory and killed and not ending.timed_out,
        ending.timed_out,
        None,
        started,
        datetime.now(UTC),
        log.path,
        (*notes, *_of_log(log), *tidy(request.output)),
    )


def lost(request: RunRequest, reason: str | None, log: Log, started: datetime, notes: list[str]) -> Run:
    """What is told of a run whose end nobody saw, or that was ended.

    Args:
        request: What was asked.
        reason: Why it was lost; None: it was ended, and `notes` say why.
        log: The run's.
        started: When, in UTC.
        notes: What is to be said besides.
    """
    ended = datetime.now(UTC)
    number = None if reason else 9
    code = None if reason else _KILLED
    return Run(
        code, number, False, False, reason, started, ended, log.path,
        (*notes, *_of_log(log), *tidy(request.output)),
    )  # fmt: skip


def _of_log(log: Log) -> list[str]:
    return ["it printed more than is kept of a log"] if log.cut else []

"""The process that supervisors are forked from: a Python that has started and imported what they need, once for all runs.

A Python takes 6 ms to start, and a fork of it less than one. It runs nothing itself, and holds nothing of a run: neither
its descriptors nor the engine's variables. An engine starts one and asks it as often as it likes; it ends when the engine
has ended, and the supervisors live on, until they have ended what they run. Should it be killed, the engine starts another.

Standard input is a socket of datagrams in order. Each brings two descriptors: the channel and the output of a supervisor.
"""

# Pathlib, signal and socket take longer to import than all that is done here:
# ruff: noqa: PTH208
from __future__ import annotations

import _ctypes  # noqa: F401 - imported for the supervisors
import _signal as signal  # type: ignore[import-not-found]
import _socket
import array
import gc
import os
import select

import supervisor  # type: ignore[import-not-found] # it stands beside this file, and no package is imported for it

_ROOM = 1024


def main() -> None:
    """Fork supervisors until nobody can ask for one any more."""
    gc.disable()  # and so it is in each of them, which do not live long enough for it
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    wake = _wake_for_children()
    asked = _socket.socket(fileno=os.dup(0))
    poll = select.poll()
    for number in (asked.fileno(), wake):
        poll.register(number, select.POLLIN)
    while True:
        ready = {number for number, _ in poll.poll()}
        if wake in ready:
            _reap(wake)
        if asked.fileno() in ready and not _serve(asked):
            return


def _serve(asked: _socket.socket) -> bool:
    """Fork one supervisor; False if it is the end."""
    received = array.array("i")
    data, ancillary, _, _ = asked.recvmsg(1, _socket.CMSG_SPACE(2 * received.itemsize))
    for _, _, descriptors in ancillary:
        received.frombytes(descriptors)
    if not data:
        return False
    try:
        if len(received) == 2 and os.fork() == 0:  # noqa: PLR2004 - the channel and the output
            _become_supervisor(*received)
    except OSError:
        pass  # no process can be started: the engine sees the channel close
    finally:
        for number in received:
            os.close(number)
    return True


def _become_supervisor(channel: int, output: int) -> None:
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        for source, target in ((channel, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        for name in os.listdir("/proc/self/fd"):
            if int(name) > 2:  # noqa: PLR2004 - the standard streams
                _close(int(name))
        supervisor.main()
    except BaseException:  # noqa: BLE001 - this is the child: the loop of its parent must not run on in it
        import traceback

        traceback.print_exc()  # to the run's log
    finally:
        os._exit(1)


def _close(number: int) -> None:
    try:
        os.close(number)
    except OSError:
        return  # that of the listing itself


def _wake_for_children() -> int:
    """A descriptor that is readable when a child has ended."""
    reading, writing = os.pipe()
    for end in (reading, writing):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reading


def _reap(wake: int) -> None:
    try:
        while os.read(wake, _ROOM):
            pass
    except BlockingIOError:
        pass
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return

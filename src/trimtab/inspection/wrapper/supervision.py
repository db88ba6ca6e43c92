"""From the start of the script until nothing of it is left."""

import posix
import select
import time

from trimtab.inspection.wrapper.capture import Capture
from trimtab.inspection.wrapper.kernel import descendants, send, send_group
from trimtab.inspection.wrapper.signals import SIGCONT, SIGKILL, SIGTERM, Requests

_AGAIN = 0.05
_GIVE_UP = 10.0
_DRAIN = 1.0


class Supervision:
    """Waits for a script, and ends it and what it has started.

    Args:
        requests: Signals to the wrapper.
        captures: The script's streams.
        timeout: Seconds it may take; None is for ever.
        grace: Seconds between SIGTERM and SIGKILL.
        adopts: Whether orphans become this process's children. Where they do not, what the script leaves behind is
            looked for by its session, and who left that gets away.

    Attributes:
        status: The script's wait status; None until it has ended.
        usage: What it and the descendants it waited for have used, as `posix.wait4` has it.
        ended: The monotonic time at which it ended.
        timed_out: Whether it took too long.
        interrupted_by: The signal to the wrapper that was passed on to it.
        left: How many processes it left behind, which were killed.
        survived: Whether some could not be killed.
    """

    def __init__(
        self,
        requests: Requests,
        captures: "list[Capture]",
        timeout: "float | None",
        grace: float,
        adopts: bool = True,  # noqa: FBT001, FBT002 - keyword at its caller
    ) -> None:
        self.status: int | None = None
        self.usage: tuple[float, ...] | None = None
        self.ended = 0.0
        self.timed_out = False
        self.interrupted_by: int | None = None
        self.left = 0
        self.survived = False
        self._requests = requests
        self._captures = captures
        self._timeout = timeout
        self._grace = grace
        self._adopts = adopts
        self._pid = 0
        self._heard = 0
        self._time_out_at: float | None = None
        self._kill_at: float | None = None
        self._give_up_at: float | None = None

    def watch(self, pid: int, started: float) -> None:
        """Stay until the script, a session's leader, has ended, and end what is left of it."""
        self._pid = pid
        self._time_out_at = None if self._timeout is None else started + self._timeout
        self._poll = select.poll()
        for number in [self._requests.wake] + [capture.reading for capture in self._captures]:
            self._poll.register(number, select.POLLIN)
        while self.status is None and not self.survived:
            self._wait()
            self._reap()
            self._enforce()
        self.ended = self.ended or time.monotonic()
        self._end_others()
        self._drain()

    def _wait(self) -> None:
        deadlines = [at for at in (self._kill_at, self._time_out_at) if at is not None]
        patience = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
        # Rounded up, or the last millisecond would be spent in a busy loop.
        ready = {
            number for number, _ in self._poll.poll(None if patience is None else int(patience * 1000) + 1)
        }
        if self._requests.wake in ready:
            self._requests.seen()
        for capture in self._captures:
            if capture.reading in ready and not capture.read() and capture.ended:
                self._poll.unregister(capture.reading)

    def _reap(self) -> bool:
        """Take note of who has ended; whether there are children left."""
        while True:
            try:
                pid, status, usage = posix.wait4(-1, posix.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._pid:
                self.status, self.usage, self.ended = status, tuple(usage), time.monotonic()

    def _enforce(self) -> None:
        now = time.monotonic()
        came = self._requests.came
        if len(came) > self._heard:
            self.interrupted_by = self.interrupted_by or came[0]
            # Whoever asks twice does not want to wait.
            self._ask_to_end(came[-1], 0.0 if self._heard else self._grace, now)
            self._heard = len(came)
        if self._time_out_at is not None and now >= self._time_out_at and self.status is None:
            self.timed_out, self._time_out_at = True, None
            if self._kill_at is None:
                self._ask_to_end(SIGTERM, self._grace, now)
        if self._kill_at is not None and now >= self._kill_at:
            self._kill(now)

    def _ask_to_end(self, number: int, grace: float, now: float) -> None:
        send_group(self._pid, number)
        send_group(self._pid, SIGCONT)  # what is stopped hears nothing
        self._kill_at = min(self._kill_at or now + grace, now + grace)

    def _kill(self, now: float) -> None:
        self._give_up_at = self._give_up_at or now + _GIVE_UP
        self.survived = now >= self._give_up_at
        self._kill_at = now + _AGAIN
        send_group(self._pid, SIGKILL)
        send(descendants(self._pid), SIGKILL)

    def _end_others(self) -> None:
        """Kill what the script has left behind: daemons, background jobs, and what these start meanwhile."""
        known: set[int] = set()
        give_up_at = time.monotonic() + _GIVE_UP
        while self._reap() or not self._adopts:
            found = descendants(self._pid)
            known |= found
            if not found:
                break
            self.survived = time.monotonic() >= give_up_at
            if self.survived:
                break
            self._kill_all(found)
            self._empty_pipes()
        self.left = len(known)

    def _kill_all(self, found: "set[int]") -> None:
        if posix.getpid() == 1:  # all there is in this container: at once, so that no fork gets away
            send({-1}, SIGKILL)
        send(found, SIGKILL)
        select.select([self._requests.wake], [], [], _AGAIN / 10)
        self._requests.seen()

    def _empty_pipes(self) -> None:
        for capture in self._captures:
            if not capture.ended:
                capture.read()

    def _drain(self) -> None:
        """Read what is left in the pipes. Nobody is there to write more, but for who got away."""
        until = time.monotonic() + _DRAIN
        for capture in self._captures:
            while not capture.ended and time.monotonic() < until:
                if not capture.read() and not capture.ended and not _readable(capture.reading, until):
                    break


def _readable(number: int, until: float) -> bool:
    return bool(select.select([number], [], [], max(0.0, until - time.monotonic()))[0])

"""Signals: how the wrapper hears of them, and how the script finds them.

By the module behind the public one, whose enumerations take 5 ms to make.
"""

import _signal  # type: ignore[import-not-found]
import posix

SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGTERM, SIGCHLD, SIGCONT = (
    _signal.SIGHUP,
    _signal.SIGINT,
    _signal.SIGKILL,
    _signal.SIGPIPE,
    _signal.SIGTERM,
    _signal.SIGCHLD,
    _signal.SIGCONT,
)
_STOPS = (SIGTERM, SIGINT, SIGHUP)
_OTHERS = (SIGPIPE, _signal.SIGXFSZ)  # Python ignores these, and a child would inherit that
ALTERED = (*_STOPS, *_OTHERS, SIGCHLD)


class Requests:
    """Asked to stop: which signals came. `wake` becomes readable with each, and when a child ends."""

    def __init__(self) -> None:
        self.came: list[int] = []
        self.wake, writing = posix.pipe()
        for end in (self.wake, writing):
            posix.set_blocking(end, False)
        _signal.set_wakeup_fd(writing)
        _signal.signal(SIGCHLD, lambda *_: None)
        for number in _STOPS:
            if _signal.getsignal(number) != _signal.SIG_IGN:  # nohup, and a shell's background jobs, mean it
                _signal.signal(number, self._note)

    def seen(self) -> None:
        """Empty `wake`."""
        try:
            while posix.read(self.wake, 1024):
                pass
        except BlockingIOError:
            return

    def _note(self, number: int, _frame: object) -> None:
        self.came.append(number)


def restore() -> None:
    """Give a child the signals as a program expects them: none ignored, none blocked."""
    _signal.set_wakeup_fd(-1)
    for number in ALTERED:
        _signal.signal(number, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())

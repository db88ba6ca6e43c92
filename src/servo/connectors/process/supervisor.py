"""The small process that stands between the agent and an application, and leaves nothing behind.

It runs one application once, and ends when nothing of it is left. It and what it imports stand on the standard
library only, and it runs without site-packages (`python -I -S`), so that it starts in some 30 ms.

What may be killed, and who then ends the application:

- the agent: its end of our standard input closes (a changed parent tells the same, should a forked child of the
  agent hold that pipe open); we end everything;
- we: the kernel kills the application (PR_SET_PDEATHSIG), and a watcher, forked from us before it, finds the rest
  by session and by a mark in the environment that every descendant inherits;
- the watcher: we fork another.

Descendants that left their session or whose parents ended are still ours: as "child subreaper" we adopt them.

Standard input: one line of JSON with what to run (`Spec` of `child`), then commands, each a line: `{"stop": grace}`.
Standard output: lines of JSON: `started`, `matched`, and last `ended` or `failed`.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import selectors
import signal
import time

from servo.connectors.process.output import Output, arm_alarm
from servo.connectors.process.tree import (
    MARK,
    PR_SET_CHILD_SUBREAPER,
    PR_SET_PDEATHSIG,
    descendants,
    kill,
    prctl,
    processes,
)
from servo.connectors.process.watcher import watch

_HANDLED = (signal.SIGCHLD, signal.SIGALRM, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE)
_POLL = 0.2
_CRASH_GRACE = 1.0
_ORPHAN_GRACE = 5.0
_CHUNK = 65536


class Supervisor:
    """Runs one application until nothing of it is left."""

    def __init__(self, spec: dict[str, object]) -> None:
        self._spec = spec
        self._mark = str(spec["mark"])
        self._output = Output(str(spec["log"]), int(str(spec["log_limit"])), _text(spec.get("pattern")))
        self._parent = os.getppid()
        self._patience_as_orphan = min(float(str(spec.get("grace", _ORPHAN_GRACE))), _ORPHAN_GRACE)
        self._signal = signal.Signals[f"SIG{spec.get('signal', 'TERM')}"]
        self._watcher = 0
        self._watched = -1
        self._app = 0
        self._status: int | None = None
        self._deadline: float | None = None
        self._asked = False
        self._reported = False
        self._slow_reported = False
        self._commands = b""
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Start the application and stay until all of it has ended."""
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        self._wake = self._install_signals()
        reading, writing = os.pipe()
        try:
            self._watch_over()
            self._app = self._launch(writing)
        except OSError as error:
            self._dismiss_watcher()
            say("failed", message=f"{error.strerror}: {error.filename or self._argv()[0]}")
            return
        os.close(writing)
        self._tell_watcher()
        say("started", pid=self._app, watcher=self._watcher)
        self._listen(reading)
        while not self._over():
            self._step(reading)
        self._drain(reading)
        self._dismiss_watcher()
        say("ended", **self._ending())

    def _argv(self) -> list[str]:
        return [str(part) for part in self._spec["argv"]]  # type: ignore[attr-defined] # a list, by the agent

    def _install_signals(self) -> int:
        reading, writing = os.pipe()
        for end in (reading, writing):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        arm_alarm()
        signal.signal(signal.SIGTERM, lambda *_: self._stop(self._patience_as_orphan))
        for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(ignored, signal.SIG_IGN)
        return reading

    def _watch_over(self) -> None:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            watch(self._mark, reading, writing)
        os.close(reading)
        self._watcher, self._watched = pid, writing

    def _tell_watcher(self) -> None:
        try:
            os.write(self._watched, f"{self._app}\n".encode())
        except OSError:
            return  # it was killed just now, and is replaced when that is noticed

    def _dismiss_watcher(self) -> None:
        try:
            os.write(self._watched, b"q\n")
        except OSError:
            return
        os.close(self._watched)
        try:
            os.waitpid(self._watcher, 0)
        except ChildProcessError:
            return

    def _launch(self, output: int) -> int:
        reading, writing = os.pipe()  # closed by a successful exec; else it brings the error
        supervisor = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become_application(output, writing, supervisor)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            failure = pipe.read()
        if failure:
            os.waitpid(pid, 0)
            number, _, name = failure.decode().partition(" ")
            raise OSError(int(number), os.strerror(int(number)), name)
        return pid

    def _become_application(self, output: int, failed: int, supervisor: int) -> None:
        directory, argv = str(self._spec["directory"]), self._argv()
        culprit = directory
        try:
            os.setsid()
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != supervisor:
                os._exit(1)  # killed before the kernel knew what to do then
            signal.set_wakeup_fd(-1)
            for number in _HANDLED:
                signal.signal(number, signal.SIG_DFL)
            os.chdir(directory)
            culprit = argv[0]
            nothing = os.open(os.devnull, os.O_RDONLY)
            for source, target in ((nothing, 0), (output, 1), (output, 2)):
                os.dup2(source, target)
            os.execvpe(argv[0], argv, self._environment())  # noqa: S606 - no shell is the point
        except OSError as error:
            os.write(failed, f"{error.errno or errno.EINVAL} {culprit}".encode())
        finally:
            os._exit(127)

    def _environment(self) -> dict[str, str]:
        return {str(k): str(v) for k, v in self._spec["environment"].items()} | {MARK: self._mark}  # type: ignore[attr-defined] # a mapping, by the agent

    def _listen(self, output: int) -> None:
        os.set_blocking(output, False)
        os.set_blocking(0, False)
        for source in (0, output, self._wake):
            self._selector.register(source, selectors.EVENT_READ)

    def _step(self, output: int) -> None:
        for key, _ in self._selector.select(self._patience()):
            if key.fd == 0:
                self._command()
            elif key.fd == output:
                self._read(output)
            else:
                _empty(self._wake)
        self._reap()
        if os.getppid() != self._parent:
            self._stop(self._patience_as_orphan)
        self._enforce()

    def _patience(self) -> float:
        return _POLL / 10 if self._deadline is not None else _POLL

    def _command(self) -> None:
        try:
            data = os.read(0, _CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._selector.unregister(0)
            self._stop(self._patience_as_orphan)
            return
        *lines, self._commands = (self._commands + data).split(b"\n")
        for line in lines:
            self._stop(float(json.loads(line)["stop"]))

    def _read(self, output: int) -> bool:
        try:
            data = os.read(output, _CHUNK)
        except BlockingIOError:
            return False
        if not data:
            self._selector.unregister(output)
            return False
        self._output.feed(data)
        if self._output.matched and not self._reported:
            self._reported = True
            say("matched")
        if self._output.slow and not self._slow_reported:
            self._slow_reported = True
            say("slow")
        return True

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._app:
                self._app_ended(status)
            elif pid == self._watcher:
                os.close(self._watched)
                self._watch_over()
                self._tell_watcher()

    def _app_ended(self, status: int) -> None:
        self._status = status
        if self._deadline is None:
            self._deadline = time.monotonic() + _CRASH_GRACE
        kill(self._left(), signal.SIGTERM)

    def _stop(self, grace: float) -> None:
        if not self._asked:
            self._asked = True
            self._deadline = time.monotonic() + grace
            if self._app and self._status is None:
                kill({self._app}, self._signal)
        elif self._deadline is not None:
            self._deadline = min(self._deadline, time.monotonic() + grace)

    def _enforce(self) -> None:
        if self._deadline is not None and time.monotonic() >= self._deadline:
            kill(self._left(), signal.SIGKILL)

    def _left(self) -> set[int]:
        return descendants(os.getpid(), processes(ended=True)) - {self._watcher}

    def _over(self) -> bool:
        return self._status is not None and not self._left()

    def _drain(self, output: int) -> None:
        while output in self._selector.get_map() and self._read(output):
            pass
        self._output.close()

    def _ending(self) -> dict[str, object]:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {
            "code": os.waitstatus_to_exitcode(self._status or 0),
            "asked": self._asked,
            "cpu": usage.ru_utime + usage.ru_stime,
            "lines": list(self._output.lines),
        }


def _empty(pipe: int) -> None:
    try:
        while os.read(pipe, 1024):
            pass
    except BlockingIOError:
        return


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def say(event: str, **fields: object) -> None:
    """Tell the agent, if it is still there."""
    try:
        os.write(1, json.dumps({"event": event} | fields).encode() + b"\n")
    except OSError:
        return


def main() -> None:
    """Run what the first line of standard input says."""
    line = b""
    while not line.endswith(b"\n"):  # unbuffered, so that commands that follow at once are not swallowed
        data = os.read(0, 1)
        if not data:
            return
        line += data
    Supervisor(json.loads(line)).run()

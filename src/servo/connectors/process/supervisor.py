"""The small process that stands between the agent and an application, and leaves nothing behind.

It runs one application once, and ends when nothing of it is left. It imports the standard library only and is
started by its path (`python -I -S supervisor.py`), which takes some 20 ms.

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

# Importing pathlib takes as long as all that is done here:
# ruff: noqa: PTH105, PTH123, PTH208
from __future__ import annotations

import collections
import ctypes
import errno
import json
import os
import re
import resource
import selectors
import signal
import time

MARK = "SERVO_PROCESS_MARK"
"""Environment variable that marks all processes of one run."""

LINES = 50
LINE_LENGTH = 500
MATCHED_LENGTH = 2000
MATCH_SECONDS = 0.1

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_HANDLED = (signal.SIGCHLD, signal.SIGALRM, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE)
_POLL = 0.2
_CRASH_GRACE = 1.0
_ORPHAN_GRACE = 5.0
_CHUNK = 65536
_WATCHER_SECONDS = 20.0


def prctl(option: int, value: int) -> None:
    """Set an attribute of this process.

    Raises:
        OSError: The kernel refuses.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl failed")


def processes(*, ended: bool = False) -> dict[int, tuple[int, int]]:
    """Parent and session of each process of this machine; those that nobody has waited for yet only on demand."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                # The name, in parentheses, may hold anything; state, parent, group and session follow it.
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if ended or fields[0] not in {b"Z", b"X"}:
            found[int(name)] = (int(fields[1]), int(fields[3]))
    return found


def descendants(root: int, known: dict[int, tuple[int, int]]) -> set[int]:
    """All processes below one."""
    children: dict[int, list[int]] = {}
    for pid, (parent, _) in known.items():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    waiting = [root]
    while waiting:
        new = [pid for pid in children.get(waiting.pop(), ()) if pid not in found]
        found.update(new)
        waiting.extend(new)
    return found


def marked(mark: str, session: int) -> set[int]:
    """All processes that carry a mark or belong to a session, and what is below them."""
    known = processes()
    needle = f"{MARK}={mark}".encode()
    found = {pid for pid, (_, sid) in known.items() if (session and sid == session) or _carries(pid, needle)}
    for pid in list(found):
        found |= descendants(pid, known)
    return found - {os.getpid()}


def _carries(pid: int, needle: bytes) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return needle in file.read().split(b"\0")
    except OSError:
        return False


def kill(pids: set[int], number: int) -> None:
    """Send a signal to processes, those excepted that have ended meanwhile."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def kill_marked(mark: str, session: int, seconds: float = _WATCHER_SECONDS) -> bool:
    """Kill everything of a run until nothing is left; False if something still is after some seconds."""
    deadline = time.monotonic() + seconds
    while left := marked(mark, session):
        if time.monotonic() > deadline:
            return False
        kill(left, signal.SIGKILL)
        time.sleep(0.01)
    return True


class Output:
    """What an application writes: a bounded log, its last lines, and whether a line matches a pattern.

    Args:
        path: The log; when half of `limit` is reached it becomes `<path>.1`, so that both stay below the limit.
        limit: Bytes.
        pattern: Regular expression searched in each line until it is found once.
    """

    def __init__(self, path: str, limit: int, pattern: str | None) -> None:
        self.lines: collections.deque[str] = collections.deque(maxlen=LINES)
        self.matched = False
        self.slow = False
        self._path = path
        self._limit = max(limit // 2, 1)
        self._pattern = re.compile(pattern) if pattern else None
        self._rest = b""
        self._file = self._open()
        self._size = os.fstat(self._file).st_size

    def _open(self) -> int:
        return os.open(
            self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )

    def feed(self, data: bytes) -> None:
        """Take in what was written."""
        self._write(data)
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-MATCHED_LENGTH:]
        for line in lines:
            self._line(line)

    def close(self) -> None:
        """Take the rest for a line."""
        if self._rest:
            self._line(self._rest)
        self._rest = b""

    def _line(self, raw: bytes) -> None:
        text = raw[:MATCHED_LENGTH].decode("utf-8", "replace").rstrip("\r")
        self.lines.append(text[:LINE_LENGTH])
        if self._pattern and not self.matched:
            self.matched = self._search(self._pattern, text)

    def _search(self, pattern: re.Pattern[str], text: str) -> bool:
        # A pattern may take exponential time on an unlucky line; the alarm interrupts it, once and for all.
        try:
            signal.setitimer(signal.ITIMER_REAL, MATCH_SECONDS)
            try:
                return pattern.search(text) is not None
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except TimeoutError:
            self.slow = True
            self._pattern = None
            return False

    def _write(self, data: bytes) -> None:
        # A full disk must not stop the application.
        try:
            if self._size + len(data) > self._limit:
                self._rotate()
            self._size += os.write(self._file, data[-self._limit :])
        except OSError:
            return

    def _rotate(self) -> None:
        os.replace(self._path, self._path + ".1")
        os.close(self._file)
        self._file = self._open()
        self._size = 0


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
        prctl(_PR_SET_CHILD_SUBREAPER, 1)
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
        signal.signal(signal.SIGALRM, _too_slow)
        signal.signal(signal.SIGTERM, lambda *_: self._stop(self._patience_as_orphan))
        for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(ignored, signal.SIG_IGN)
        return reading

    def _watch_over(self) -> None:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            _watch(self._mark, reading, writing)
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
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
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


def _watch(mark: str, reading: int, writing: int) -> None:
    """Be the watcher: outlive the supervisor just long enough to end what it left."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.dup2(reading, 0)  # nothing else may stay open: a pipe we hold is a pipe whose end nobody sees
    os.closerange(1, max(reading, writing, 1024) + 1)
    said = b""
    while data := os.read(0, 1024):
        said += data
        if b"q" in said:
            os._exit(0)
    kill_marked(mark, int(said or b"0"))
    os._exit(0)


def _too_slow(*_: object) -> None:
    raise TimeoutError


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


if __name__ == "__main__":
    main()

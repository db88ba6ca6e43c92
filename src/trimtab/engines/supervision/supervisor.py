"""The small process that stands between an engine and a program, and leaves nothing of the program behind.

It runs one program once and ends when nothing of it is left. It stands on the standard library only, imports little of
it, and is forked from a process that has done so (`supervisor_server`): it is part of each run's time.

What may be killed, and who then ends the program: the engine (our standard input closes: we end everything); we (the
kernel kills the program; what is left of it is in its control groups, or carries its mark, and the engine, or its next
`expire`, finds it there). Descendants that left their session or whose parents ended are still ours: as "child
subreaper" we adopt them, and so the kernel tells us when there are none.

Standard input is a socket. From it come eight bytes of length, then what to run, marshalled; its end is the order to
end. To it go our process id, eight bytes, at once, and the report, marshalled, at our end. The program has our standard
output, and nothing of the socket.
"""

# Importing pathlib or json takes longer than all that is done here, and so do ctypes and the enumerations of signal; their
# private modules are the same from 3.11 to 3.14:
# ruff: noqa: PTH123, PTH106, PTH208
from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]
import marshal
import os
import resource
import select
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
READ_LIMIT = 64 * 1024
CHANNEL = 0
_POLL = 0.02
_MOMENT = 0.002
_STATISTICS = (
    "memory.oom_control",
    "memory.events",
    "memory.max_usage_in_bytes",
    "memory.peak",
    "cpu.stat",
)  # fmt: skip
_RESTORED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE)


class Supervisor:
    """Runs one program until nothing of it is left.

    Args:
        spec: What to run, the fields of `Program` of the module `program`.
    """

    def __init__(self, spec: dict[str, object]) -> None:
        self._spec = spec
        self._groups = [str(path) for path in spec["groups"]]  # type: ignore[attr-defined] # a list, by the engine
        self._grace = float(str(spec["grace"]))
        self._main = 0
        self._status: int | None = None
        self._left = True
        self._timed_out = False
        self._asked = False
        self._kill_at: float | None = None
        self._killed = 0

    def run(self) -> None:
        """Start the program and stay until all of it has ended."""
        _prctl(PR_SET_CHILD_SUBREAPER, 1)
        wake = self._install_signals()
        began = time.monotonic()
        failure = self._launch()
        if failure:
            self._say(error=failure)
            return
        timeout = self._spec["timeout"]
        deadline = None if timeout is None else began + float(str(timeout))
        poll = select.poll()
        poll.register(CHANNEL, select.POLLIN | select.POLLHUP)
        poll.register(wake, select.POLLIN)
        while not self._over():
            self._step(poll, wake, deadline)
        self._say(
            status=self._status, timed_out=self._timed_out, asked=self._asked, killed=self._killed,
            seconds=time.monotonic() - began, statistics=self._statistics(),
        )  # fmt: skip

    def _install_signals(self) -> int:
        reading, writing = os.pipe()
        for end in (reading, writing):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: self._end())
        for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(ignored, signal.SIG_IGN)
        return reading

    def _launch(self) -> str:
        """Start the program; the answer is what went wrong."""
        reading, writing = os.pipe()  # closed by a successful exec; else it brings the error
        supervisor = os.getpid()
        self._main = os.fork()
        if self._main == 0:
            self._become_program(writing, supervisor)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            failure = pipe.read(READ_LIMIT).decode(errors="replace")
        if failure:
            os.waitpid(self._main, 0)
            self._remove_groups()
        return failure

    def _become_program(self, failed: int, supervisor: int) -> None:
        argv = [str(part) for part in self._spec["argv"]]  # type: ignore[attr-defined] # a list, by the engine
        doing = "the control groups"
        try:
            os.setsid()
            _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != supervisor:
                os._exit(1)  # killed before the kernel knew what to do then
            signal.set_wakeup_fd(-1)
            for number in _RESTORED:
                signal.signal(number, signal.SIG_DFL)
            for group in self._groups:
                _enter(group)
            doing = "the limits"
            self._limit()
            doing = str(self._spec["directory"])
            os.chdir(doing)
            os.umask(0o022)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(1, 2)
            doing = argv[0]
            environment = {str(k): str(v) for k, v in self._spec["environment"].items()}  # type: ignore[attr-defined] # a mapping
            os.execvpe(argv[0], argv, environment)  # noqa: S606 - no shell is the point
        except (OSError, ValueError) as error:
            os.write(failed, f"{doing}: {getattr(error, 'strerror', None) or error}".encode())
        finally:
            os._exit(127)

    def _limit(self) -> None:
        for name, value in self._spec["limits"].items():  # type: ignore[attr-defined] # a mapping, by the engine
            kind = getattr(resource, name)
            _, hard = resource.getrlimit(kind)
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)  # noqa: PLW2901 - the same limit
            resource.setrlimit(kind, (value, value))
        cores = self._spec["cores"]
        if cores:
            os.sched_setaffinity(0, cores)  # type: ignore[arg-type] # a list of numbers, by the engine

    def _step(self, poll: select.poll, wake: int, deadline: float | None) -> None:
        for descriptor, _ in poll.poll(self._patience(deadline)):
            if descriptor == wake:
                _empty(wake)
            elif not _heard():
                poll.unregister(CHANNEL)
                self._end()
        self._reap()
        now = time.monotonic()
        if deadline is not None and now >= deadline and self._status is None and not self._asked:
            self._timed_out = True
            self._end()
        if self._kill_at is not None and now >= self._kill_at:
            self._kill()

    def _patience(self, deadline: float | None) -> float | None:
        """Milliseconds until there is something to do; None: until something happens."""
        if self._status is not None:  # what is left in the control groups tells nobody when it ends
            return min(self._until(self._kill_at) + _MOMENT / 2, _POLL) * 1000
        moments = [
            moment for moment in (self._kill_at, None if self._asked else deadline) if moment is not None
        ]
        if not moments:
            return None
        return max(min(map(self._until, moments)), _POLL) * 1000

    @staticmethod
    def _until(moment: float | None) -> float:
        return _POLL if moment is None else max(0.0, moment - time.monotonic())

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self._left = False
                return
            if pid == 0:
                return
            if pid == self._main:
                self._status = status
                # A sandbox's first process, and a shell's last children, end by themselves at this moment: they need not
                # be looked for among all of the machine's processes.
                self._kill_at = time.monotonic() + _MOMENT

    def _end(self) -> None:
        """Ask the program to end, and be patient for a while."""
        if self._asked:
            return
        self._asked = True
        for pid in self._gently():
            _signal(pid, signal.SIGTERM)
        if self._kill_at is None:
            self._kill_at = time.monotonic() + self._grace

    def _gently(self) -> set[int]:
        """Who is asked: the program; or what a builder runs; or what is inside of a sandbox, below its first process."""
        if self._status is not None:
            return set()
        generations = _generations(self._main)
        if self._spec["ask"] == "below":
            return set().union(*generations[1:]) or {self._main}
        if self._spec["ask"] == "inside":
            return (generations[2] if len(generations) > 2 else set()) or {self._main}  # noqa: PLR2004 - monitor, first process, program
        return {self._main}

    def _kill(self) -> None:
        self._kill_at = time.monotonic() + _POLL
        # Who has no child has no descendant: then all of the machine's processes need not be read, which takes milliseconds.
        everything = set().union(*_generations(os.getpid())[1:]) if self._left else set()
        for group in self._groups:
            everything |= {int(pid) for pid in _read(f"{group}/cgroup.procs").split()}
        everything -= {os.getpid()}
        self._killed += len(everything - {self._main})
        for pid in everything:
            _signal(pid, signal.SIGKILL)

    def _over(self) -> bool:
        if self._status is None or self._left:
            return False
        return not any(_read(f"{group}/cgroup.procs").strip() for group in self._groups)

    def _statistics(self) -> dict[str, str]:
        found = {}
        for group in self._groups:
            for name in _STATISTICS:
                text = _read(f"{group}/{name}")
                if text:
                    found[name] = text
        self._remove_groups()
        return found

    def _remove_groups(self) -> None:
        for group in self._groups:
            for attempt in range(100):
                try:
                    os.rmdir(group)
                except FileNotFoundError:
                    break
                except OSError:  # the kernel is still taking leave of the last process
                    time.sleep(min(_POLL, 0.0005 * 2**attempt))
                else:
                    break

    def _say(self, **fields: object) -> None:
        try:
            os.write(CHANNEL, marshal.dumps(fields))
        except OSError:
            return  # the engine is gone


def _generations(root: int) -> list[set[int]]:
    """A process, its children, their children, and so on."""
    children: dict[int, set[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            # The name, in parentheses, may hold anything; state and parent follow it.
            fields = _read(f"/proc/{name}/stat").rpartition(")")[2].split()
            if fields and fields[0] not in {"Z", "X"}:
                children.setdefault(int(fields[1]), set()).add(int(name))
    found = [{root}]
    while following := set().union(*(children.get(pid, set()) for pid in found[-1])):
        found.append(following)
    return found


def _prctl(option: int, value: int) -> None:
    import _ctypes

    function = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")  # type: ignore[arg-type] # this program itself
    if _ctypes.call_function(function, (option, value, 0, 0, 0)) != 0:
        raise OSError("prctl failed")


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(READ_LIMIT).decode(errors="replace")
    except OSError:
        return ""


def _write(path: str, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY)  # nothing is created: control groups refuse that in another way
    try:
        os.write(descriptor, data)
    finally:
        os.close(descriptor)


def _enter(group: str) -> None:
    """Move this process, which has one thread, into a control group.

    A thread that moves itself takes no lock of the kernel's; a process waits some 15 ms for one. Version 2 has no
    file for it.
    """
    try:
        _write(f"{group}/tasks", b"0")
    except FileNotFoundError:
        _write(f"{group}/cgroup.procs", b"0")


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _empty(pipe: int) -> None:
    try:
        while os.read(pipe, 1024):
            pass
    except BlockingIOError:
        return


def _heard() -> bytes:
    """What the engine says; nothing once it has no more to say, or is gone."""
    try:
        return os.read(CHANNEL, READ_LIMIT)
    except OSError:  # it did not take all that we said
        return b""


def main() -> None:
    """Run what standard input says."""
    spec = _introduced()
    if spec is not None:
        Supervisor(spec).run()
    os._exit(0)  # to take Python down in order would be part of each run's time


def _introduced() -> dict[str, object] | None:
    """What to run; None if the engine is gone before it has said so."""
    try:
        os.write(CHANNEL, os.getpid().to_bytes(8, "little"))
        size = _exactly(8)
        found = _exactly(int.from_bytes(size, "little")) if size else b""
    except OSError:
        return None
    return marshal.loads(found) if found else None  # noqa: S302 - written by our engine


def _exactly(size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = os.read(CHANNEL, size - len(data))
        if not more:
            return b""
        data += more
    return data

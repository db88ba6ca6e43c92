"""What is asked of the kernel that the standard library has no name for, and the processes below this one."""

import posix

_SET_DUMPABLE = 4
_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> bool:
    """Become the parent of every descendant whose own parent ends; whether it could be arranged.

    The first process of a container is so anyway.
    """
    return posix.getpid() == 1 or prctl(_SET_CHILD_SUBREAPER, 1)


def hide() -> bool:
    """Keep other processes of the same user out of this one's memory and environment; whether it could be done.

    Root has other means, as long as it holds CAP_SYS_PTRACE.
    """
    return prctl(_SET_DUMPABLE, 0)


def unhide() -> bool:
    """The opposite of `hide`, for the child: what is executed afterwards is a process like any other."""
    return prctl(_SET_DUMPABLE, 1)


def prctl(option: int, value: int) -> bool:
    """Whether a call of the system's succeeded. The private module is a fifth of the public one's import time, and the same in 3.6 to 3.13."""
    try:
        import _ctypes

        library = _ctypes.dlopen(None, 0)  # type: ignore[arg-type] # this program itself
        function = _ctypes.dlsym(library, "prctl")
        return int(_ctypes.call_function(function, (option, value, 0, 0, 0))) == 0
    except (ImportError, AttributeError, OSError, TypeError, ValueError):
        return False


def descendants(session: int) -> "set[int]":
    """The processes below this one, and those of a session, without ones that have ended."""
    known = _processes()
    found = {pid for pid, (_, _, its_session) in known.items() if its_session == session}
    parents, grown = found | {posix.getpid()}, True
    while grown:
        children = {pid for pid, (parent, _, _) in known.items() if parent in parents} - parents
        parents |= children
        grown = bool(children)
    alive = {pid for pid in parents if pid in known and known[pid][1] not in {"Z", "X"}}
    return alive - {posix.getpid()}


def send(pids: "set[int]", number: int) -> None:
    """Send a signal to processes, of which some may have ended."""
    for pid in pids:
        try:
            posix.kill(pid, number)
        except OSError:
            continue


def send_group(group: int, number: int) -> None:
    """Send a signal to a process group, which may be empty."""
    try:
        posix.killpg(group, number)
    except OSError:
        return


def _processes() -> "dict[int, tuple[int, str, int]]":
    """By process: its parent, state and session."""
    found = {}
    for name in _numbers():
        try:
            with open("/proc/" + name + "/stat", "rb") as file:
                # The name of the program, in brackets, may hold anything.
                fields = file.read(4096).rpartition(b")")[2].split()
            found[int(name)] = (int(fields[1]), fields[0].decode(), int(fields[3]))
        except (OSError, ValueError, IndexError):
            continue
    return found


def _numbers() -> "list[str]":
    try:
        return [name for name in posix.listdir("/proc") if name.isdigit()]
    except OSError:
        return []

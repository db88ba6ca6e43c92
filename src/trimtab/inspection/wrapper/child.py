"""The script's process: a session of its own, nothing of the wrapper's but the three standard streams.

Where the system can start a program by itself (Python 3.8 and later) it does: to fork this process, and to prepare the
fork in Python, takes a millisecond more.
"""

import errno
import posix

from trimtab.inspection.hwinfo.paths import exists, isdir
from trimtab.inspection.wrapper.kernel import unhide
from trimtab.inspection.wrapper.program import CannotStartError, Program
from trimtab.inspection.wrapper.signals import ALTERED, restore

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126
_MISSING = (errno.ENOENT, errno.ENOTDIR)
_LIKELIER = 100
_OOM = "/proc/self/oom_score_adj"


class Likelihood:
    """How likely the kernel, out of memory, ends this process, and how likely what it starts.

    It is opened before the wrapper hides itself, for it could not be afterwards.
    """

    def __init__(self) -> None:
        self._now = 0
        try:
            self._file = posix.open(_OOM, posix.O_RDWR | posix.O_CLOEXEC)
            self._now = int(posix.read(self._file, 16))
        except (OSError, ValueError):
            self._file = -1

    def raised(self) -> None:
        """Have what is started now be ended rather than the wrapper, which has to tell of it."""
        self._write(min(1000, self._now + _LIKELIER))

    def restored(self) -> None:
        """Have this process be as likely as before."""
        self._write(self._now)

    def _write(self, value: int) -> None:
        try:
            if self._file >= 0:
                posix.pwrite(self._file, str(value).encode(), 0)
        except OSError:
            return


def start(
    program: Program, environment: "dict[str, str]", stdout: int, stderr: int, likelihood: Likelihood
) -> int:
    """Start the program; the process.

    Args:
        program: What is executed.
        environment: Its variables.
        stdout: A descriptor for its standard output.
        stderr: One for its standard error.
        likelihood: Of being ended when memory is out.

    Raises:
        CannotStartError: It could not be executed.
    """
    likelihood.raised()
    try:
        return _spawn(program, environment, stdout, stderr)
    except (AttributeError, TypeError, NotImplementedError):  # before 3.8, or a system without
        return _fork(program, environment, stdout, stderr)
    except OSError as error:
        raise _explained(program, error.errno or errno.EINVAL) from None
    finally:
        likelihood.restored()


def _spawn(program: Program, environment: "dict[str, str]", stdout: int, stderr: int) -> int:
    # What is executed can be looked into like any other process: to execute something ends the hiding.
    actions: list[tuple[int, ...]] = [
        (posix.POSIX_SPAWN_DUP2, stdout, 1),
        (posix.POSIX_SPAWN_DUP2, stderr, 2),
        *((posix.POSIX_SPAWN_CLOSE, number) for number in _inherited()),
    ]
    nothing = (posix.POSIX_SPAWN_OPEN, 0, "/dev/null", posix.O_RDONLY, 0)
    return posix.posix_spawn(
        program.path,
        program.argv,
        environment,
        file_actions=[nothing, *actions],
        setsid=True,
        setsigmask=(),
        setsigdef=ALTERED,
    )


def _inherited() -> "list[int]":
    """What the wrapper itself was given beyond the standard streams; what it opens itself closes by itself."""
    numbers = map(int, posix.listdir("/proc/self/fd")) if isdir("/proc/self/fd") else ()
    return [number for number in numbers if number > 2 and _inheritable(number)]  # noqa: PLR2004 - the standard streams


def _inheritable(number: int) -> bool:
    try:
        return posix.get_inheritable(number)
    except OSError:  # that of the listing itself
        return False


def _fork(program: Program, environment: "dict[str, str]", stdout: int, stderr: int) -> int:
    reading, writing = posix.pipe()  # closed by a successful exec; else it brings the error
    try:
        pid = posix.fork()
    except OSError as error:
        raise CannotStartError(_NOT_EXECUTABLE, f"no process can be started: {error.strerror}") from None
    if pid == 0:
        _become(program, environment, (stdout, stderr), writing)
    posix.close(writing)
    failure = _all(reading)
    posix.close(reading)
    if failure:
        posix.waitpid(pid, 0)
        raise _explained(program, int(failure))
    return pid


def _become(program: Program, environment: "dict[str, str]", streams: "tuple[int, int]", failed: int) -> None:
    try:
        posix.setsid()
        restore()
        unhide()
        nothing = posix.open("/dev/null", posix.O_RDONLY)
        for source, target in ((nothing, 0), (streams[0], 1), (streams[1], 2)):
            posix.dup2(source, target)
        _close_others(failed)
        posix.execve(program.path, program.argv, environment)
    except OSError as error:
        posix.write(failed, str(error.errno or errno.EINVAL).encode())
    except BaseException:  # noqa: BLE001 - this is the child: nothing of the wrapper's may run on in it
        posix.write(failed, str(errno.EINVAL).encode())
    finally:
        posix._exit(_NOT_FOUND)  # noqa: SLF001 - as `os` has it


def _close_others(but: int) -> None:
    """Close what the wrapper itself was given beyond the standard streams."""
    for name in posix.listdir("/proc/self/fd") if isdir("/proc/self/fd") else []:
        number = int(name)
        if number > 2 and number != but:  # noqa: PLR2004 - the standard streams
            try:
                posix.close(number)
            except OSError:
                continue


def _all(number: int) -> bytes:
    pieces: list[bytes] = []
    while True:
        piece = posix.read(number, 64)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)


def _explained(program: Program, number: int) -> CannotStartError:
    if number in _MISSING:
        shebang = f", named by the script's first line {program.shebang!r}," if program.shebang else ""
        there = exists(program.path)
        why = "is there, but not the loader it needs" if there else "is not there"
        return CannotStartError(
            _NOT_FOUND, f"{program.path}{shebang} {why}; install it in the image, or name another"
        )
    return CannotStartError(_NOT_EXECUTABLE, f"{program.path} cannot be executed: {posix.strerror(number)}")

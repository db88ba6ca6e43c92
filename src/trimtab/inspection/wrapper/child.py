"""The script's process: a session of its own, nothing of the wrapper's but the three standard streams."""

import errno
import os

from trimtab.inspection.wrapper.kernel import unhide
from trimtab.inspection.wrapper.program import CannotStartError, Program
from trimtab.inspection.wrapper.signals import restore

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126
_MISSING = (errno.ENOENT, errno.ENOTDIR)
_LIKELIER = 100


def start(program: Program, environment: "dict[str, str]", stdout: int, stderr: int) -> int:
    """Start the program; the process.

    Args:
        program: What is executed.
        environment: Its variables.
        stdout: A descriptor for its standard output.
        stderr: One for its standard error.

    Raises:
        CannotStartError: It could not be executed.
    """
    reading, writing = os.pipe()  # closed by a successful exec; else it brings the error
    try:
        pid = os.fork()
    except OSError as error:
        raise CannotStartError(_NOT_EXECUTABLE, f"no process can be started: {error.strerror}") from None
    if pid == 0:
        _become(program, environment, (stdout, stderr), writing)
    os.close(writing)
    failure = _all(reading)
    os.close(reading)
    if failure:
        os.waitpid(pid, 0)
        raise _explained(program, int(failure))
    return pid


def _become(program: Program, environment: "dict[str, str]", streams: "tuple[int, int]", failed: int) -> None:
    try:
        os.setsid()
        restore()
        unhide()
        _prefer_to_be_killed()
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (streams[0], 1), (streams[1], 2)):
            os.dup2(source, target)
        _close_others(failed)
        os.execve(program.path, program.argv, environment)  # noqa: S606 - no shell is the point
    except OSError as error:
        os.write(failed, str(error.errno or errno.EINVAL).encode())
    except BaseException:  # noqa: BLE001 - this is the child: nothing of the wrapper's may run on in it
        os.write(failed, str(errno.EINVAL).encode())
    finally:
        os._exit(_NOT_FOUND)


def _prefer_to_be_killed() -> None:
    """Have the kernel, out of memory, end the script rather than the wrapper, which has to tell of it."""
    try:
        with open("/proc/self/oom_score_adj", "r+b", buffering=0) as file:
            now = int(file.read(16))
            file.seek(0)
            file.write(str(min(1000, now + _LIKELIER)).encode())
    except (OSError, ValueError):
        return


def _close_others(but: int) -> None:
    """Close what the wrapper itself was given beyond the standard streams."""
    for name in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []:
        number = int(name)
        if number > 2 and number != but:  # noqa: PLR2004 - the standard streams
            try:
                os.close(number)
            except OSError:
                continue


def _all(number: int) -> bytes:
    pieces: list[bytes] = []
    while True:
        piece = os.read(number, 64)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)


def _explained(program: Program, number: int) -> CannotStartError:
    if number in _MISSING:
        shebang = f", named by the script's first line {program.shebang!r}," if program.shebang else ""
        there = os.path.exists(program.path)
        why = "is there, but not the loader it needs" if there else "is not there"
        return CannotStartError(
            _NOT_FOUND, f"{program.path}{shebang} {why}; install it in the image, or name another"
        )
    return CannotStartError(_NOT_EXECUTABLE, f"{program.path} cannot be executed: {os.strerror(number)}")

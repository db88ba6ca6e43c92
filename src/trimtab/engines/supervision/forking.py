"""The engine's end of the process that supervisors are forked from: one for this process, started when it is needed."""

import atexit
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from socket import AF_UNIX, SOCK_SEQPACKET, send_fds, socketpair

__all__ = ["end_server", "fork_supervisor", "server_pid"]

# Isolated, without site-packages; the module is found by its directory, so that no package is imported for it.
_START = "import sys; sys.path.append(sys.argv.pop()); from supervisor_server import main; main()"
_KEPT = ("LD_LIBRARY_PATH", "LANG")
_PATIENCE = 5.0


class _Server:
    def __init__(self) -> None:
        self.owner = os.getpid()
        self.socket, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 - this Python, and a program of ours
                [sys.executable, "-I", "-S", "-c", _START, os.fspath(Path(__file__).parent)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # Nothing of ours, which may hold secrets: it lives as long as we do.
                env={name: os.environ[name] for name in _KEPT if name in os.environ},
                cwd="/",
                start_new_session=True,
            )

    def close(self) -> None:
        self.socket.close()
        if self.owner == os.getpid():  # a fork of us has the socket, and is no parent of it
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(_PATIENCE)


class _Keeper:
    """Keeps the server of this process; a fork of this process starts its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: _Server | None = None

    def fork(self, descriptors: list[int]) -> None:
        with self._lock:
            try:
                send_fds(self._current().socket, [b"f"], descriptors)
            except OSError:  # it was killed
                self._drop()
                send_fds(self._current().socket, [b"f"], descriptors)

    def pid(self) -> int | None:
        with self._lock:
            return self._server.process.pid if self._server else None

    def kill(self) -> None:
        with self._lock:
            if self._server and self._server.owner == os.getpid():
                self._server.process.kill()
            self._drop()

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _current(self) -> _Server:
        if self._server and self._server.owner != os.getpid():
            self._drop()
        if self._server is None:
            self._server = _Server()
        return self._server

    def _drop(self) -> None:
        server, self._server = self._server, None
        if server:
            server.close()


_keeper = _Keeper()
atexit.register(_keeper.close)


def fork_supervisor(channel: int, output: int) -> None:
    """Have a supervisor started, which says its process id as soon as it runs.

    Args:
        channel: Descriptor of its end of a socket.
        output: Descriptor that takes what its program prints.

    Raises:
        OSError: It cannot be started.
    """
    _keeper.fork([channel, output])


def server_pid() -> int | None:
    """The process that supervisors are forked from; None if there is none yet."""
    return _keeper.pid()


def end_server() -> None:
    """Kill it, should it be stuck; supervisors that run are none of its business any more, and the next gets another."""
    _keeper.kill()

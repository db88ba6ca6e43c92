"""Starts the workers, and ends with them."""

import os
import signal
import socket
import sys
import traceback
from contextlib import suppress

import uvicorn

from .app import create_app
from .database import prepare
from .settings import Settings, read_settings

# Uvicorn, once it has ended in good order, lets the signal that it was told by take its course.
ENDING = (signal.SIGTERM, signal.SIGINT)


def listen(settings: Settings) -> socket.socket:
    """One listening socket for all workers: whoever is free takes the next connection."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((settings.host, settings.port))
    listener.listen(1024)
    return listener


def work(settings: Settings, listener: socket.socket) -> None:
    """Serve until told to stop."""
    config = uvicorn.Config(create_app(settings), log_level="warning", access_log=False, lifespan="off")
    uvicorn.Server(config).run(sockets=[listener])


def main() -> int:
    """Fork the workers after everything is imported, pass signals on, and end when the first of them does."""
    settings = read_settings()
    prepare(settings.data)
    listener = listen(settings)
    children = {_fork(settings, listener) for _ in range(settings.workers)}
    listener.close()
    for number in ENDING:
        signal.signal(number, lambda signum, _: _tell(children, signum))
    first, status = os.wait()
    _tell(children - {first}, signal.SIGTERM)
    for child in children - {first}:
        os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return 0 if -code in ENDING else abs(code)


def _fork(settings: Settings, listener: socket.socket) -> int:
    child = os.fork()
    if child == 0:
        try:
            work(settings, listener)
        except KeyboardInterrupt:
            os._exit(0)
        except BaseException:  # noqa: BLE001  a child must not return into what its parent does next
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return child


def _tell(children: set[int], number: int) -> None:
    for child in children:
        with suppress(ProcessLookupError):
            os.kill(child, number)


if __name__ == "__main__":
    sys.exit(main())

"""Programs that keep credentials (`docker-credential-NAME`), where the operator's own file of credentials names one.

Nothing of an image or a registry decides what is started: the name comes from that file, it may hold no slash, and no
shell sees it. What it writes is bounded, and is never repeated in a message.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import threading
from typing import Any

from trimtab.images.errors import AccessError
from trimtab.images.sources.registry.credentials import Credentials

__all__ = ["helper_credentials"]

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
PREFIX = "docker-credential-"
PATIENCE = 30.0  # seconds
LARGEST = 1 << 20
ABSENT = b"credentials not found"
TOKEN = "<token>"  # noqa: S105 # the user's name that says that the secret is an identity token


def helper_credentials(name: str, server: str, place: str, patience: float = PATIENCE) -> Credentials | None:
    """What a helper keeps for a server; None if it keeps nothing.

    Parameters:
        name: The helper's name, without `docker-credential-`.
        server: The registry, as it was logged in at.
        place: The file that names the helper, for messages.
        patience: Seconds until it is ended.

    Raises:
        AccessError: There is no such helper, or it fails.
    """
    if not NAME.fullmatch(name):
        raise AccessError(f"{place} names a credential helper that cannot be one: {name[:80]!r}")
    program = shutil.which(PREFIX + name)
    if program is None:
        raise AccessError(f"{place} names the credential helper {PREFIX}{name}, which is not on the path")
    code, output = _run(program, server, patience, f"the credential helper {PREFIX}{name}")
    if code and ABSENT in output:
        return None
    if code:
        raise AccessError(f"the credential helper {PREFIX}{name} of {place} failed with exit code {code}")
    return _credentials(output, f"the credential helper {PREFIX}{name} of {place}")


def _run(program: str, server: str, patience: float, what: str) -> tuple[int, bytes]:
    try:
        process = subprocess.Popen(  # noqa: S603 # a program of the operator's own file, found on the path, no shell
            [program, "get"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # what it starts itself is ended with it, or would hold its output open
        )
    except OSError as error:
        raise AccessError(f"{what} cannot be started: {error.strerror}") from None
    overdue = threading.Event()

    def end() -> None:
        overdue.set()
        _kill(process)

    timer = threading.Timer(patience, end)
    timer.start()
    try:
        output = _asked(process, server)
        if len(output) > LARGEST:
            _kill(process)
        process.wait()
    finally:
        timer.cancel()
    if overdue.is_set():
        raise AccessError(f"{what} did not answer within {patience:g} seconds")
    if len(output) > LARGEST:
        raise AccessError(f"{what} writes more than {LARGEST} bytes")
    return process.returncode, output


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _asked(process: subprocess.Popen[bytes], server: str) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdout:
        try:
            with process.stdin as question:
                question.write(server.encode())
        except BrokenPipeError:  # it does not want to be asked: what it writes says why
            pass
        return process.stdout.read(LARGEST + 1)


def _credentials(output: bytes, what: str) -> Credentials | None:
    try:
        told: Any = json.loads(output)
        user, secret = told["Username"], told["Secret"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise AccessError(f"{what} does not answer as credential helpers do") from None
    if not isinstance(user, str) or not isinstance(secret, str) or not secret:
        return None
    return Credentials("", secret, token=True) if user == TOKEN else Credentials(user, secret)

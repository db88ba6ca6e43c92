"""Locks versions with uv: a stack whose versions do not go together is refused before anything is built."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from servo.utilities.subprocess import run_subprocess_exec

__all__ = ["LockError", "UnsatisfiableError", "lock"]

_SECONDS = 120.0
_LONGEST = 2000


class LockError(RuntimeError):
    """uv cannot be asked; the message says what to do."""


class UnsatisfiableError(RuntimeError):
    """The versions do not go together; the message is uv's explanation."""


async def lock(
    program: str,
    versions: Mapping[str, str],
    requirements: Sequence[str],
    *,
    python: str | None = None,
    index: str | None = None,
) -> str:
    """Lock versions of packages, with all that they need.

    Nothing is built: a source distribution is never taken, for its build runs foreign code here.

    Args:
        program: uv.
        versions: Version by name.
        requirements: What is wanted beside them.
        python: For which Python.
        index: URL of the package index; by default the configured one.

    Returns:
        A requirements.txt with hashes.

    Raises:
        UnsatisfiableError: No lock has these versions.
        LockError: uv is not there, or cannot reach the index.
    """
    wanted = [*requirements, *(f"{name}=={version}" for name, version in versions.items())]
    if not wanted:
        return ""
    environment = {**os.environ, **({"UV_DEFAULT_INDEX": index} if index else {})}
    with tempfile.TemporaryDirectory(prefix="servo-lock-") as folder:
        path = Path(folder) / "wanted.in"
        path.write_text("".join(f"{each}\n" for each in wanted))
        arguments = [
            "pip",
            "compile",
            "--quiet",
            "--no-build",
            "--generate-hashes",
            "--no-header",
            "--no-annotate",
        ]
        arguments += ["--color", "never", "--python", sys.executable]
        arguments += ["--python-version", python] if python else []
        try:
            done = await run_subprocess_exec(
                program, *arguments, str(path), timeout=_SECONDS, env=environment, cwd=folder
            )
        except OSError as error:
            raise LockError(
                f"{program} does not run: {error.strerror}; pip install uv, or name it by `uv`"
            ) from error
        except TimeoutError as error:
            raise LockError(f"{program} took more than {_SECONDS:g} s; bound the requirements") from error
    if done.return_code == 0:
        return "\n".join(done.stdout) + "\n"
    said = "\n".join(done.stderr).strip()[:_LONGEST]
    if "No solution found" in said:
        raise UnsatisfiableError(said)
    raise LockError(f"{program} cannot lock {', '.join(wanted)[:200]}: {said}")

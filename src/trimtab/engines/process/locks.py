"""A stack's lock, of whichever kind, as pins."""

import tempfile
from pathlib import Path

from trimtab.engines.process.interpreter import Interpreter
from trimtab.engines.process.pins import LockError, Pins
from trimtab.engines.process.pipfile import read_pipfile
from trimtab.engines.process.pylock import read_pylock
from trimtab.engines.process.requirements import read_requirements
from trimtab.engines.process.uv import UV
from trimtab.engines.request import Lock

__all__ = ["SIZE_LIMIT", "pins_of"]

SIZE_LIMIT = 32 * 1024 * 1024


async def pins_of(lock: Lock, interpreter: Interpreter, uv: UV) -> Pins:
    """Read a lock.

    Args:
        lock: The lock.
        interpreter: What it is installed for.
        uv: Reads its own.

    Raises:
        LockError: It cannot be read.
    """
    for name, content in lock.files.items():
        if len(content) > SIZE_LIMIT:
            raise LockError(f"{name} has more than {SIZE_LIMIT} bytes")
    match lock.kind:
        case "pipfile":
            return read_pipfile(_content(lock, "Pipfile.lock"))
        case "requirements":
            return read_requirements(_content(lock, "requirements.txt"))
        case "pylock":
            return read_pylock(_content(lock, "pylock.toml"), interpreter.environment)
        case "uv":
            return await _of_uv(lock, interpreter, uv)


def _content(lock: Lock, name: str) -> bytes:
    if name not in lock.files:
        raise LockError(f"a lock of kind {lock.kind} needs the file {name}")
    return lock.files[name]


async def _of_uv(lock: Lock, interpreter: Interpreter, uv: UV) -> Pins:
    """Only uv knows which of its packages are wanted where; it says so without any index."""
    with tempfile.TemporaryDirectory(prefix="trimtab-lock-") as name:
        directory = Path(name)
        for file in ("uv.lock", "pyproject.toml"):
            (directory / file).write_bytes(_content(lock, file))
        answer = await uv.ask(
            "export", "--frozen", "--offline", "--no-emit-project", "--no-default-groups", "--no-header",
            "--no-annotate", "--format", "requirements.txt", "--python", str(interpreter.executable),
            directory=directory,
        )  # fmt: skip
    if answer.code:
        raise LockError(f"uv cannot read uv.lock: {answer.stderr.strip()[-2000:]}")
    return read_requirements(answer.stdout.encode(), "uv.lock, as uv exports it")

"""Which Python an environment is made of."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trimtab.engines.errors import EngineUnavailableError
from trimtab.engines.process.uv import UV
from trimtab.engines.program import ask

__all__ = ["Interpreter", "find"]

_ASK = """
import json, os, platform, sys, sysconfig
i = sys.implementation
v = i.version
version = "%d.%d.%d" % (v.major, v.minor, v.micro) + ("" if v.releaselevel == "final" else v.releaselevel[0] + str(v.serial))
print(json.dumps({
    "executable": sys.executable, "prefix": sys.base_prefix, "tag": i.cache_tag, "platform": sysconfig.get_platform(),
    "environment": {
        "implementation_name": i.name, "implementation_version": version, "os_name": os.name,
        "platform_machine": platform.machine(), "platform_release": platform.release(),
        "platform_system": platform.system(), "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "platform_python_implementation": platform.python_implementation(),
        "python_version": "%d.%d" % sys.version_info[:2], "sys_platform": sys.platform,
    },
}))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python of this machine.

    Attributes:
        executable: Its path.
        prefix: Where its library is.
        tag: Kind and version of its byte code, `cpython-311`.
        platform: What binary packages are for, `linux-x86_64`.
        environment: Its markers.
    """

    executable: Path
    prefix: Path
    tag: str
    platform: str
    environment: Mapping[str, str]

    @property
    def version(self) -> str:
        """`X.Y.Z`."""
        return self.environment["python_full_version"]

    def identity(self) -> list[str]:
        """What an environment made of it depends on."""
        return [str(self.executable), self.tag, self.platform, self.version]


async def find(uv: UV, wanted: str | None, configured: Path | None) -> tuple[Interpreter, str | None]:
    """Find the Python of a stack.

    Args:
        uv: Knows the Pythons of this machine.
        wanted: Version the stack was locked for, as `X.Y`; None: any.
        configured: Path of the one that is to be used; None: this process's, or one of that version.

    Returns:
        The Python, and what is wrong with it: that there is none of the version.

    Raises:
        EngineUnavailableError: It does not run.
    """
    own = configured or Path(getattr(sys, "_base_executable", "") or sys.executable)
    found = await _describe(own)
    if wanted is None or _fits(found, wanted):
        return found, None
    if configured is None and (other := await uv.find_python(wanted)):
        return await _describe(other), None
    return found, f"there is no Python {wanted} here; {own} is {found.version}"


def _fits(interpreter: Interpreter, wanted: str) -> bool:
    return interpreter.version == wanted or interpreter.version.startswith(f"{wanted}.")


async def _describe(path: Path) -> Interpreter:
    try:
        answer = await ask([os.fspath(path), "-I", "-c", _ASK])
        found = json.loads(answer.stdout)
    except (OSError, TimeoutError, ValueError) as error:
        raise EngineUnavailableError(f"the Python {path} does not run: {error}; name another one") from error
    return Interpreter(
        Path(found["executable"]),
        Path(found["prefix"]),
        found["tag"],
        found["platform"],
        found["environment"],
    )

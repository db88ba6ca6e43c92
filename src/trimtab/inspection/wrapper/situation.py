"""What is known before the script runs: the hardware, the system, the script, the Python and its packages.

All of it is read before, for the script may change it.
"""

import posix

from trimtab.inspection.hwinfo.cgroup import Group
from trimtab.inspection.hwinfo.document import document
from trimtab.inspection.hwinfo.machine import Machine
from trimtab.inspection.hwinfo.paths import DEFAULT_PATH, abspath, dirname, realpath
from trimtab.inspection.wrapper.distributions import Python, distributions
from trimtab.inspection.wrapper.json_text import Verbatim, encode
from trimtab.inspection.wrapper.program import CannotStartError, Program, choose, find, stack_python
from trimtab.inspection.wrapper.proof import sha256
from trimtab.inspection.wrapper.settings import Settings
from trimtab.inspection.wrapper.system import cuda_version, os_release, runtime_environment

_HWINFO_LIMIT = 4 * 1024 * 1024
_CHUNK = 1024 * 1024


class Situation:
    """Finds it all out.

    Args:
        settings: What the environment asks.
        machine: What is read.

    Attributes:
        fields: Members of the result document.
        hwinfo: The hardware document; empty, if an init container has left it.
        group: The control group of this process.
        provenance: Where they are from.
        environment: The script's variables: a virtual environment is activated.
        program: What runs the script; None if it cannot be started.
        error: Why.
    """

    def __init__(self, settings: Settings, machine: Machine) -> None:
        self._settings = settings
        self._machine = machine
        self.program: Program | None = None
        self.error: CannotStartError | None = None
        self.provenance: dict[str, str] = {}
        self.hwinfo = b""
        self.group = Group(machine)
        self._stack = stack_python(settings.directory)
        self.environment = _activated(settings.for_the_script(), self._stack)
        self._choose()
        self.fields = self._found()

    def _choose(self) -> None:
        path = self.environment.get("PATH") or DEFAULT_PATH
        try:
            self.program = choose(self._settings.script, self._stack, path)
        except CannotStartError as error:
            self.error = error

    def _found(self) -> "dict[str, object]":
        hardware = self._hardware()
        python = self._python()
        packages = distributions(python.directories) if python else []
        release = os_release(self._machine)
        cuda, self.provenance["runtime_environment.cuda_version"] = _told(
            cuda_version(self._machine, self.environment, packages)
        )
        processor = hardware.get("cpu_info")
        self.provenance["packages"] = ":".join(python.directories) if python else "there is no Python"
        return {
            "hwinfo": Verbatim(_deeper(self.hwinfo)) if self.hwinfo else hardware,
            "hostname": posix.uname().nodename,
            "os_release": release,
            "script_sha256": _digest(self._settings.script),
            "interpreter": self._interpreter(python),
            "packages": packages,
            "runtime_environment": runtime_environment(
                release,
                processor if isinstance(processor, dict) else {},
                python.minor if python else None,
                cuda,
            ),
        }

    def _hardware(self) -> "dict[str, object]":
        """What an init container has left, or what can be seen from here."""
        path = self._settings.hwinfo
        data = Machine().data(path, _HWINFO_LIMIT) if path else None
        if data:
            import json

            try:
                told = json.loads(data.decode("utf-8"))
            except (ValueError, RecursionError):
                told = None
            if isinstance(told, dict):
                self.provenance["hwinfo"] = str(path)
                return told
        self.provenance["hwinfo"] = "the wrapper"
        found = document(self._machine, self.group)
        self.hwinfo = encode(found).encode()
        return found

    def _python(self) -> "Python | None":
        """The script's; of a script that is not Python's, the one it would find."""
        program = self.program
        home = self.environment.get("HOME")
        if program and program.is_python:
            self.provenance["runtime_environment.python_version"] = "the script's Python"
            return Python(program.interpreter, home)
        found = self._stack or find("python3", self.environment.get("PATH", ""))
        whose = "the stack's Python" if self._stack else "the image's Python"
        self.provenance["runtime_environment.python_version"] = whose if found else "there is no Python"
        return Python(found, home) if found else None

    def _interpreter(self, python: "Python | None") -> "dict[str, object] | None":
        program = self.program
        if program is None:
            return None
        version = python.version if python and program.is_python else None
        return {
            "path": program.interpreter,
            "resolved": realpath(program.interpreter),
            "arguments": program.argv[1:-1],
            "reason": program.reason,
            "shebang": program.shebang,
            "version": version,
            "version_source": python.source if python and version else None,
        }


def _deeper(data: bytes) -> bytes:
    """A document of ours as a member of another: no text in it has a line's end, so each begins a line of its own."""
    return data.replace(b"\n", b"\n  ")


def _activated(environment: "dict[str, str]", stack: "str | None") -> "dict[str, str]":
    if stack is None:
        return environment
    binaries = dirname(abspath(stack))
    environment["VIRTUAL_ENV"] = dirname(binaries)
    environment["PATH"] = binaries + ":" + (environment.get("PATH") or DEFAULT_PATH)
    environment.pop("PYTHONHOME", None)
    return environment


def _told(found: "tuple[str | None, str | None]") -> "tuple[str | None, str]":
    return found[0], found[1] or "nothing in the image tells it"


def _digest(path: str) -> "str | None":
    digest = sha256()
    try:
        number = posix.open(path, posix.O_RDONLY | posix.O_NONBLOCK | posix.O_CLOEXEC)
    except OSError:
        return None
    try:
        for piece in iter(lambda: posix.read(number, _CHUNK), b""):
            digest.update(piece)  # type: ignore[attr-defined] # a digest of any of three modules
    except OSError:
        return None
    finally:
        posix.close(number)
    return str(digest.hexdigest())  # type: ignore[attr-defined] # the same

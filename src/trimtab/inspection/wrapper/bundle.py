"""The wrapper as the one file that an image gets."""

import hashlib
import importlib.util
import marshal
import sys
from functools import cache
from pathlib import Path

__all__ = ["MODULES", "SHELL", "compiled", "entrypoint", "files", "start"]

_HERE = Path(__file__).parent
_SEPARATOR = "#@module "

# The launcher, and then the program in shell, in their order.
SHELL = ("launcher", "beginning", "json", "machine", "group", "time", "script", "ending", "run", "document")

# In the order of their imports: each is executed where it stands.
MODULES = (
    "trimtab.inspection.hwinfo.paths",
    "trimtab.inspection.hwinfo.machine",
    "trimtab.inspection.hwinfo.cgroup",
    "trimtab.inspection.hwinfo.processor",
    "trimtab.inspection.hwinfo.processor_type",
    "trimtab.inspection.hwinfo.topology",
    "trimtab.inspection.hwinfo.devices",
    "trimtab.inspection.hwinfo.document",
    "trimtab.inspection.wrapper.settings",
    "trimtab.inspection.wrapper.json_text",
    "trimtab.inspection.wrapper.printed",
    "trimtab.inspection.wrapper.proof",
    "trimtab.inspection.wrapper.writing",
    "trimtab.inspection.wrapper.signals",
    "trimtab.inspection.wrapper.kernel",
    "trimtab.inspection.wrapper.program",
    "trimtab.inspection.wrapper.distributions",
    "trimtab.inspection.wrapper.system",
    "trimtab.inspection.wrapper.situation",
    "trimtab.inspection.wrapper.capture",
    "trimtab.inspection.wrapper.supervision",
    "trimtab.inspection.wrapper.accounting",
    "trimtab.inspection.wrapper.child",
    "trimtab.inspection.wrapper.execution",
    "trimtab.inspection.wrapper.main",
)


def files() -> dict[str, bytes]:
    """The files a build context needs for the wrapper, by name, all in one directory; `entrypoint` is executable.

    `entrypoint.start` is for who knows a Python to run it on: `python -I -S -B entrypoint.start entrypoint` does what
    `entrypoint` does, without a shell. The last one saves each run the compiling, where the image's Python is of this
    process's version: it holds the modules compiled. Without it, or with another Python, they are compiled by each run.
    """
    return {
        "entrypoint": entrypoint(),
        "entrypoint.start": start(),
        f"entrypoint.{sys.implementation.cache_tag}": compiled(),
    }


@cache
def start() -> bytes:
    """The program that the launcher hands to Python."""
    launcher = (_HERE / "shell" / f"{SHELL[0]}.sh").read_text()
    return launcher.partition("w_start='\n")[2].partition("'\n")[0].encode()


@cache
def entrypoint() -> bytes:
    """The launcher, the program in shell, and the modules of the one in Python; the same bytes on every machine."""
    shell = "".join((_HERE / "shell" / f"{name}.sh").read_text() for name in SHELL)
    modules = "".join(f"{_SEPARATOR}{name}\n{_source(name)}" for name in MODULES)
    text = f'{shell}exit "$w_code"\n{modules}'
    # The end tells which program it is: what was compiled of another is not taken.
    return f"{text}# {hashlib.sha256(text.encode()).hexdigest()[:62]}".encode()


@cache
def compiled() -> bytes:
    """The modules, compiled by this process's Python: its mark, that of the program, and a list of names and code.

    In the second version of marshal's format, for later ones depend on what else the process holds.
    """
    text = entrypoint()
    parts = (part.partition("\n") for part in text.decode().split("\n" + _SEPARATOR)[1:])
    # Without docstrings, which are a third of it; there are no assertions.
    code = [(name, compile(source, f"entrypoint:{name}", "exec", optimize=2)) for name, _, source in parts]
    return importlib.util.MAGIC_NUMBER + text[-64:] + marshal.dumps(code, 2)


def _source(module: str) -> str:
    package, name = module.split(".")[-2:]
    return (_HERE.parent / package / f"{name}.py").read_text()

"""Compilers, and what packages ask of the system while they are built."""

from trimtab.buildlogs.classes import FailureClass as F
from trimtab.buildlogs.recogniser import Recogniser, sign

__all__ = ["Compiler"]


class Compiler(Recogniser):
    """Building native code. It fails what it is part of, which says so itself."""

    signs = (
        sign(F.NATIVE, "executable not found", r"pg_config executable not found|mysql_config executable not found|\w+ executable not found", level=None),
        sign(F.NATIVE, "Can not find valid pkg-config name", level=None),
        sign(F.NATIVE, ": No such file or directory", r"fatal error: \S+\.(?:h|hpp|hh)\b.*No such file or directory", level=None),
        sign(F.NATIVE, ("Python.h: No such file", "file not found"), r"fatal error: '?\S+\.(?:h|hpp|hh)'?.*(?:No such file|file not found)", level=None),
        sign(F.NATIVE, ("cargo, the Rust package manager", "This package requires Rust", "can't find Rust compiler"), r"(?i)cargo, the rust|requires rust|can't find rust compiler", level=None),
        sign(F.NATIVE, ("unable to execute '", "error: command 'gcc' failed: No such file", "error: command 'x86_64-linux-gnu-gcc' failed: No such file"), r"unable to execute '|failed: No such file", level=None),
        sign(F.NATIVE, "cannot find -l", r"cannot find -l\S+", level=None),
        sign(F.NATIVE, "Microsoft Visual C++ ", r"Microsoft Visual C\+\+ [\d.]+.* is required", level=None),
        sign(F.COMPILE, ": error: ", r"^\S+\.(?:c|cc|cpp|cxx|h|hh|hpp|pyx|f90|cu|m|rs):\d+:\d+: error: ", level=None),
        sign(F.COMPILE, "error: command '", r"error: command '\S*(?:gcc|g\+\+|cc|clang|c\+\+|cargo|cmake|rustc)\S*'? failed", level=None),
        sign(F.COMPILE, 'error: Command "', r"error: Command \"\S*(?:gcc|g\+\+|cc|clang)", level=None),
        sign(F.MEMORY, ("Killed signal terminated program", "internal compiler error: Killed", "virtual memory exhausted"), level=None),
        sign(F.BUILD_DEPENDENCY, "error: invalid command 'bdist_wheel'", level=None, passing=False),
        sign(F.BUILD_DEPENDENCY, ("ModuleNotFoundError: No module named", "ImportError: No module named"), level=None),
    )  # fmt: skip

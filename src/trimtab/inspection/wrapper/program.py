"""Which program runs the script.

The stack's Python, if the first line names python, or if there is none and the script reads like Python. Otherwise
what the first line names, as the kernel would do it; a binary itself; and a shell for what is left.
"""

import posix

from trimtab.inspection.hwinfo.paths import basename, isdir, join, realpath

_HEAD = 65536
_ELF = b"\x7fELF"
_SHELL = "/bin/sh"
_PLATFORM_PYTHON = "/usr/libexec/platform-python"  # of RHEL 8, which has no other unless one is installed
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126
_STATEMENTS = (
    b"import ",
    b"from ",
    b"def ",
    b"class ",
    b"async def ",
    b"@",
    b'"""',
    b"'''",
    b"print(",
    b"print ",
    b"raise ",
)
_BLOCKS = (b"if ", b"for ", b"while ", b"with ", b"try:", b"else:")


class CannotStartError(Exception):
    """A script that cannot be started.

    Args:
        code: 127 if something is not there, 126 if it cannot be executed: as shells have it.
        message: What is wrong, and what to do.
    """

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


class Program:
    """What is executed.

    Args:
        path: The file.
        argv: Its arguments, from its own name on.
        reason: Why this one, in words.
        shebang: The script's first line, if it names a program.
        named: The program that is meant, where `path` is one that only starts it.
    """

    def __init__(
        self,
        path: str,
        argv: "list[str]",
        reason: str,
        shebang: "str | None" = None,
        named: "str | None" = None,
    ) -> None:
        self.path = path
        self.argv = argv
        self.reason = reason
        self.shebang = shebang
        self.interpreter = named or path

    @property
    def is_python(self) -> bool:
        """Whether it is some Python."""
        return is_python(basename(self.interpreter))


def stack_python(directory: str) -> "str | None":
    """The Python of the virtual environment in a directory, if there is one."""
    for name in ("venv", ".venv"):
        for python in ("python3", "python"):
            path = join(directory, name + "/bin/" + python)
            if posix.access(path, posix.X_OK):
                return path
    return None


def choose(script: str, stack: "str | None", path: str) -> Program:
    """What runs `script`.

    Args:
        script: Its file.
        stack: The stack's Python.
        path: Where programs are looked for: the value of PATH.

    Raises:
        CannotStartError: The script cannot be read, or what it names is not there.
    """
    head = _head(script)
    if head.startswith(_ELF):
        if not posix.access(script, posix.X_OK):
            raise CannotStartError(
                _NOT_EXECUTABLE, f"{script} cannot be executed: it is a binary without that mode"
            )
        return Program(script, [script], "the script is a binary")
    if head.startswith(b"#!"):
        line = head.partition(b"\n")[0].decode("utf-8", "surrogateescape")
        return _by_first_line(line, script, stack, path)
    if reads_like_python(head):
        python, whose = _python(None, stack, path)
        return Program(python, [python, script], "there is no first line, and it reads like Python: " + whose)
    return Program(_SHELL, [_SHELL, script], "there is no first line, and it does not read like Python")


def is_python(name: str) -> bool:
    """Whether a program of this name is a Python 3: `python`, `python3`, `python3.11`, `pypy3`."""
    for start in ("python", "pypy", "platform-python"):
        if name.startswith(start):
            version = name[len(start) :].lstrip("-")
            return version.replace(".", "").isdigit() and version[:1] == "3" if version else True
    return False


def find(name: str, path: str) -> "str | None":
    """The executable file of a name, as `execvp` would find it."""
    if "/" in name:
        return name if posix.access(name, posix.X_OK) else None
    for directory in path.split(":"):
        candidate = join(directory or ".", name)
        if posix.access(candidate, posix.X_OK) and not isdir(candidate):
            return candidate
    return None


def reads_like_python(head: bytes) -> bool:
    """Whether a line of it, not indented, is one that Python has and a shell has not."""
    return any(_is_python_line(line.rstrip()) for line in head.splitlines())


def _is_python_line(line: bytes) -> bool:
    if line.startswith(_STATEMENTS):
        return True
    if line.startswith(_BLOCKS) and line.endswith(b":"):
        return True
    name, _, rest = line.partition(b"(")
    called = name.replace(b".", b"").replace(b"_", b"").isalnum() and not rest.startswith(b")")
    assigned, equals, _ = line.partition(b" = ")
    return (called and b"(" in line) or (bool(equals) and assigned.replace(b"_", b"").isalnum())


def _by_first_line(line: str, script: str, stack: "str | None", path: str) -> Program:
    program, _, argument = line[2:].strip(" \t").partition(" ")
    argument = argument.strip(" \t")
    if line.endswith("\r"):
        raise CannotStartError(
            _NOT_FOUND,
            f"the script's first line is {line!r}: it ends as lines do on Windows; save it with Unix line ends",
        )
    if not program:
        raise CannotStartError(_NOT_EXECUTABLE, f"the script's first line, {line!r}, names no program")
    if basename(program) == "env":
        return _by_env(line, program, argument, script, stack, path)
    if is_python(basename(program)):
        python, whose = _python(program, stack, path)
        argv = [python, *([argument] if argument else []), script]
        return Program(python, argv, "the first line names python: " + whose, line)
    argv = [program, *([argument] if argument else []), script]
    return Program(program, argv, "the first line", line)


def _by_env(line: str, env: str, argument: str, script: str, stack: "str | None", path: str) -> Program:
    words = argument.split()
    splits = bool(words) and words[0] in {"-S", "--split-string"}
    rest = words[1:] if splits else words
    if rest and is_python(basename(rest[0])):
        python, whose = _python(rest[0], stack, path)
        return Program(python, [python, *rest[1:], script], "the first line names python: " + whose, line)
    named = next((word for word in rest if not word.startswith("-") and "=" not in word), None)
    if named is not None and find(named, path) is None:
        raise CannotStartError(
            _NOT_FOUND, f"the script's first line, {line!r}, names {named!r}, which is not on PATH ({path})"
        )
    argv = [env, *([argument] if argument else []), script]  # one argument, as the kernel passes it
    return Program(env, argv, "the first line", line, find(named, path) if named else None)


def _python(named: "str | None", stack: "str | None", path: str) -> "tuple[str, str]":
    if stack:
        return stack, "the stack's"
    candidates = [named] if named else []
    for name in [*candidates, "python3", "python", _PLATFORM_PYTHON]:
        found = find(name, path)
        if found and (name == named or is_python(basename(realpath(found)))):
            return found, "the one named" if name == named else "there is no stack, so the image's"
    raise CannotStartError(
        _NOT_FOUND,
        f"the script is Python's, and no Python 3 was found: not {named or 'python3'}, and none on PATH ({path})",
    )


def _head(script: str) -> bytes:
    try:
        number = posix.open(script, posix.O_RDONLY | posix.O_NONBLOCK | posix.O_CLOEXEC)
        try:
            return posix.read(number, _HEAD)
        finally:
            posix.close(number)
    except (FileNotFoundError, NotADirectoryError):
        raise CannotStartError(_NOT_FOUND, f"there is no script {script}") from None
    except IsADirectoryError:
        raise CannotStartError(_NOT_EXECUTABLE, f"the script {script} is a directory") from None
    except OSError as error:
        raise CannotStartError(
            _NOT_EXECUTABLE, f"the script {script} cannot be read: {error.strerror}"
        ) from None

"""The real wrapper, run as a process in directories of the test."""

import base64
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from trimtab.inspection import wrapper

MINOR = ".".join(platform.python_version_tuple()[:2])


@dataclass
class Outcome:
    """What a run of the wrapper left."""

    code: int
    data: bytes | None
    complaint: str
    usage: Any = None

    @property
    def document(self) -> dict[str, Any]:
        assert self.data is not None, self.complaint
        return json.loads(self.data)


@dataclass
class Place:
    """A directory with the wrapper, and what it is run with."""

    path: Path
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def result(self) -> Path:
        return self.path / "results" / "0" / "result"

    @property
    def hwinfo(self) -> Path:
        return self.result.with_name("hwinfo")

    def script(self, text: str | bytes, mode: int = 0o755) -> None:
        path = self.path / "script"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(mode)

    def stack(self) -> Path:
        """Make a stack: a virtual environment without packages, as `venv` does it."""
        stack = self.path / "venv"
        (stack / "bin").mkdir(parents=True)
        (stack / "bin" / "python3").symlink_to(Path(sys.executable).resolve())
        (stack / "lib" / f"python{MINOR}" / "site-packages").mkdir(parents=True)
        (stack / "pyvenv.cfg").write_text(
            f"home = {Path(sys.executable).resolve().parent}\nversion = {platform.python_version()}\n"
        )
        return stack

    def start(self, **environment: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [*self.command, str(self.path / "entrypoint")],
            env=self.environment | environment,
            cwd=self.path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **self.options,
        )

    def finish(self, process: "subprocess.Popen[bytes]") -> Outcome:
        try:
            said, complaint = process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        assert said == b""
        data = self.result.read_bytes() if self.result.is_file() else None
        return Outcome(process.returncode, data, complaint.decode())

    def run(self, script: str | bytes | None = None, **environment: str) -> Outcome:
        if script is not None:
            self.script(script)
        return self.finish(self.start(**environment))


def make_place(path: Path, command: list[str], **environment: str) -> Place:
    for name, data in wrapper.files().items():
        (path / name).write_bytes(data)
        (path / name).chmod(0o755)
    variables = {
        "PATH": "/usr/bin:/bin",
        "THOTH_AMUN_EXEC_DIR": str(path),
        "THOTH_OUTPUT_PATH": str(path / "results" / "0" / "result"),
        "THOTH_AMUN_STDOUT_PATH": str(path / "script.stdout"),
        "THOTH_AMUN_STDERR_PATH": str(path / "script.stderr"),
    }
    return Place(path, command, variables | environment)


@pytest.fixture(scope="session")
def applets(tmp_path_factory) -> Path:
    """A directory with the tools of busybox, and no others."""
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("no busybox: apt-get install busybox")
    directory = tmp_path_factory.mktemp("busybox")
    subprocess.run([busybox, "--install", "-s", str(directory)], check=True)
    return directory


@pytest.fixture
def python(tmp_path) -> Place:
    """The wrapper in Python."""
    return make_place(tmp_path, [], TRIMTAB_PYTHON=sys.executable)


@pytest.fixture
def shell(tmp_path) -> Place:
    """The wrapper in shell, with the tools of this machine."""
    return make_place(tmp_path, ["/bin/sh"], TRIMTAB_WRAPPER="sh")


@pytest.fixture(params=["python", "sh", "busybox"])
def place(request, tmp_path) -> Place:
    """Each of them, and the one in shell with busybox's shell and tools alone."""
    if request.param == "python":
        return make_place(tmp_path, [], TRIMTAB_PYTHON=sys.executable)
    if request.param == "sh":
        return make_place(tmp_path, ["/bin/sh"], TRIMTAB_WRAPPER="sh")
    directory = request.getfixturevalue("applets")
    return make_place(
        tmp_path, [str(directory / "sh")], TRIMTAB_WRAPPER="sh", PATH=f"{directory}:/usr/local/bin"
    )


@pytest.fixture
def decoded() -> Callable[[str], bytes]:
    return base64.b64decode


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")

"""Running a tool, and writing what it printed."""

import os
import pty
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = [
    "CORPUS",
    "ONLY_NEW",
    "ROOT",
    "WANTED",
    "WORK",
    "clean",
    "environment",
    "fresh",
    "prepare",
    "record",
]

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests" / "trimtab" / "buildlogs" / "corpus"
WORK = Path(os.environ.get("RECORD_HOME", "/tmp/record-buildlogs"))
WANTED: list[str] = []
"""Parts of names: only these are recorded, and everything if there are none."""
ONLY_NEW: list[bool] = []
"""Whether what is there already stays as it is."""
_TIMEOUT = 300
_HOST = re.compile(
    r"(?<![\w.@-])(?!(?:[\w-]+\.)*(?:example|invalid)\b)(?:[a-z0-9-]+\.)+(?:org|com|net|io|dev)(?![\w-])",
    re.IGNORECASE,
)
_OURS = (
    "PIP_",
    "UV_",
    "PIPENV",
    "POETRY_",
    "VIRTUAL_ENV",
    "PYTHON",
    "SSL_CERT",
    "REQUESTS_CA",
    "MICROPIPENV",
)


def clean(text: str) -> str:
    """The log without what names a registry or differs from run to run."""
    text = re.sub(
        r"(?:https?://)?127\.0\.0\.1:\d{4,5}",
        lambda m: "https://pypi.example" if "http" in m[0] else "pypi.example",
        text,
    )
    text = text.replace(f"{WORK}/", "/opt/").replace(f"{Path.home()}/.pyenv/versions", "/usr/local")
    text = text.replace(str(Path.home()), "/root")
    text = re.sub(r"host='127\.0\.0\.1', port=\d+", "host='pypi.example', port=443", text)
    return _HOST.sub("pypi.example", text)


def record(
    tool: str,
    name: str,
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    terminal: bool = False,
) -> None:
    """Run it, and write what it printed, both streams as they came; on a terminal, if it is to think so."""
    path = CORPUS / tool / f"{name}.log"
    if (WANTED and not any(each in f"{tool}/{name}" for each in WANTED)) or (ONLY_NEW and path.exists()):
        return
    code, out = (_on_terminal if terminal else _piped)(argv, _surroundings(env), cwd)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(clean(out.decode(errors="surrogateescape")).encode(errors="surrogateescape"))
    print(f"{tool}/{name}: exit {code}, {len(out)} bytes", flush=True)


def prepare(argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> None:
    """Run what has to be done before, and keep nothing of it."""
    _piped(argv, _surroundings(env), cwd)


def _surroundings(env: Mapping[str, str] | None) -> dict[str, str]:
    keep = {key: value for key, value in os.environ.items() if not key.startswith(_OURS)}
    return keep | {
        "PIP_CONFIG_FILE": "/dev/null", "LC_ALL": "C.UTF-8", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_CACHE_DIR": str(fresh("cache")),
    } | dict(env or {})  # fmt: skip


def _piped(argv: Sequence[str], env: Mapping[str, str], cwd: Path | None) -> tuple[int | None, bytes]:
    command = ["timeout", "--kill-after=5", str(_TIMEOUT), *argv]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=env,
        cwd=cwd,
        check=False,
    )
    return done.returncode, done.stdout


def _on_terminal(argv: Sequence[str], env: Mapping[str, str], cwd: Path | None) -> tuple[int | None, bytes]:
    main, other = pty.openpty()
    child = subprocess.Popen(
        argv,
        stdin=other,
        stdout=other,
        stderr=other,
        env={**env, "TERM": "xterm-256color", "COLUMNS": "100"},
        cwd=cwd,
    )
    os.close(other)
    out = bytearray()
    while piece := _read(main):
        out += piece
    os.close(main)
    return child.wait(), bytes(out)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # a terminal without its last writer
        return b""


def environment(name: str, packages: Sequence[str], version: str = "3.11") -> Path | None:
    """A virtual environment with these, made once; its bin directory. None, and a word, if it cannot be had."""
    place, python = WORK / name, _python(version)
    if python is None:
        print(f"{name}: no Python {version}")
        return None
    if not (place / "done").exists():
        shutil.rmtree(place, ignore_errors=True)
        subprocess.run([python, "-m", "venv", str(place)], check=True)
        install = [str(place / "bin/python"), "-m", "pip", "install", "--quiet", *packages]
        done = subprocess.run(install, check=False, timeout=_TIMEOUT)
        if done.returncode:
            print(f"{name}: cannot be installed")
            return None
        (place / "done").touch()
    return place / "bin"


def _python(version: str) -> str | None:
    found = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    return str(found[-1]) if found else shutil.which(f"python{version}")


def fresh(name: str) -> Path:
    """An empty directory."""
    place = WORK / "work" / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    return place

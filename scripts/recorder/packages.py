"""Packages made here: good ones, and each way to be broken."""

import io
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["packages", "wheel"]

_SETUP = "from setuptools import setup\nsetup(name={name!r}, version={version!r}, packages=[])\n"
_HOG = "import resource\nresource.setrlimit(resource.RLIMIT_AS, (512 << 20, 512 << 20))\nbytearray(1 << 30)\n"
_NATIVE = "from setuptools import Extension, setup\nsetup(name={0!r}, version={1!r}, ext_modules=[Extension({0!r}, ['{0}.c'])])\n"
_LACKING = "import sys\nsys.stderr.write('Error: pg_config executable not found.\\n\\npg_config is required to build from source.\\n')\nsys.exit(1)\n"


def wheel(
    name: str, version: str, requires: tuple[str, ...] = (), python: str = "", *, size: int = 0
) -> tuple[str, bytes]:
    """A wheel of one module; its name and its bytes."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {each}\n" for each in requires)
    metadata += f"Requires-Python: {python}\n" if python else ""
    files = {
        f"{name}.py": f"version = {version!r}\n" + "#" * size, f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: trimtab\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }  # fmt: skip
    files[f"{info}/RECORD"] = "".join(f"{each},,\n" for each in [*files, f"{info}/RECORD"])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return f"{name}-{version}-py3-none-any.whl", out.getvalue()


def _sdist(name: str, version: str, files: dict[str, str]) -> tuple[str, bytes]:
    out = io.BytesIO()
    files = {"PKG-INFO": f"Metadata-Version: 1.0\nName: {name}\nVersion: {version}\n", **files}
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"{name}-{version}/{path}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return f"{name}-{version}.tar.gz", out.getvalue()


def _backend(name: str, requires: str, backend: str) -> dict[str, str]:
    return {
        "pyproject.toml": f"[build-system]\nrequires = [{requires}]\nbuild-backend = '{backend}'\n[project]\nname='{name}'\nversion='1.0'\n"
    }


def _setuptools(place: Path) -> Iterator[tuple[str, bytes]]:
    """What builds an sdist in an environment of its own; the one thing here that is not made here."""
    if not list(place.glob("*.whl")):
        command = (
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--dest",
            str(place),
            "setuptools==80.9.0",
        )
        subprocess.run([sys.executable, *command], check=True)
    yield from ((each.name, each.read_bytes()) for each in place.glob("*.whl"))


def packages(work: Path) -> Iterator[tuple[str, bytes]]:
    """All of them: names of files, and their bytes."""
    yield wheel("harbour", "1.0", ("mooring>=1.0",))
    yield wheel("mooring", "1.0")
    yield wheel("mooring", "2.0")
    yield wheel("anchor", "1.1", ("mooring<2",))
    yield wheel("buoy", "3.0", ("mooring>=2",))
    yield wheel("future_hull", "1.0", python=">=4.0")
    yield wheel("galley", "0.5")
    yield wheel("stern", "1.0", ("ghostship>=2",))
    yield wheel("freight", "1.0", size=400_000)
    yield ("wreck-1.0-py3-none-any.whl", b"this is no archive\n" * 20)
    yield from _setuptools(work / "setuptools")
    yield _sdist("rigging", "0.3", {"setup.py": _SETUP.format(name="rigging", version="0.3")})
    yield _sdist("leak", "1.0", {"setup.py": "raise RuntimeError('the hull leaks')\n"})
    yield _sdist(
        "keel",
        "2.1",
        {
            "setup.py": _NATIVE.format("keel", "2.1"),
            "keel.c": "#include <no_such_library.h>\nint keel;\n",
        },
    )
    yield _sdist(
        "rudder",
        "1.4",
        {
            "setup.py": _NATIVE.format("rudder", "1.4"),
            "rudder.c": "int turn(void) { return angel; }\n",
        },
    )
    yield _sdist("dbdriver", "2.9", {"setup.py": _LACKING})
    yield _sdist("plank", "1.0", _backend("plank", "", "flit_core.buildapi"))
    yield _sdist("mast", "1.0", _backend("mast", "'no-such-backend'", "no_such_backend"))
    enospc = "import errno, os\nraise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), 'build/lib')\n"
    yield _sdist("ballast", "1.0", {"setup.py": enospc})
    yield _sdist("whale", "1.0", {"setup.py": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"})
    yield _sdist("tide", "1.0", {"setup.py": "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n"})
    yield _sdist("hog", "1.0", {"setup.py": _HOG})

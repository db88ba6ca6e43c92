"""pip, in many versions."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from recorder.packages import wheel
from recorder.recording import environment, fresh, prepare, record

__all__ = ["pip"]

_PIPS = {
    "18.1": "3.6", "19.0.3": "3.7", "19.3.1": "3.6", "20.0.2": "3.8", "20.3.4": "3.8", "21.3.1": "3.9", "22.3.1": "3.9",
    "23.0.1": "3.11", "23.3.2": "3.11", "24.0": "3.10", "24.3.1": "3.11", "25.3": "3.11", "26.3": "3.11",
}  # fmt: skip
# Of these the rarer failures, too.
_MORE = {"19.3.1", "21.3.1", "23.0.1", "25.3", "26.3"}
_INSTALLS_ANY_WHEEL_INTO_A_TARGET = {"18.1", "19.0.3", "19.3.1", "20.0.2"}


def pip(index: str, secure: str) -> None:
    """Every case with every version."""
    bare = environment("pip-24.0-without-setuptools", ("pip==24.0",), "3.12")
    if bare is not None:
        record(
            "pip-24.0",
            "missing-setuptools",
            [*_command("24.0", bare), "--index-url", f"{index}/simple", "rigging"],
            env={"PIP_NO_BUILD_ISOLATION": "0"},
        )
    for version, python in _PIPS.items():
        bin_ = environment(f"pip-{version}", (f"pip=={version}", "setuptools<60", "wheel<0.38"), python)
        if bin_ is not None:
            _common(version, bin_, index)
            if version in _MORE:
                _faults(version, bin_, index, secure)
                _packages(version, bin_, index)


def _command(version: str, bin_: Path) -> list[str]:
    return [str(bin_ / "python"), "-m", "pip", "install", "--no-input", "--ignore-installed", "--target", str(fresh(f"pip-{version}"))]  # fmt: skip


def _common(version: str, bin_: Path, index: str) -> None:
    tool = f"pip-{version}"
    base = [*_command(version, bin_), "--index-url"]
    local = [*base, f"{index}/simple"]
    isolated = {"PIP_NO_BUILD_ISOLATION": "0"}
    for name, wanted in {
        "success": ["harbour", "galley==0.5"], "no-such-version": ["galley==9.9"], "no-such-package": ["ghostship"], "requires-python": ["future-hull"],
        "conflict": ["anchor", "buoy"],
    }.items():  # fmt: skip
        record(tool, name, [*local, *wanted])
    for name, wanted in {
        "sdist-success": "rigging==0.3", "setup-error": "leak", "compile-error": "keel", "missing-library": "dbdriver==2.9", "missing-backend": "plank",
        "disk-full": "ballast", "killed": "whale",
    }.items():  # fmt: skip
        record(tool, name, [*local, wanted], env=isolated)
    hashes = fresh("hashes") / "requirements.txt"
    hashes.write_text(f"galley==0.5 --hash=sha256:{'0' * 64}\n")
    record(tool, "hash-mismatch", [*local, "-r", str(hashes)])
    quick = ["--retries", "1", "--timeout", "2"]
    record(tool, "refused", [*base, "http://127.0.0.1:10999/simple", *quick, "galley"])
    record(tool, "unresolvable", [*base, "https://index.invalid/simple", *quick, "galley"])
    record(tool, "status-403", [*base, f"{index}/403/simple", *quick, "galley"])
    record(tool, "status-503", [*base, f"{index}/503/simple", *quick, "galley"])
    if version not in _INSTALLS_ANY_WHEEL_INTO_A_TARGET:
        other = fresh("platform") / "galley-0.5-cp27-cp27m-win32.whl"
        other.write_bytes(wheel("galley", "0.5")[1])
        record(tool, "wrong-platform", [*local, str(other)])


def _faults(version: str, bin_: Path, index: str, secure: str) -> None:
    """What goes wrong between pip and its index, and on the disk."""
    tool = f"pip-{version}"
    base = [*_command(version, bin_), "--index-url"]
    quick = ["--retries", "1", "--timeout", "2"]
    record(tool, "certificate", [*base, f"{secure}/simple", *quick, "galley"])
    record(tool, "timeout", [*base, f"{index}/slow/simple", *quick, "galley"])
    record(tool, "reset", [*base, f"{index}/reset/simple", *quick, "galley"])
    record(tool, "status-401", [*base, f"{index}/401/simple", *quick, "galley"])
    record(tool, "half-a-file", [*base, f"{index}/short/simple", *quick, "freight"])
    with _small_disk() as place:
        record(tool, "disk-full-download", [*base, f"{index}/simple", "freight"], env={"TMPDIR": str(place)})
    record(tool, "success-on-a-terminal", [*base, f"{index}/simple", "harbour", "freight"], terminal=True)
    record(
        tool,
        "no-such-version-on-a-terminal",
        [*base, f"{index}/simple", "harbour", "galley==9.9"],
        terminal=True,
    )


@contextlib.contextmanager
def _small_disk() -> Iterator[Path]:
    place = fresh("small")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def _packages(version: str, bin_: Path, index: str) -> None:
    """What goes wrong with packages."""
    tool = f"pip-{version}"
    local = [*_command(version, bin_), "--index-url", f"{index}/simple"]
    isolated = {"PIP_NO_BUILD_ISOLATION": "0"}
    record(tool, "compile-error-in-the-source", [*local, "rudder"], env=isolated)
    record(tool, "out-of-memory", [*local, "hog"], env=isolated)
    record(tool, "terminated", [*local, "tide"], env=isolated)
    record(tool, "missing-build-requirement", [*local, "mast"])
    record(tool, "missing-dependency", [*local, "stern"])
    record(tool, "broken-wheel", [*local, "wreck"])
    record(tool, "bad-requirement", [*local, "galley=>1"])
    record(tool, "no-requirements-file", [*local, "-r", "/srv/requirements.txt"])
    record(tool, "hashes-missing", [*local, "--require-hashes", "galley==0.5"])
    record(tool, "verbose-success", [*local, "--verbose", "galley"])
    source = fresh("lab")
    (source / "setup.py").write_text("from setuptools import setup\nsetup(name='lab', version='0.1', packages=[], install_requires=['galley'])\n")  # fmt: skip
    record(tool, "directory-success", [*local, "--no-build-isolation", str(source)], env={})
    _installed(tool, bin_, index)


def _installed(tool: str, bin_: Path, index: str) -> None:
    """What is installed already."""
    command = [str(bin_ / "python"), "-m", "pip"]
    install = [*command, "install", "--no-input", "--index-url", f"{index}/simple"]
    site = next((bin_.parent / "lib").glob("python*")) / "site-packages"
    old = site / "galley-0.4.egg-info"
    old.write_text("Metadata-Version: 1.0\nName: galley\nVersion: 0.4\n")
    record(tool, "cannot-uninstall", [*install, "galley==0.5"])
    old.unlink()
    prepare([*install, "mooring==1.0"])
    record(tool, "upgrade-success", [*install, "--upgrade", "mooring"])
    prepare([*install, "harbour", "mooring"])
    record(tool, "satisfied", [*install, "harbour", "mooring"])
    prepare([*install, "anchor", "--no-deps"])
    record(tool, "incompatible", [*install, "buoy", "mooring==1.0"])
    names = ["galley", "mooring", "harbour", "anchor", "buoy"]
    subprocess.run([*command, "uninstall", "--quiet", "--yes", *names], check=False, capture_output=True)

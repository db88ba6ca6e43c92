"""uv, pipenv, Poetry and micropipenv, each in several versions."""

import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from recorder.index import FILES
from recorder.recording import environment, fresh, record

__all__ = ["micropipenv", "pipenv", "poetry", "uv"]

_UV = ("0.4.30", "0.9.11", "0.13.9")
_POETRY = {"1.1.15": "3.8", "1.8.5": "3.11", "2.2.1": "3.11", "2.5.1": "3.11"}
_PIPENV = {"2018.11.26": "3.7", "2025.0.4": "3.11", "2026.10.3": "3.11"}
_MICROPIPENV = {"1.0.0": ("3.8", "20.3.4"), "1.4.3": ("3.9", "22.3.1"), "1.10.0": ("3.11", "25.3")}
# The first that were recorded are called by the tool alone.
_FIRST = {"0.9.11", "2.2.1", "2025.0.4", "1.10.0"}
_BROKEN = {
    "setup-error": "leak", "compile-error": "keel", "compile-error-in-the-source": "rudder", "missing-library": "dbdriver==2.9", "disk-full": "ballast",
    "killed": "whale", "terminated": "tide", "out-of-memory": "hog", "missing-backend": "plank",
}  # fmt: skip


def _name(tool: str, version: str) -> str:
    return tool if version in _FIRST else f"{tool}-{version}"


def uv(index: str, secure: str) -> None:
    """`uv pip install` and `uv sync`."""
    for version in _UV:
        bin_ = environment(f"uv-{version}", (f"uv=={version}", "setuptools<60", "wheel<0.38"))
        if bin_ is not None:
            _uv_installs(_name("uv", version), bin_, index)
            _uv_faults(_name("uv", version), bin_, index, secure)
            _uv_syncs(_name("uv", version), bin_, index)


def _uv(bin_: Path, *, target: bool = True) -> list[str]:
    command = [str(bin_ / "uv"), "pip", "install", "--no-cache", "--no-config", "--python", str(bin_ / "python")]  # fmt: skip
    return [*command, "--reinstall", "--target", str(fresh("uv") / "target")] if target else command


def _uv_installs(tool: str, bin_: Path, index: str) -> None:
    local = [*_uv(bin_), "--index-url", f"{index}/simple"]
    here = [*local, "--no-build-isolation"]
    for name, wanted in {
        "success": ["harbour", "galley==0.5"], "no-such-version": ["galley==9.9"], "no-such-package": ["ghostship"], "requires-python": ["future-hull"],
        "conflict": ["anchor", "buoy"], "sdist-success": ["rigging==0.3"], **{name: [package] for name, package in _BROKEN.items()},
    }.items():  # fmt: skip
        record(tool, name, [*here, *wanted])
    record(tool, "missing-dependency", [*here, "stern"])
    record(tool, "missing-build-requirement", [*local, "mast"])
    record(tool, "broken-wheel", [*here, "wreck"])
    record(tool, "bad-requirement", [*here, "galley=>1"])
    record(tool, "no-requirements-file", [*here, "-r", "/srv/requirements.txt"])
    requirements = fresh("uv-hashes") / "requirements.txt"
    requirements.write_text(f"galley==0.5 --hash=sha256:{'0' * 64}\n")
    record(tool, "hash-mismatch", [*here, "--require-hashes", "-r", str(requirements)])
    record(tool, "success-on-a-terminal", [*here, "harbour", "freight"], terminal=True)
    record(tool, "no-such-version-on-a-terminal", [*here, "harbour", "galley==9.9"], terminal=True)


def _uv_faults(tool: str, bin_: Path, index: str, secure: str) -> None:
    base = [*_uv(bin_), "--index-url"]
    quick = {"UV_HTTP_TIMEOUT": "2", "UV_HTTP_RETRIES": "0"}
    for name, address in {
        "refused": "http://127.0.0.1:10999", "unresolvable": "https://index.invalid", "status-403": f"{index}/403", "status-401": f"{index}/401",
        "status-503": f"{index}/503", "certificate": secure, "timeout": f"{index}/slow", "reset": f"{index}/reset",
    }.items():  # fmt: skip
        record(tool, name, [*base, f"{address}/simple", "galley"], env=quick)
    record(tool, "half-a-file", [*base, f"{index}/short/simple", "freight"], env=quick)


def _uv_syncs(tool: str, bin_: Path, index: str) -> None:
    project = fresh("uv-project")
    text = f"""[project]\nname = "ship"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = ["harbour"]
[[tool.uv.index]]\nname = "local"\nurl = "{index}/simple"\ndefault = true\n"""
    (project / "pyproject.toml").write_text(text)
    sync = [str(bin_ / "uv"), "sync", "--no-cache", "--python", str(bin_ / "python")]
    record(tool, "sync", sync, cwd=project)
    (project / "pyproject.toml").write_text(text.replace('"harbour"', '"harbour", "galley"'))
    record(tool, "lock-out-of-date", [*sync, "--locked"], cwd=project)


# -- pipenv ------------------------------------------------------------------------------------------------------------


def _pipfile(place: Path, index: str, packages: Mapping[str, str]) -> None:
    lines = "".join(f'{name} = "{version}"\n' for name, version in packages.items())
    source = f'[[source]]\nurl = "{index}/simple"\nverify_ssl = false\nname = "local"\n'
    (place / "Pipfile").write_text(f"{source}\n[packages]\n{lines}")


def pipenv(index: str, _: str) -> None:
    """Locks and installs."""
    for version, python in _PIPENV.items():
        bin_ = environment(
            f"pipenv-{version}",
            (f"pipenv=={version}", *(["setuptools<60"] if version.startswith("2018") else [])),
            python,
        )
        if bin_ is not None:
            _pipenv(_name("pipenv", version), bin_, index)


def _pipenv(tool: str, bin_: Path, index: str) -> None:
    env = {
        "PIPENV_VENV_IN_PROJECT": "1", "PIPENV_YES": "1", "PIPENV_NOSPIN": "1", "PIPENV_PYTHON": str(bin_ / "python"), "CI": "1",
        "PATH": f"{bin_}:{os.environ['PATH']}", "PIPENV_TIMEOUT": "60", "PIPENV_INSTALL_TIMEOUT": "60",
    }  # fmt: skip
    install = [str(bin_ / "pipenv"), "install"]
    for name, packages in {
        "success": {"harbour": "*", "galley": "==0.5"}, "no-such-version": {"galley": "==9.9"}, "no-such-package": {"ghostship": "*"},
        "conflict": {"anchor": "*", "buoy": "*"}, "compile-error": {"keel": "*"}, "setup-error": {"leak": "*"},
    }.items():  # fmt: skip
        place = fresh(f"{tool}-{name}")
        _pipfile(place, index, packages)
        record(tool, name, install, env=env, cwd=place)
    if tool == "pipenv-2018.11.26":  # whose rounds the old handler reads; newer ones have none
        _pipenv_rounds(tool, bin_, env, index)
    place = fresh(f"{tool}-refused")
    _pipfile(place, "http://127.0.0.1:10999", {"galley": "*"})
    record(tool, "refused", install, env=env, cwd=place)
    _pipenv_of_a_lock(tool, install, env, index)


def _pipenv_rounds(tool: str, bin_: Path, env: Mapping[str, str], index: str) -> None:
    for name, packages in {
        "verbose-lock": {"harbour": "*", "galley": "==0.5"},
        "verbose-conflict": {"anchor": "*", "buoy": "*"},
    }.items():
        place = fresh(f"{tool}-{name}")
        _pipfile(place, index, packages)
        record(tool, name, [str(bin_ / "pipenv"), "lock", "--verbose"], env=env, cwd=place)


def _pipenv_of_a_lock(tool: str, install: list[str], env: Mapping[str, str], index: str) -> None:
    place = fresh(f"{tool}-lock")
    _pipfile(place, index, {"harbour": "*", "galley": "==0.5"})
    record(tool, "success", install, env=env, cwd=place)
    lock = place / "Pipfile.lock"
    if not lock.exists():
        return
    shutil.rmtree(place / ".venv", ignore_errors=True)
    record(tool, "sync", [install[0], "sync"], env=env, cwd=place)
    _pipfile(place, index, {"harbour": "*"})
    record(tool, "deploy-out-of-date", [*install, "--deploy"], env=env, cwd=place)
    lock.write_text(re.sub(r"sha256:[0-9a-f]{64}", "sha256:" + "0" * 64, lock.read_text()))
    shutil.rmtree(place / ".venv", ignore_errors=True)
    record(tool, "hash-mismatch", [install[0], "sync"], env=env, cwd=place)


# -- Poetry ------------------------------------------------------------------------------------------------------------


def poetry(index: str, secure: str) -> None:
    """`poetry install`."""
    for version, python in _POETRY.items():
        bin_ = environment(f"poetry-{version}", (f"poetry=={version}", "setuptools<60"), python)
        if bin_ is not None:
            _poetry(_name("poetry", version), version, bin_, index, secure)


def _poetry(tool: str, version: str, bin_: Path, index: str, secure: str) -> None:
    env = {"POETRY_VIRTUALENVS_IN_PROJECT": "1", "POETRY_CACHE_DIR": str(fresh("poetry-cache")), "POETRY_REQUESTS_MAX_RETRIES": "0"}  # fmt: skip
    install = [str(bin_ / "poetry"), "install", "--no-interaction", "--no-ansi"]
    for name, packages in {
        "success": ["harbour", "galley==0.5"], "no-such-version": ["galley==9.9"], "no-such-package": ["ghostship"], "conflict": ["anchor", "buoy"],
        "requires-python": ["future-hull"], "compile-error": ["keel"], "setup-error": ["leak"], "killed": ["whale"],
    }.items():  # fmt: skip
        place = fresh(f"poetry-{name}")
        _poetry_project(place, version, f"{index}/simple/", packages)
        record(tool, name, install, env=env, cwd=place)
    for name, address in {
        "refused": "http://127.0.0.1:10999/simple/", "unresolvable": "https://index.invalid/simple/", "certificate": f"{secure}/simple/",
        "status-403": f"{index}/403/simple/", "status-503": f"{index}/503/simple/",
    }.items():  # fmt: skip
        place = fresh(f"poetry-{name}")
        _poetry_project(place, version, address, ["galley"])
        record(tool, name, install, env=env, cwd=place)
    _poetry_of_a_lock(tool, version, install, env, index)


def _poetry_project(place: Path, version: str, index: str, packages: list[str]) -> None:
    source = f'[[tool.poetry.source]]\nname = "local"\nurl = "{index}"\n'
    source += "default = true\n" if version.startswith("1.1") else 'priority = "primary"\n'
    if version.startswith("1"):
        pairs = [each.partition("==") for each in packages]
        listed = "".join(f'{name} = "{wanted or "*"}"\n' for name, _, wanted in pairs)
        text = f'[tool.poetry]\nname = "ship"\nversion = "0"\ndescription = ""\nauthors = []\n[tool.poetry.dependencies]\npython = ">=3.8,<4"\n{listed}'
    else:
        listed = ", ".join(f'"{each}"' for each in packages)
        text = f'[project]\nname = "ship"\nversion = "0"\nrequires-python = ">=3.11,<4"\ndependencies = [{listed}]\n[tool.poetry]\npackage-mode = false\n'
    (place / "pyproject.toml").write_text(text + source)


def _poetry_of_a_lock(
    tool: str, version: str, install: list[str], env: Mapping[str, str], index: str
) -> None:
    place = fresh("poetry-lock")
    _poetry_project(place, version, f"{index}/simple/", ["harbour", "galley==0.5"])
    no_root = [*install, "--no-root"]
    record(tool, "success", no_root, env=env, cwd=place)
    if not (place / "poetry.lock").exists():
        return
    shutil.rmtree(place / ".venv", ignore_errors=True)
    record(tool, "success-of-a-lock", no_root, env=env, cwd=place)
    lock = (place / "poetry.lock").read_text()
    (place / "poetry.lock").write_text(re.sub(r"sha256:[0-9a-f]{64}", "sha256:" + "0" * 64, lock))
    shutil.rmtree(place / ".venv", ignore_errors=True)
    record(tool, "hash-mismatch", no_root, env=env | {"POETRY_CACHE_DIR": str(fresh("poetry-cache"))}, cwd=place)  # fmt: skip
    _poetry_project(place, version, f"{index}/simple/", ["harbour", "mooring", "galley==0.5"])
    record(tool, "lock-out-of-date", no_root, env=env, cwd=place)


# -- micropipenv -------------------------------------------------------------------------------------------------------


def micropipenv(index: str, secure: str) -> None:
    """Locks written by hand."""
    for version, (python, pip) in _MICROPIPENV.items():
        packages = (f"micropipenv[toml]=={version}", f"pip=={pip}", "setuptools<60", "wheel<0.38")
        bin_ = environment(f"micropipenv-{version}", packages, python)
        if bin_ is not None:
            _micropipenv(_name("micropipenv", version), bin_, index, secure)


def _entry(name: str, version: str, digest: str = "") -> str:
    found = next(content for file, content in FILES.items() if file.startswith(f"{name}-{version}"))
    return f'"{name}": {{"hashes": ["sha256:{digest or hashlib.sha256(found).hexdigest()}"], "index": "local", "version": "=={version}"}}'


def _micropipenv(tool: str, bin_: Path, index: str, secure: str) -> None:
    galley = _entry("galley", "0.5")
    cases = {
        "success": [galley, _entry("mooring", "2.0")], "hash-mismatch": [_entry("mooring", "2.0"), _entry("galley", "0.5", "0" * 64)],
        "setup-error": [galley, _entry("leak", "1.0")], "no-such-version": [galley.replace("==0.5", "==9.9")], "compile-error": [_entry("keel", "2.1"), galley],
        "killed": [_entry("whale", "1.0"), galley], "missing-library": [_entry("dbdriver", "2.9")], "sdist-success": [_entry("rigging", "0.3")],
    }  # fmt: skip
    for name, entries in cases.items():
        _micropipenv_run(tool, name, bin_, f"{index}/simple", entries)
    _micropipenv_run(
        tool, "success-verbose-as-a-module", bin_, f"{index}/simple", cases["success"], module=True
    )
    _micropipenv_run(tool, "setup-error-verbose-as-a-module", bin_, f"{index}/simple", [_entry("leak", "1.0"), galley], module=True)  # fmt: skip
    _micropipenv_run(tool, "refused", bin_, "http://127.0.0.1:10999/simple", [galley])
    _micropipenv_run(tool, "certificate", bin_, f"{secure}/simple", [galley], verify=True)


def _micropipenv_run(
    tool: str,
    name: str,
    bin_: Path,
    index: str,
    entries: list[str],
    *,
    module: bool = False,
    verify: bool = False,
) -> None:
    place = fresh(f"micropipenv-{name}")
    _pipfile(place, index.removesuffix("/simple"), {})
    source = f'{{"name": "local", "url": "{index}", "verify_ssl": {str(verify).lower()}}}'
    (place / "Pipfile.lock").write_text(
        f'{{"_meta": {{"hash": {{"sha256": "{"0" * 64}"}}, "pipfile-spec": 6, "requires": {{}}, "sources": [{source}]}}, '
        f'"default": {{{", ".join(entries)}}}, "develop": {{}}}}'
    )
    env = {
        "PATH": f"{bin_}:{os.environ['PATH']}", "PIP_NO_BUILD_ISOLATION": "0", "PIP_FORCE_REINSTALL": "1", "PIP_RETRIES": "1", "PIP_TIMEOUT": "2",
        "PIP_TARGET": str(fresh("micropipenv-target")),
    }  # fmt: skip
    command = (
        [str(bin_ / "python"), "-m", "micropipenv", "--verbose"] if module else [str(bin_ / "micropipenv")]
    )
    record(tool, name, [*command, "install", "--method", "pipenv"], env=env, cwd=place)

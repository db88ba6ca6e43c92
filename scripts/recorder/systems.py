"""dnf and apk, with repositories of packages made here."""

import os
import shutil
import subprocess
from pathlib import Path

from recorder.recording import WORK, fresh, prepare, record

__all__ = ["apk", "dnf", "rpm_repository"]

_SPEC = """Name: {name}
Version: {version}
Release: 1
Summary: made here
License: none
BuildArch: noarch
{extra}
%description
Made here.
%install
mkdir -p %{{buildroot}}/srv/{name}
head -c {size} /dev/urandom > %{{buildroot}}/srv/{name}/data
%files
/srv/{name}
"""
_RPMS = (
    ("hull", "1.0", "Requires: rope >= 1"), ("hull", "2.0", "Requires: rope >= 1"), ("rope", "1.2", ""), ("mirage", "1.0", "Requires: ghost = 4"),
    ("fire", "1.0", ""), ("water", "1.0", "Conflicts: fire"), ("surf", "1.0", "%pre -p <lua>\nerror('sunk')\n"),
)  # fmt: skip


def dnf(index: str, secure: str) -> None:
    """Dnf into a root of its own."""
    if not all(map(shutil.which, ("dnf", "rpmbuild", "createrepo_c"))):
        print("dnf: not here, or nothing that makes its repositories")
        return
    rpm_repository(WORK / "repositories" / "rpm")
    good = f"{index}/repositories/rpm"
    _yum(good)
    record("dnf", "success", [*_dnf(good), "install", "hull-1.0", "fire"])
    kept = _dnf(good)
    prepare([*kept, "install", "hull-1.0"])
    record("dnf", "upgrade", [*kept, "upgrade"])
    record("dnf", "nothing-to-do", [*kept, "install", "hull"])
    for name, wanted in {
        "no-such-package": "no-such-thing",
        "missing-dependency": "mirage",
        "scriptlet-fails": "surf",
    }.items():
        record("dnf", name, [*_dnf(good), "install", wanted])
    record("dnf", "conflict", [*_dnf(good), "install", "fire", "water"])
    record("dnf", "unsigned", [*_dnf(good, check=True), "install", "rope"])
    quick = "--setopt=local.retries=1", "--setopt=local.timeout=2"
    for name, address in {
        "refused": "http://127.0.0.1:10999/rpm", "unresolvable": "http://mirror.invalid/rpm", "status-403": f"{index}/403/rpm", "status-404": f"{index}/404/rpm",
        "status-503": f"{index}/503/rpm", "certificate": f"{secure}/repositories/rpm", "timeout": f"{index}/slow/rpm",
    }.items():  # fmt: skip
        record("dnf", name, [*_dnf(address), *quick, "install", "rope"])
    _dnf_broken(index)


def _yum(address: str) -> None:
    """On RHEL from 8 on yum is a link to dnf; Debian leaves the link out."""
    link = fresh("yum") / "yum"
    link.symlink_to(shutil.which("dnf") or "dnf")
    for name, wanted in {"success": ["hull-1.0", "fire"], "no-such-package": ["no-such-thing"]}.items():
        record("yum", name, [str(link), *_dnf(address)[1:], "install", *wanted])


def _dnf_broken(index: str) -> None:
    broken = WORK / "repositories" / "rpm-broken"
    shutil.rmtree(broken, ignore_errors=True)
    shutil.copytree(WORK / "repositories" / "rpm", broken)
    for each in broken.glob("rope-*.rpm"):
        each.write_bytes(bytes(reversed(each.read_bytes())))
    record(
        "dnf",
        "wrong-checksum",
        [*_dnf(f"{index}/repositories/rpm-broken"), "--setopt=local.retries=1", "install", "rope"],
    )
    place = fresh("dnf-small")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", place], check=True)
    try:
        record("dnf", "disk-full", [*_dnf(f"{index}/repositories/rpm", root=place), "install", "rope"])
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def _dnf(address: str, *, check: bool = False, root: Path | None = None) -> list[str]:
    place = root or fresh("dnf-root")
    options = [
        f"--installroot={place}",
        "--releasever=1",
        "--disablerepo=*",
        f"--repofrompath=local,{address}",
        "--setopt=local.name=local",
    ]
    options += [
        f"--setopt=cachedir={fresh('dnf-cache')}",
        f"--setopt=local.gpgcheck={int(check)}",
        "--setopt=reposdir=/none",
        "--setopt=varsdir=/none",
    ]
    empty = WORK / "dnf.conf"
    empty.write_text("[main]\n")
    return ["dnf", "--assumeyes", "--noplugins", f"--config={empty}", *options]


def rpm_repository(place: Path) -> None:
    """A repository of packages made here, made once."""
    if (place / "repodata").exists():
        return
    place.mkdir(parents=True, exist_ok=True)
    for name, version, extra in _RPMS:
        spec = fresh("spec") / f"{name}.spec"
        requires, pre = ("", extra) if extra.startswith("%") else (extra, "")
        size = 4_000_000 if name == "rope" else 1000
        spec.write_text(_SPEC.format(name=name, version=version, extra=requires, size=size) + pre)
        options = [
            "--define",
            f"_topdir {fresh('rpmbuild')}",
            "--define",
            f"_rpmdir {place}",
            "--define",
            "_build_name_fmt %{NAME}-%{VERSION}.rpm",
        ]
        subprocess.run(["rpmbuild", "-bb", "--quiet", *options, spec], check=True, capture_output=True)
    subprocess.run(["createrepo_c", "--quiet", place], check=True)


def apk(index: str, secure: str) -> None:
    """Apk in an Alpine that ALPINE_ROOT names, with a repository of its own."""
    alpine = Path(os.environ.get("ALPINE_ROOT", "/none"))
    if not (alpine / "sbin/apk").exists() and not (alpine / "usr/sbin/apk").exists():
        print("apk: ALPINE_ROOT names no Alpine")
        return
    _apk_repository(alpine, WORK / "repositories" / "apk" / "x86_64")
    good = f"{index}/repositories/apk"
    record("apk", "success", [*_apk(alpine, good), "hull", "fire"])
    record("apk", "success-on-a-terminal", [*_apk(alpine, good), "hull"], terminal=True)
    kept = _apk(alpine, good)
    prepare([*kept, "rope=1.2-r0"])
    record("apk", "upgrade", [*kept, "--upgrade", "rope"])
    record("apk", "nothing-to-do", [*kept, "rope"])
    for name, wanted in {
        "no-such-package": ["no-such-thing"], "no-such-version": ["rope=9.9-r0"], "missing-dependency": ["mirage"], "conflict": ["fire", "water"], "scriptlet-fails": ["surf"],
    }.items():  # fmt: skip
        record("apk", name, [*_apk(alpine, good), *wanted])
    record("apk", "unsigned", [each for each in _apk(alpine, good) if each != "--allow-untrusted"] + ["rope"])
    for name, address in {
        "refused": "http://127.0.0.1:10999/apk", "unresolvable": "http://mirror.invalid/apk", "status-403": f"{index}/403/apk", "status-404": f"{index}/404/apk",
        "status-503": f"{index}/503/apk", "certificate": f"{secure}/repositories/apk", "timeout": f"{index}/slow/apk",
    }.items():  # fmt: skip
        record("apk", name, [*_apk(alpine, address), "rope"])


def _apk(alpine: Path, address: str) -> list[str]:
    place = fresh("apk-root")
    inside = Path("/") / "srv" / place.name
    shutil.rmtree(alpine / "srv" / place.name, ignore_errors=True)
    options = ["--root", str(inside), "--initdb", "--allow-untrusted", "--no-cache", "--timeout", "3"]
    return ["chroot", str(alpine), "/sbin/apk", *options, "--repository", address, "add"]


def _apk_repository(alpine: Path, place: Path) -> None:
    if (place / "APKINDEX.tar.gz").exists():
        return
    place.mkdir(parents=True, exist_ok=True)
    inside = alpine / "srv" / "repository"
    shutil.rmtree(inside, ignore_errors=True)
    (inside / "files").mkdir(parents=True)
    pre = inside / "pre-install"
    pre.write_text("#!/bin/sh\nexit 3\n")
    pre.chmod(0o755)
    for name, version, depends, script in (
        ("hull", "1.0", "rope>=1", ""), ("rope", "1.2", "", ""), ("rope", "1.3", "", ""), ("mirage", "1.0", "ghost=4", ""), ("fire", "1.0", "", ""),
        ("water", "1.0", "!fire", ""), ("surf", "1.0", "", "pre-install"),
    ):  # fmt: skip
        info = [
            f"name:{name}",
            f"version:{version}-r0",
            "arch:x86_64",
            "license:none",
            "description:made here",
        ]
        info += [f"depends:{depends}"] if depends else []
        arguments = [part for each in info for part in ("--info", each)] + (
            ["--script", "pre-install:/srv/repository/pre-install"] if script else []
        )
        output = f"/srv/repository/{name}-{version}-r0.apk"
        subprocess.run(
            [
                "chroot",
                alpine,
                "/sbin/apk",
                "mkpkg",
                *arguments,
                "--files",
                "/srv/repository/files",
                "--output",
                output,
            ],
            check=True,
        )
    packages = sorted(f"/srv/repository/{each.name}" for each in inside.glob("*.apk"))
    subprocess.run(
        [
            "chroot",
            alpine,
            "/sbin/apk",
            "--allow-untrusted",
            "mkndx",
            "--output",
            "/srv/repository/APKINDEX.tar.gz",
            *packages,
        ],
        check=True,
    )
    for each in [*inside.glob("*.apk"), inside / "APKINDEX.tar.gz"]:
        shutil.copy(each, place / each.name)

"""zypper, with the repository that dnf has, too."""

import shutil

from recorder.recording import WORK, fresh, prepare, record
from recorder.systems import rpm_repository

__all__ = ["zypper"]


def zypper(index: str, secure: str) -> None:
    """Zypper into a root of its own."""
    if not all(map(shutil.which, ("zypper", "rpmbuild", "createrepo_c"))):
        print("zypper: not here, or nothing that makes its repositories")
        return
    rpm_repository(WORK / "repositories" / "rpm")
    good = f"{index}/repositories/rpm"
    record("zypper", "success", [*_zypper(good), "install", "hull=1.0", "fire"])
    record("zypper", "success-on-a-terminal", [*_zypper(good), "install", "hull", "fire"], terminal=True)
    kept = _zypper(good)
    prepare([*kept, "install", "hull=1.0"])
    record("zypper", "upgrade", [*kept, "update"])
    record("zypper", "nothing-to-do", [*kept, "install", "hull"])
    for name, wanted in {
        "no-such-package": ["no-such-thing"], "no-such-version": ["hull=9.9"], "missing-dependency": ["mirage"], "scriptlet-fails": ["surf"], "conflict": ["fire", "water"],
    }.items():  # fmt: skip
        record("zypper", name, [*_zypper(good), "install", *wanted])
    record("zypper", "unsigned", [*_zypper(good, check=True), "install", "rope"])
    for name, address in {
        "refused": "http://127.0.0.1:10999/rpm", "unresolvable": "http://mirror.invalid/rpm", "status-403": f"{index}/403/rpm", "status-404": f"{index}/404/rpm",
        "status-503": f"{index}/503/rpm", "certificate": f"{secure}/repositories/rpm",
    }.items():  # fmt: skip
        record("zypper", name, [*_zypper(address), "install", "rope"])
    broken = WORK / "repositories" / "rpm-broken"
    if broken.exists():  # dnf's recording makes it
        record("zypper", "wrong-checksum", [*_zypper(f"{index}/repositories/rpm-broken"), "install", "rope"])


def _zypper(address: str, *, check: bool = False) -> list[str]:
    options = ["--root", str(fresh("zypper-root")), "--non-interactive", "--plus-repo", address]
    return ["zypper", *options, *([] if check else ["--no-gpg-checks"])]

"""What is recorded, by groups."""

import subprocess
import sys
from collections.abc import Callable, Sequence

from recorder.builders import builders, pushes
from recorder.index import FILES, serving
from recorder.installers import micropipenv, pipenv, poetry, uv
from recorder.packages import packages
from recorder.pips import pip
from recorder.recording import ONLY_NEW, WANTED, WORK
from recorder.systems import apk, dnf
from recorder.zypper import zypper

__all__ = ["main"]

_GROUPS: dict[str, Callable[[str, str], None]] = {
    "pip": pip, "uv": uv, "pipenv": pipenv, "poetry": poetry, "micropipenv": micropipenv, "dnf": dnf, "zypper": zypper, "apk": apk, "builders": builders, "pushes": pushes,
}  # fmt: skip


def main(arguments: Sequence[str]) -> None:
    """Record what was named, or everything."""
    WORK.mkdir(parents=True, exist_ok=True)
    WANTED.extend(each for each in arguments if not each.startswith("-"))
    ONLY_NEW.extend(each == "--new" for each in arguments if each == "--new")
    groups = [each.removeprefix("--only=") for each in arguments if each.startswith("--only=")]
    FILES.update(packages(WORK))
    with serving(WORK) as (index, secure):
        for name in groups or _GROUPS:
            try:
                _GROUPS[name](index, secure)
            except (OSError, subprocess.SubprocessError) as error:
                print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)

"""bubblewrap, where it is installed and works: most of this machine read-only, its users' files out of sight."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trimtab.engines.process.home import HOME
from trimtab.engines.program import ask

__all__ = ["Sandbox"]

USER = 1042
_HIDDEN = ("/home", "/root", "/tmp", "/var/tmp", "/run")  # noqa: S108 - hidden, not used
_NAMES = Path("/run/systemd/resolve")


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A working bubblewrap.

    Attributes:
        program: Its path.
        version: Its version.
    """

    program: str
    version: str

    @classmethod
    async def find(cls) -> "Sandbox | None":
        """Find it, and try it: it may be installed and not allowed."""
        program = shutil.which("bwrap")
        if program is None:
            return None
        try:
            tried = await ask(
                [program, *_namespaces(network=False), "--ro-bind", "/", "/", "--", "true"], seconds=10
            )
            version = await ask([program, "--version"], seconds=10)
        except (OSError, TimeoutError):
            return None
        return cls(program, version.stdout.split()[-1]) if tried.code == 0 and version.stdout else None

    def wrap(
        self,
        argv: Sequence[str],
        *,
        home: Path,
        output: Path,
        item: int,
        network: bool,
        hidden: Sequence[Path],
        visible: Sequence[Path],
        temporary: int,
    ) -> tuple[str, ...]:
        """The arguments that run a program inside.

        Args:
            argv: The program, as it is seen inside.
            home: What is seen as `/home/amun`.
            output: What is seen as its `results/<item>`.
            item: Which run it is.
            network: Whether it may speak to others.
            hidden: Directories of this machine that are not seen.
            visible: Those below them that are seen after all, read-only.
            temporary: Size of `/tmp` in bytes.
        """
        empty = [
            str(path)
            for path in dict.fromkeys([*map(Path, _HIDDEN), *hidden])
            if path.is_dir() and not path.is_symlink()
        ]
        shown = [str(path) for path in dict.fromkeys(visible) if path.exists()]
        if network and _NAMES.exists():  # where the file of name servers points to
            shown.append(str(_NAMES))
        return (
            self.program, *_namespaces(network=network),
            "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc",
            *(part for path in sorted(empty) for part in ("--size", str(temporary), "--tmpfs", path)),
            *(part for path in shown for part in ("--ro-bind", path, path)),
            "--bind", os.fspath(home), str(HOME),
            "--bind", os.fspath(output), str(HOME / "results" / str(item)),
            "--chdir", str(HOME), "--", *argv,
        )  # fmt: skip


def _namespaces(*, network: bool) -> list[str]:
    # No namespace of control groups: a run's wrapper reads there what its own group used.
    return [
        "--unshare-user", "--uid", str(USER), "--gid", str(USER),
        "--unshare-ipc", "--unshare-pid", "--unshare-uts", *([] if network else ["--unshare-net"]),
        "--cap-drop", "ALL", "--die-with-parent", "--new-session",
    ]  # fmt: skip

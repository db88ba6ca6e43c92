"""How a run is started: what it may use, what it sees, and its environment."""

import os
from dataclasses import dataclass
from pathlib import Path

from trimtab.engines.process.groups import Groups
from trimtab.engines.process.home import ENTRYPOINT, HOME, STARTER
from trimtab.engines.process.manifest import Manifest
from trimtab.engines.process.remains import MARK
from trimtab.engines.process.sandbox import Sandbox
from trimtab.engines.process.settings import ProcessSettings
from trimtab.engines.request import RunRequest
from trimtab.engines.supervision import Program

__all__ = ["Launch"]

_TEMPORARY = 1024**3
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Launch:
    """One run, ready to be started.

    Attributes:
        request: What is asked.
        manifest: What was built.
        place: Directory of the run, with its `home`.
        sandbox: What confines it.
        groups: Which limits control groups enforce; the others are made up for, as far as that goes.
        settings: Limits that no request names.
        hidden: Directories of this machine that a sandbox hides.
    """

    request: RunRequest
    manifest: Manifest
    place: Path
    sandbox: Sandbox | None
    groups: Groups
    settings: ProcessSettings
    hidden: tuple[Path, ...]

    def program(self, groups: tuple[str, ...]) -> Program:
        """What the supervisor runs.

        Args:
            groups: The control groups that were made for it.
        """
        timeout = self.request.timeout
        return Program(
            self._argv(),
            str(self.place) if self.sandbox else self._inside,
            self._variables(),
            timeout=None if timeout is None else timeout + self.settings.slack,
            grace=self.settings.grace,
            ask="inside" if self.sandbox else "main",
            limits=self._limits(),
            groups=groups,
            cores=self._cores(),
        )

    @property
    def _inside(self) -> str:
        """The home, as the run sees it."""
        return str(HOME) if self.sandbox else str(self.place / "home")

    @property
    def _output(self) -> str:
        """The output, as the run sees it."""
        return f"{HOME}/results/{self.request.item}" if self.sandbox else str(self.request.output.absolute())

    def _argv(self) -> tuple[str, ...]:
        argv: tuple[str, ...] = (f"{self._inside}/{ENTRYPOINT}",)
        if self._is_direct:
            argv = (self.manifest.executable, "-I", "-S", "-B", f"{self._inside}/{STARTER}", *argv)
        if self.sandbox is None:
            return argv
        return self.sandbox.wrap(
            argv,
            home=self.place / "home",
            output=self.request.output.absolute(),
            item=self.request.item,
            network=self.request.network,
            hidden=self.hidden,
            visible=[Path(self.manifest.environment), Path(self.manifest.prefix)],
            temporary=_TEMPORARY,
        )

    @property
    def _is_direct(self) -> bool:
        """Whether the wrapper runs on this engine's Python, and nobody wishes for another or for none."""
        asked = {**self.manifest.variables, **self.request.environment}
        return self.manifest.starter and asked.keys().isdisjoint({"TRIMTAB_PYTHON", "TRIMTAB_WRAPPER"})

    def _limits(self) -> dict[str, int]:
        limits = {"RLIMIT_CORE": 0, "RLIMIT_FSIZE": self.settings.file_size}
        if "memory" not in self.groups.parents:
            limits["RLIMIT_DATA"] = self.request.resources.memory  # of each process, not of all together
        if "pids" not in self.groups.parents:
            limits["RLIMIT_NPROC"] = _own_tasks() + self.settings.pids  # the kernel counts all of this user's
        return limits

    def _cores(self) -> tuple[int, ...]:
        if "cpu" in self.groups.parents:
            return ()
        allowed = sorted(os.sched_getaffinity(0))
        return tuple(allowed[: max(1, -int(-self.request.resources.cpu // 1))])

    def _variables(self) -> dict[str, str]:
        """All of the run's environment: nothing of ours, for that may hold secrets."""
        inside, output, timeout = self._inside, self._output, self.request.timeout
        return {
            # This engine's Python last: a script may name one, and this machine's directories may have none.
            "PATH": f"{_PATH}:{Path(self.manifest.executable).parent}",
            "LANG": "C.UTF-8",
            "USER": "amun",
            "TRIMTAB_PYTHON": self.manifest.executable,  # for the wrapper; the script's is the stack's
            "HOME": inside,
            "PWD": inside,
            "TMPDIR": "/tmp" if self.sandbox else str(self.place / "tmp"),  # noqa: S108 - the sandbox's own
            **self.manifest.variables,
            "THOTH_AMUN_EXEC_DIR": inside,
            "THOTH_AMUN_EXEC_FILE": f"{inside}/script",
            "THOTH_AMUN_STDOUT_PATH": f"{inside}/script.stdout",
            "THOTH_AMUN_STDERR_PATH": f"{inside}/script.stderr",
            "THOTH_OUTPUT_PATH": f"{output}/result",
            "THOTH_AMUN_HWINFO_PATH": f"{output}/hwinfo",
            **({} if timeout is None else {"TRIMTAB_RUN_TIMEOUT": f"{timeout:g}"}),
            **self.request.environment,
            MARK: self.place.name,
        }


def _own_tasks() -> int:
    """Processes and threads of this user now."""
    own, count = os.getuid(), 0
    for path in Path("/proc").iterdir():
        try:
            if path.name.isdigit() and path.stat().st_uid == own:
                count += len(list((path / "task").iterdir()))
        except OSError:
            continue
    return count

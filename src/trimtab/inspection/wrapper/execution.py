"""One run of the script, and the members of the document that tell of it."""

import posix
import time

from trimtab.inspection.wrapper.accounting import Accounting
from trimtab.inspection.wrapper.capture import Capture
from trimtab.inspection.wrapper.child import Likelihood, start
from trimtab.inspection.wrapper.json_text import Quoted
from trimtab.inspection.wrapper.printed import exact, output, whole_characters
from trimtab.inspection.wrapper.program import CannotStartError
from trimtab.inspection.wrapper.settings import Settings
from trimtab.inspection.wrapper.signals import Requests
from trimtab.inspection.wrapper.situation import Situation
from trimtab.inspection.wrapper.supervision import Supervision

_USAGE = (
    "ru_utime",
    "ru_stime",
    "ru_maxrss",
    "ru_ixrss",
    "ru_idrss",
    "ru_isrss",
    "ru_minflt",
    "ru_majflt",
    "ru_nswap",
    "ru_inblock",
    "ru_oublock",
    "ru_msgsnd",
    "ru_msgrcv",
    "ru_nsignals",
    "ru_nvcsw",
    "ru_nivcsw",
)
_LEFT_OUT: "dict[str, object]" = {
    "stdout": {},
    "stdout_raw": None,
    "stdout_base64": None,
    "stderr": "",
    "stderr_base64": None,
    "stdout_truncated": True,
    "stderr_truncated": True,
}


class Execution:
    """Runs what a situation says.

    Args:
        settings: What the environment asks.
        situation: What is known before.
        requests: Signals to the wrapper.
        likelihood: Of being ended when memory is out.
        adopts: Whether orphans become the wrapper's.

    Attributes:
        exit_code: The script's; negative is the signal that ended it.
        fields: Members of the document.
        provenance: Where they are from.
        notes: What else is to be said.
    """

    def __init__(
        self,
        settings: Settings,
        situation: Situation,
        requests: Requests,
        likelihood: Likelihood,
        *,
        adopts: bool,
    ) -> None:
        self._settings = settings
        self._situation = situation
        self._requests = requests
        self._likelihood = likelihood
        self._streams = [Capture(path, settings.output_limit) for path in (settings.stdout, settings.stderr)]
        self._watch = Supervision(requests, self._streams, settings.timeout, settings.grace, adopts)
        self._error = situation.error
        self.exit_code = 0
        self.fields: dict[str, object] = {}
        self.provenance: dict[str, str] = {}
        self.notes: list[str] = []

    def run(self) -> None:
        """Run it to its end, whatever that is."""
        accounting = Accounting(self._situation.group, posix.getpid())
        clock, started = time.time(), time.monotonic()
        self._start(started)
        ended = self._watch.ended or started
        self.fields = {
            "start_datetime": _moment(clock),
            "end_datetime": _moment(clock + ended - started),
            "duration": round(ended - started, 9),
            "cgroup": accounting.cgroup(),
            "pressure": accounting.pressure(),
        }
        self.provenance = accounting.provenance()
        self.provenance.update(
            {
                "usage": "wait4",
                "usage.ru_maxrss": "wait4; no less than what the wrapper had when it started the script",
                "duration": "CLOCK_MONOTONIC",
            }
        )
        self.fields.update(self._ending())
        self.fields.update(self._printed())

    def without_output(self) -> "dict[str, object]":
        """Members that take the place of those with output, where there is no room for them."""
        return dict(_LEFT_OUT)

    def _start(self, started: float) -> None:
        out, err = self._streams
        if self._error is None and self._requests.came:
            early = "the wrapper was asked to end before the script began"
            self._error = CannotStartError(-self._requests.came[0], early)
        try:
            if self._error is None and self._situation.program is not None:
                about = (self._situation.program, self._situation.environment)
                pid = start(*about, out.writing, err.writing, self._likelihood)
                self._close_writing()
                self._watch.watch(pid, started)
        except CannotStartError as error:
            self._error = error
        self._close_writing()
        for stream in self._streams:
            stream.close()

    def _close_writing(self) -> None:
        for stream in self._streams:
            if stream.writing >= 0:
                posix.close(stream.writing)
                stream.writing = -1

    def _ending(self) -> "dict[str, object]":
        watch = self._watch
        if self._error is not None:
            self.exit_code = self._error.code
        else:
            self.exit_code = -9 if watch.status is None else _exit_code(watch.status)
        if watch.survived:
            self.notes.append(
                "some processes of the script could not be killed; they may still use the machine"
            )
        return {
            "exit_code": self.exit_code,
            "signal": -self.exit_code if self.exit_code < 0 else None,
            "timed_out": watch.timed_out,
            "timeout": self._settings.timeout,
            "interrupted_by": watch.interrupted_by or next(iter(self._requests.came), None),
            "left_processes": watch.left,
            "error": self._error.message if self._error else None,
            "usage": dict(zip(_USAGE, watch.usage)) if watch.usage else dict.fromkeys(_USAGE, 0),
        }

    def _printed(self) -> "dict[str, object]":
        out, err = self._streams
        fields, notes = output(out.parts())
        if self._error is not None:
            fields["interpreter"] = None
        self.notes += notes
        self.notes += [stream.problem for stream in self._streams if stream.problem]
        said = err.parts()
        if self._error is not None:  # who knows only the original's members finds it here
            said = [
                f"[trimtab] the script could not be started: {self._error.message}\n".encode(
                    "utf-8", "replace"
                )
            ]
        fields.update(
            stderr=Quoted(whole_characters(said)),
            stderr_base64=exact(said),
            stdout_truncated=out.truncated,
            stderr_truncated=err.truncated,
            stdout_bytes=out.seen,
            stderr_bytes=err.seen,
        )
        return fields


def _exit_code(status: int) -> int:
    return -posix.WTERMSIG(status) if posix.WIFSIGNALED(status) else posix.WEXITSTATUS(status)


def _moment(clock: float) -> str:
    """UTC, microseconds, no zone: as the original wrote it."""
    seconds, fraction = divmod(clock, 1.0)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(fraction * 1e6):06d}"

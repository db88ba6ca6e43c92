"""What the environment asks of the wrapper."""

from trimtab.inspection.hwinfo.paths import dirname, join

_HOME = "/home/amun"
_GRACE = 5.0
_OUTPUT_LIMIT = 4 * 1024 * 1024
_LARGEST_OUTPUT_LIMIT = 64 * 1024 * 1024
_SECRET = "TRIMTAB_RUN_TOKEN"  # noqa: S105 - the name of a variable
_OURS = (_SECRET, "TRIMTAB_WRAPPER")


class Settings:
    """The variables that concern the wrapper; those with THOTH in their names are the original's.

    Args:
        environment: The wrapper's.

    Attributes:
        directory: Where the script, and perhaps a virtual environment `venv` or `.venv`, is.
        script: The script's file.
        result: Where the result document is written; None is standard output.
        hwinfo: Where the hardware document is read from, or written to if there is none; None is nowhere.
        stdout: Where the script's standard output is written to as it comes.
        stderr: The same of its standard error.
        timeout: Seconds the script may take; None is as long as it wants.
        grace: Seconds between the request to end and the kill.
        output_limit: Bytes that are kept of each stream.
        token: The secret that the proof in the document is made with; "" is no proof.
        notes: What was wrong with the variables.
    """

    def __init__(self, environment: "dict[str, str]") -> None:
        self.notes: list[str] = []
        self._environment = environment
        self.directory = environment.get("THOTH_AMUN_EXEC_DIR") or _HOME
        self.script = environment.get("THOTH_AMUN_EXEC_FILE") or join(self.directory, "script")
        self.result = environment.get("THOTH_OUTPUT_PATH") or None
        self.hwinfo = environment.get("THOTH_AMUN_HWINFO_PATH") or self._beside_result()
        self.stdout = environment.get("THOTH_AMUN_STDOUT_PATH") or join(_HOME, "script.stdout")
        self.stderr = environment.get("THOTH_AMUN_STDERR_PATH") or join(_HOME, "script.stderr")
        self.timeout = self._number("TRIMTAB_RUN_TIMEOUT", None)
        self.grace = self._number("TRIMTAB_RUN_GRACE", _GRACE) or 0.0
        limit = self._number("TRIMTAB_OUTPUT_LIMIT", _OUTPUT_LIMIT) or 0
        self.output_limit = int(min(limit, _LARGEST_OUTPUT_LIMIT))
        self.token = environment.get(_SECRET, "")

    def for_the_script(self) -> "dict[str, str]":
        """The environment without what is only the wrapper's business."""
        return {name: value for name, value in self._environment.items() if name not in _OURS}

    def _beside_result(self) -> "str | None":
        return join(dirname(self.result), "hwinfo") if self.result else None

    def _number(self, name: str, default: "float | None") -> "float | None":
        text = self._environment.get(name, "")
        if not text:
            return default
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if 0 <= value < float("inf"):
            return value
        self.notes.append(f"{name} is {text[:40]!r}, which is no number from 0 on; it was ignored")
        return default

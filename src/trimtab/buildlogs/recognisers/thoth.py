"""Thoth's client in S2I images: its version, configuration and what it was asked."""

import re
from typing import Any, Final

from trimtab.buildlogs.harmless import values
from trimtab.buildlogs.recogniser import Line, Recogniser

__all__ = ["Thoth"]

_VERSION: Final = re.compile(r"Thamos version: '([^']+)'$")
_SIZE: Final = 256 * 1024
_READ: Final = 16 * 1024


class Thoth(Recogniser):
    """Thoth's client."""

    tool = "thamos"
    starts = {">>>": "told", "Thamos": "version"}

    def version(self, line: Line) -> None:
        """`Thamos version: '0.9.1'`; the first counts."""
        found = _VERSION.search(line.text)
        if found and self.findings.info["thamos_version"] is None:
            self.findings.info["thamos_version"] = found[1]
            self.findings.tool("thamos", found[1])

    def told(self, line: Line) -> None:
        """`>>> Asking Thoth for advise...` and the like."""
        self.findings.tool("thamos")
        if line.text == ">>> Asking Thoth for advise...":
            self.findings.info["adviser_run"] = True
        elif line.text == ">>> Asking Thoth for provenance check...":
            self.findings.info["provenance_check_run"] = True
        elif line.text.startswith(">>> Thoth's configuration file after hardware"):
            self._lines: list[str] = []
            self._size = 0
            self.channel.capture = self._capture

    def _capture(self, text: str, number: int) -> bool:
        if text.startswith(">>> ") or self._size > _SIZE or (not text and number == 0):
            self._end()
            return False
        self._size += len(text) + 1
        self._lines.append(text)
        self.findings.thoth_config = "\n".join(self._lines)
        return True

    def _end(self) -> None:
        text = "\n".join(self._lines)
        self.findings.thoth_config = _read(text)


def _read(text: str) -> Any:
    """As YAML; the text if it is none, as web consoles make of it that drop the indentation."""
    import yaml

    # Anchors in a log are somebody's bomb, not a configuration.
    if len(text) > _READ or ("&" in text and "*" in text):
        return text
    try:
        # Not the loader in C: it descends without a limit, and nesting deep enough ends the process.
        return values(yaml.safe_load(text))
    except (yaml.YAMLError, ValueError, RecursionError):
        return text

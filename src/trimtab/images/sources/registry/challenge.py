"""What a registry answers with 401: how it wants to be asked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["Challenge"]

PARAMETER = re.compile(r'([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
LONGEST = 10_000


@dataclass(frozen=True, slots=True)
class Challenge:
    """One `WWW-Authenticate` header.

    Parameters:
        scheme: `basic` or `bearer`, in lower case.
        parameters: `realm`, `service`, `scope`.
    """

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, header: str) -> Challenge:
        """Take a header apart; of what is no challenge, an empty scheme."""
        scheme, _, rest = header[:LONGEST].strip().partition(" ")
        found = {name.lower(): quoted or plain for name, quoted, plain in PARAMETER.findall(rest)}
        return cls(scheme.lower(), found)

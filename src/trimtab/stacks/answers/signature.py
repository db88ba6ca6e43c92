"""Which failures are the same: by reason, phase and message, without what differs from one stack to the next."""

import re

from trimtab.stacks.evidence import Failure

__all__ = ["Signature", "signature"]

Signature = tuple[str, str, str]
"""Phase, reason, and the message with its numbers, paths and addresses taken out."""

_PATH = re.compile(r"(?:[A-Za-z]:)?(?:[\\/][^\\/\s'\":()]+)+[\\/]?")
_ADDRESS = re.compile(r"\b(?:0x)?[0-9a-f]{8,}\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:\.\w+)*")
_LONGEST = 500


def signature(failure: Failure) -> Signature:
    """What failures that are alike have in common."""
    text = failure.message[:_LONGEST]
    for pattern in (_PATH, _ADDRESS, _NUMBER):
        text = pattern.sub("…", text)
    return failure.phase, failure.reason, " ".join(text.split())

"""What can go wrong with the search for stacks.

StacksError
├── RequirementsError        requirements, a lock, rules or another file cannot be read; the message says where
├── UnsatisfiableError       no stack satisfies the requirements; with uv's explanation
├── IndexUnavailableError    a package index does not answer, or not as an index does
├── ResolverError            uv did not come to an end, or ended in a way that says nothing of the requirements
└── PlanError                a plan that has nothing to do, or contradicts itself
"""

import re

__all__ = [
    "IndexUnavailableError",
    "PlanError",
    "RequirementsError",
    "ResolverError",
    "StacksError",
    "UnsatisfiableError",
    "without_secrets",
]

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class StacksError(Exception):
    """Anything wrong with the search for stacks."""


class RequirementsError(StacksError, ValueError):
    """A file that cannot be read; the message says which, where in it, and what to do."""


class UnsatisfiableError(StacksError):
    """No stack satisfies the requirements.

    Args:
        explanation: uv's, in its own words.
    """

    def __init__(self, explanation: str) -> None:
        self.explanation = explanation
        super().__init__(f"no stack satisfies the requirements; uv explains:\n{explanation}")

    def __reduce__(self) -> tuple[type["UnsatisfiableError"], tuple[str]]:
        return UnsatisfiableError, (self.explanation,)


class IndexUnavailableError(StacksError):
    """A package index that does not answer; trying again may help."""


class ResolverError(StacksError):
    """uv did not come to an end."""


class PlanError(StacksError, ValueError):
    """A plan that has nothing to do, or contradicts itself; the message says what to change."""


def without_secrets(text: str) -> str:
    """The text without the user names and passwords of its URLs, and without what moves a terminal."""
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", _CREDENTIALS.sub("", text))

"""What keeps a release or a stack out, and why."""

from collections.abc import Mapping
from dataclasses import dataclass

from trimtab.stacks.errors import without_secrets

__all__ = ["Exclusion"]


@dataclass(frozen=True)
class Exclusion:
    """A reason not to try something.

    Attributes:
        sieve: Name of the sieve.
        packages: Version by name of what is kept out; several: only together.
        reason: Why, in a sentence.
    """

    sieve: str
    packages: Mapping[str, str]
    reason: str

    def __post_init__(self) -> None:
        # Much of a reason is a stranger's: an index's, a data base's.
        object.__setattr__(self, "reason", " ".join(without_secrets(self.reason).split()))

    def __str__(self) -> str:
        what = " with ".join(f"{name} {version}" for name, version in self.packages.items())
        return f"{what}: {self.reason} ({self.sieve})"

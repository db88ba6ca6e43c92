"""How often the infrastructure is tried."""

from dataclasses import dataclass

__all__ = ["Patience"]


@dataclass(frozen=True, slots=True)
class Patience:
    """A bound on attempts, and the pause between two.

    Attributes:
        attempts: Of a build, and of each run, all in all.
        pause: Seconds before the second attempt; before each further one twice as long.
    """

    attempts: int = 3
    pause: float = 1.0

    def before(self, attempt: int) -> float:
        """Seconds to wait before an attempt, counted from 1."""
        return 0.0 if attempt <= 1 else self.pause * 2 ** min(attempt - 2, 10)

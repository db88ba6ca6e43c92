"""What an inspection is called."""

import re
import secrets
from datetime import UTC, datetime

__all__ = ["IDENTIFIER", "MAX_IDENTIFIER", "check_identifier", "inspection_id"]

MAX_IDENTIFIER = 22
"""Characters: `inspection--YYMMDDHHMMSS-` and 16 digits take 41, and a label of Kubernetes has 63."""
IDENTIFIER = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


def check_identifier(value: str) -> str:
    """Refuse what cannot be part of a name of Kubernetes; the empty text stands for none.

    Raises:
        ValueError: It cannot.
    """
    if value and (len(value) > MAX_IDENTIFIER or not IDENTIFIER.fullmatch(value)):
        raise ValueError(
            f"it becomes part of names in a cluster: at most {MAX_IDENTIFIER} lower-case letters, digits and dashes, "
            "with a letter or digit at either end"
        )
    return value


def inspection_id(identifier: str | None, now: datetime | None = None, random: int | None = None) -> str:
    """`inspection[-<identifier>]-<YYMMDDHHMMSS>-<16 hex digits>`, in UTC: fit for names and labels of Kubernetes.

    Args:
        identifier: The part that a user chose; None or empty: it is left out.
        now: When; by default now.
        random: 64 random bits; by default new ones.

    Raises:
        ValueError: The identifier cannot be part of a name.
    """
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    bits = secrets.randbits(64) if random is None else random % 2**64
    words = ["inspection", *filter(None, [check_identifier(identifier or "")])]
    return "-".join([*words, f"{moment:%y%m%d%H%M%S}", f"{bits:016x}"])

"""Which release this is."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version

__all__ = ["CRYPTONYM", "release"]

DISTRIBUTION = "trimtab"
CRYPTONYM = "balance tab"
"""The name of the release among people."""


@cache
def release() -> str:
    """Return the version of the distribution that is installed, ``0.0.0`` if none is."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "0.0.0"

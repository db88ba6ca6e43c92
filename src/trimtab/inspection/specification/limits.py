"""How large a specification may be. Whoever needs more is better served by a base image that has it."""

from typing import Final

__all__ = [
    "MAX_BATCH",
    "MAX_DEPTH",
    "MAX_DIRECTORIES",
    "MAX_DOCUMENT",
    "MAX_ENVIRONMENT",
    "MAX_FILES",
    "MAX_NAME",
    "MAX_NAMES",
    "MAX_NODES",
    "MAX_PATH",
    "MAX_TEXT",
    "MAX_TIMEOUT",
    "MAX_VALUE",
    "MAX_VARIABLES",
    "MAX_WARMUP",
]

MAX_DOCUMENT: Final = 64 * 1024 * 1024
"""Bytes of a document as JSON."""
MAX_DEPTH: Final = 32
"""Objects and arrays in each other."""
MAX_NODES: Final = 200_000
"""Values in all; a lock of a thousand packages has some 50 000."""
MAX_TEXT: Final = 16 * 1024 * 1024
"""Bytes of one script, file or lock."""
MAX_FILES: Final = 1000
MAX_DIRECTORIES: Final = 32
"""Directories outside of /home/amun that get files: each is a layer, and an image can have 127."""
MAX_PATH: Final = 1024
"""Bytes of a path."""
MAX_NAMES: Final = 1000
"""Packages that are named, of either kind."""
MAX_NAME: Final = 512
"""Bytes of a package's name, or of a requirement."""
MAX_VARIABLES: Final = 500
MAX_VALUE: Final = 16 * 1024
"""Bytes of one variable: a line of a Containerfile ends at 64 KiB, and each byte can take two."""
MAX_ENVIRONMENT: Final = 256 * 1024
"""Bytes of all variables: they and the arguments of a program share 2 MiB."""
MAX_BATCH: Final = 10_000
MAX_WARMUP: Final = 1000
MAX_TIMEOUT: Final = 7 * 24 * 3600
"""Seconds."""

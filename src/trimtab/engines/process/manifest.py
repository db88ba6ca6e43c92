"""What a build leaves for its runs."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from trimtab.engines.errors import BuildGoneError

__all__ = ["Manifest"]

_FILE = "build.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a build has left for its runs, as JSON beside its home.

    Attributes:
        environment: Directory of the virtual environment.
        key: Its key in the cache.
        prefix: Where the library of its Python is.
        executable: Path of its Python.
        variables: Variables of each run.
        starter: Whether the wrapper has a file by which a Python starts it, without a shell.
    """

    environment: str
    key: str
    prefix: str
    executable: str
    variables: dict[str, str]
    starter: bool = False

    @classmethod
    def read(cls, build: Path) -> "Manifest":
        """Read what a build has left.

        Raises:
            BuildGoneError: It is gone.
        """
        try:
            found = cls(**json.loads((build / _FILE).read_text()))
        except (OSError, ValueError, TypeError):
            raise BuildGoneError(f"the build {build} was removed; build it again") from None
        if not (build / "home").is_dir() or not Path(found.environment).is_dir():
            raise BuildGoneError(f"the environment of the build {build} was removed; build it again")
        return found

    def write(self, build: Path) -> None:
        """Leave it; it comes last, so a build that was killed is none."""
        temporary = build / f"{_FILE}.new"
        temporary.write_text(json.dumps(asdict(self)))
        temporary.replace(build / _FILE)

"""uv, whose wheel brings its program."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from trimtab.engines.errors import EngineUnavailableError
from trimtab.engines.index import Index
from trimtab.engines.program import Answer, ask

__all__ = ["UV"]

_KEPT = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "NETRC", "SSL_CERT_DIR")
_VERSION = re.compile(r"[0-9]+(\.[0-9]+){0,2}")


class UV:
    """Runs uv with an environment of our own: what it is told is in its arguments, the index in `Index`.

    Args:
        cache: Directory of its cache. It is not the user's: environments are hard links into it, and a run that is
            no friend could change the user's other projects.
        index: Where packages come from.
    """

    def __init__(self, cache: Path, index: Index) -> None:
        self.cache = cache
        self._index = index

    @property
    def program(self) -> str:
        """Path of the program.

        Raises:
            EngineUnavailableError: There is none.
        """
        try:
            from uv import find_uv_bin

            return find_uv_bin()
        except (ImportError, FileNotFoundError) as error:
            raise EngineUnavailableError(f"there is no uv here ({error}); pip install uv") from error

    def environment(self, index: Index | None = None) -> dict[str, str]:
        """All variables it is started with.

        Args:
            index: Instead of this machine's.
        """
        kept = {name: value for name in _KEPT if (value := os.environ.get(name))}
        return {
            **kept,
            **(index or self._index).uv_environment(),
            "UV_CACHE_DIR": os.fspath(self.cache),
            "UV_NO_CONFIG": "1",
            "UV_NO_PROGRESS": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_LINK_MODE": "hardlink",
        }

    @property
    def index(self) -> Index:
        """Where packages come from."""
        return self._index

    async def version(self) -> str:
        """Its version."""
        answer = await self.ask("--version")
        return answer.stdout.split()[1] if answer.code == 0 else "unknown"

    async def find_python(self, wanted: str) -> Path | None:
        """A Python of some version that is installed on this machine."""
        if not _VERSION.fullmatch(wanted):
            return None
        answer = await self.ask("python", "find", "--no-project", "--system", wanted)
        return Path(answer.stdout.strip()) if answer.code == 0 else None

    async def ask(
        self, *arguments: str, directory: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> Answer:
        """Run a short command, also one that fails."""
        try:
            return await ask(
                [self.program, *arguments], directory=directory, environment=environment or self.environment()
            )
        except (OSError, TimeoutError) as error:
            raise EngineUnavailableError(
                f"uv does not run: {error}; pip install --force-reinstall uv"
            ) from error

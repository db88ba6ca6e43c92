"""Releases that were withdrawn."""

from dataclasses import dataclass

from trimtab.stacks.exclusion import Exclusion
from trimtab.stacks.release import Release
from trimtab.stacks.releases import Releases
from trimtab.stacks.stack import Stack

__all__ = ["YankedSieve"]

_SHOWN = 300


@dataclass(frozen=True)
class YankedSieve:
    """Keeps out what its makers withdrew. uv takes it where it is pinned, and the search pins."""

    releases: Releases
    name: str = "yanked"

    def release(self, release: Release) -> str | None:
        """Why it was withdrawn, if all of its files were."""
        reasons = [each.yanked for each in release.files if each.yanked is not None]
        if not release.files or len(reasons) < len(release.files):
            return None
        given = next(filter(None, reasons), "")
        return f"it was yanked: {given[:_SHOWN]}" if given else "it was yanked"

    async def stack(self, stack: Stack) -> Exclusion | None:
        """Which of its packages was withdrawn."""
        for name, version in stack.pins.items():
            release = await self.releases.find(name, version)
            if release and (reason := self.release(release)):
                return Exclusion(self.name, {name: version}, reason)
        return None

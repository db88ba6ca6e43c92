"""Releases that cannot be installed on the target."""

from dataclasses import dataclass

from trimtab.stacks.exclusion import Exclusion
from trimtab.stacks.release import Release
from trimtab.stacks.releases import Releases
from trimtab.stacks.stack import Stack
from trimtab.stacks.target import Target

__all__ = ["PLATFORM", "PlatformSieve"]

PLATFORM = "platform"


@dataclass(frozen=True)
class PlatformSieve:
    """Keeps out what has no wheel for the target's Python and platform, or was not there on the index date.

    uv does the same while it resolves, with one difference: it does not heed the upper bound of a release's
    `Requires-Python`, and pip does.
    """

    target: Target
    releases: Releases
    name: str = PLATFORM

    def release(self, release: Release) -> str | None:
        """Why it cannot be installed."""
        if release.wheels(self.target):
            return None
        there = [each for each in release.files if each.is_there(self.target)]
        if not there:
            assert self.target.index_date is not None
            if any(each.uploaded for each in release.files):
                return f"it was not there on {self.target.index_date:%Y-%m-%d}"
            return "the index does not say when it was uploaded, so nobody knows whether it was there on the index date"
        if not any(each.runs_on(self.target) for each in there):
            return f"it is for Python {there[0].requires_python}, not {self.target.version}"
        if not any(each.wheel for each in there):
            return (
                "it has only a source distribution, whose build runs foreign code and is never done here; build its wheel "
                "in a container and put it into an index"
            )
        return f"it has no wheel for Python {self.target.version} on {self.target.platform or 'this machine'}"

    async def stack(self, stack: Stack) -> Exclusion | None:
        """Why one of its packages cannot be installed."""
        for name, version in stack.pins.items():
            release = await self.releases.find(name, version)
            if release and (reason := self.release(release)):
                return Exclusion(self.name, {name: version}, reason)
        return None

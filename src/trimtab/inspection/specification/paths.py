"""Which files go together into one image."""

from pathlib import PurePosixPath

from trimtab.inspection.specification.contents import HOME, SourceFile
from trimtab.inspection.specification.limits import MAX_DIRECTORIES

__all__ = ["check_paths", "is_at_home"]


def is_at_home(target: str) -> bool:
    """Whether an absolute path is below /home/amun."""
    return target.startswith(f"{HOME}/")


def check_paths(files: tuple[SourceFile, ...]) -> tuple[SourceFile, ...]:
    """Refuse files that are directories of others, and too many directories.

    Raises:
        ValueError: Not all of them can be in one image.
    """
    targets = {each.target for each in files}
    # The script and the lock are below, so home is a directory whatever else is.
    directories = {
        str(parent) for target in (*targets, f"{HOME}/_") for parent in PurePosixPath(target).parents
    }
    if both := sorted(targets & directories):
        raise ValueError(f"{both[0]!r} is a file, and the directory of another")
    outside = {str(PurePosixPath(target).parent) for target in targets if not is_at_home(target)}
    if len(outside) > MAX_DIRECTORIES:
        raise ValueError(
            f"they go into {len(outside)} directories outside of {HOME}; at most {MAX_DIRECTORIES} are possible"
        )
    return files

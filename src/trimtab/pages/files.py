"""A file as it is written: whoever reads it sees the old one or the new one, never a part."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["replacing", "write_whole"]


def write_whole(path: Path, text: str) -> None:
    """Write a text as UTF-8, in place of what may be there. Its folder has to be there.

    Raises:
        OSError: It cannot be written.
    """
    with replacing(path) as draft:
        draft.write_text(text, encoding="utf-8", errors="replace")  # half surrogates, of strangers


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside the one that is wanted, which takes its place at the end; if anything fails, it is removed.

    Raises:
        OSError: It cannot be made, or not be moved.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        draft.chmod(0o644)
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise

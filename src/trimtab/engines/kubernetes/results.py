"""The documents of a run, fetched from its pod before it may go."""

from pathlib import Path

from servo.kubernetes import Client
from trimtab.engines.kubernetes.pods import KEEPER, RESULTS
from trimtab.engines.leavings import LEAVINGS_LIMIT

__all__ = ["DOCUMENTS", "fetch"]

DOCUMENTS = ("result", "hwinfo")
"""What the wrapper of a run leaves; nothing else is fetched."""
_PIECE = 8 * 1024 * 1024
_TIMEOUT = 60.0
_READ = 'test -f "$0" && test ! -L "$0" && tail -c "+$1" "$0" | head -c "$2"'


async def fetch(client: Client, pod: str, directory: Path) -> tuple[str, ...]:
    """Fetch what a run left into a directory.

    Args:
        client: The cluster.
        pod: Its name; its keeper still runs.
        directory: Of this machine.

    Returns:
        What was left there, in plain words.

    Raises:
        KubernetesError: They cannot be had.
    """
    notes, left = [], LEAVINGS_LIMIT
    for name in DOCUMENTS:
        size = await _fetch(client, pod, name, directory / name, left)
        left -= size
        if left <= 0:
            (directory / name).unlink()
            notes.append(
                f"{name!r} was left out of the results: it exceeds the limit of what a run may leave"
            )
            break
    return tuple(notes)


async def _fetch(client: Client, pod: str, name: str, target: Path, limit: int) -> int:
    """Write a file, at most so many bytes of it; how many there were."""
    size = 0
    while size < limit:
        piece = await _piece(client, pod, f"{RESULTS}/{name}", size)
        if piece is None:
            return 0
        with target.open("ab" if size else "wb") as file:
            file.write(piece)
        size += len(piece)
        if len(piece) < _PIECE:
            break
    return size


async def _piece(client: Client, pod: str, path: str, offset: int) -> bytes | None:
    command = ["/bin/sh", "-c", _READ, path, str(offset + 1), str(_PIECE)]
    done = await client.exec(pod, command, container=KEEPER, timeout=_TIMEOUT)
    return done.stdout if done.exit_code == 0 else None

"""The file with the result: where it goes is opened before the script runs, and it appears at once and whole.

A script of the same user can change everything in that directory while it runs. So what lies in the way at the end is
moved aside; and some room is held, for a script can also fill the disk.
"""

import posix

from trimtab.inspection.hwinfo.paths import abspath, basename, dirname, make

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_ROOM = 256 * 1024


class Place:
    """A file to be written once.

    Args:
        path: The file; its directory is made, if there is none.

    Raises:
        OSError: The directory cannot be had.
    """

    def __init__(self, path: str) -> None:
        whole = abspath(path)
        directory, self._name = dirname(whole), basename(whole)
        make(directory)
        self._directory = posix.open(directory, posix.O_RDONLY | posix.O_DIRECTORY | posix.O_CLOEXEC)
        self._partial = f".{self._name}.{posix.getpid()}.{posix.urandom(8).hex()}"
        self._room = -1

    def hold_room(self) -> None:
        """See that it can be written, and keep some room on the disk until then, where that is possible.

        Raises:
            OSError: Nothing can be written there.
        """
        self._room = self._create()
        posix.unlink(self._partial, dir_fd=self._directory)
        try:
            # Written, not allocated: the file system counts it all the same, and need not take blocks back at the end,
            # for which one that discards takes milliseconds.
            posix.write(self._room, bytes(_ROOM))
        except OSError:
            return

    def write(self, pieces: "Iterable[bytes]") -> None:
        """Write, and put in the place of what is there.

        Raises:
            OSError: It cannot be written; nothing of it is left.
        """
        self._let_room_go()
        try:
            self._fill(pieces)
            self._move()
        except OSError:
            self._discard()
            raise

    def _fill(self, pieces: "Iterable[bytes]") -> None:
        try:
            number = self._create()
        except OSError:
            number = self._create_in_spite()
        with open(number, "wb", buffering=65536) as file:
            for piece in pieces:
                file.write(piece)

    def _create_in_spite(self) -> int:
        """The directory is ours perhaps, whatever the script has made of its mode."""
        if posix.fstat(self._directory).st_uid == posix.geteuid():
            posix.fchmod(self._directory, 0o755)
        return self._create()

    def _create(self) -> int:
        flags = posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL | posix.O_CLOEXEC
        return posix.open(self._partial, flags, 0o644, dir_fd=self._directory)

    def _move(self) -> None:
        try:
            self._rename(self._partial, self._name)
        except OSError:  # a directory in its place
            self._rename(self._name, self._name + ".in-the-way-" + self._partial[-8:])
            self._rename(self._partial, self._name)

    def _rename(self, source: str, target: str) -> None:
        posix.rename(source, target, src_dir_fd=self._directory, dst_dir_fd=self._directory)

    def _let_room_go(self) -> None:
        if self._room >= 0:
            posix.close(self._room)
            self._room = -1

    def _discard(self) -> None:
        try:
            posix.unlink(self._partial, dir_fd=self._directory)
        except OSError:
            return

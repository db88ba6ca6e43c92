"""The Python that a run had, and the packages installed in it, read off the file system: no Python is started for it."""

import posix
import sys

from trimtab.inspection.hwinfo.machine import Machine, pairs
from trimtab.inspection.hwinfo.paths import abspath, basename, dirname, isdir, realpath

_MOST = 10_000
_ENDINGS = (".dist-info", ".egg-info")


class Python:
    """An interpreter.

    Args:
        path: The file that is executed.

    Attributes:
        resolved: The file behind all symbolic links.
        version: `3.11.7`, or only `3.11` where no more can be seen; None if nothing can.
        source: Where the version was seen.
        directories: Where its packages are.
    """

    def __init__(self, path: str, home: "str | None" = None, machine: "Machine | None" = None) -> None:
        self.path = path
        self.resolved = realpath(path)
        self._machine = machine or Machine()
        self._prefix = dirname(dirname(abspath(path)))
        self._base = dirname(dirname(self.resolved))
        self._settings = pairs(self._machine.lines(self._prefix + "/pyvenv.cfg", 65536), "=")
        self.version, self.source = self._seen()
        self.directories = [place for place in self._places(home) if isdir(place)]

    @property
    def minor(self) -> "str | None":
        """`3.11`."""
        return ".".join(self.version.split(".")[:2]) if self.version else None

    def _seen(self) -> "tuple[str | None, str | None]":
        told = self._settings.get("version") or self._settings.get("version_info")
        if told:
            return ".".join(told.split(".")[:3]), self._prefix + "/pyvenv.cfg"
        if self.resolved == realpath(sys.executable or "/"):
            return ".".join(str(part) for part in sys.version_info[:3]), "it is also the wrapper's"
        named = basename(self.resolved).partition("3.")[2]
        if named.isdigit():
            return "3." + named, "the name of " + self.resolved
        libraries = [name for name in self._machine.names(self._base + "/lib") if name.startswith("python3.")]
        if len(libraries) == 1:
            return libraries[0][len("python") :], self._base + "/lib/" + libraries[0]
        return None, None

    def _places(self, home: "str | None") -> "list[str]":
        if not self.minor:
            return []
        if not self._settings:
            return _of_system(self._base, self.minor, home)
        found = _of_prefix(self._prefix, self.minor)
        if self._settings.get("include-system-site-packages") == "true":
            found += _of_system(self._base, self.minor, home)
        return found


def distributions(directories: "list[str]") -> "list[dict[str, str | None]]":
    """Names and versions of what is installed, by the names of the directories that installers leave.

    Names are normalised as PEP 503 says. Of two with one name the first counts, as it does for an import.
    """
    found: dict[str, str | None] = {}
    for directory in directories:
        for entry in _listing(directory):
            name, version = _read(directory, entry)
            if name and len(found) < _MOST:
                found.setdefault(name, version)
    return [{"name": name, "version": found[name]} for name in sorted(found)]


def _read(directory: str, entry: str) -> "tuple[str | None, str | None]":
    stem, dot, ending = entry.rpartition(".")
    ending = dot + ending
    if ending not in _ENDINGS or stem.startswith("~"):  # pip renames so what it is about to remove
        return None, None
    if ending == ".egg-info":
        stem = stem.partition("-py3")[0].partition("-py2")[0]
    name, _, version = stem.partition("-")
    return _normal(name), version or _told(directory + "/" + entry)


def _told(path: str) -> "str | None":
    """The version in the metadata: that of a development install is not in the name."""
    for name in ("/PKG-INFO", "/METADATA", ""):
        for line in Machine().lines(path + name, 8192):
            if line.startswith("Version:"):
                return line.partition(":")[2].strip()
    return None


def _normal(name: str) -> str:
    parts = name.lower().replace("_", "-").replace(".", "-").split("-")
    return "-".join(part for part in parts if part)


def _listing(directory: str) -> "list[str]":
    try:
        return posix.listdir(directory)
    except OSError:
        return []


def _of_prefix(prefix: str, minor: str) -> "list[str]":
    return [f"{prefix}/{lib}/python{minor}/site-packages" for lib in ("lib", "lib64")]


def _of_system(prefix: str, minor: str, home: "str | None") -> "list[str]":
    """Where a Python of the system looks, Debian's and Red Hat's ways included, a user's own packages first."""
    places = [f"{home}/.local/lib/python{minor}/site-packages"] if home else []
    if prefix == "/usr":
        places += [f"/usr/local/lib/python{minor}/dist-packages", *_of_prefix("/usr/local", minor)]
        places += ["/usr/lib/python3/dist-packages", f"/usr/lib/python{minor}/dist-packages"]
    return places + _of_prefix(prefix, minor)

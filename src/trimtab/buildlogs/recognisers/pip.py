"""pip, 18 to current: what it collects, from where, and what of it is installed."""

import re
from typing import Final

from trimtab.buildlogs.classes import FailureClass as F
from trimtab.buildlogs.findings import Install, Requirement
from trimtab.buildlogs.names import artifact_identity, normalised, requirement, split_installed
from trimtab.buildlogs.recogniser import Channel, Line, Recogniser, sign

__all__ = ["Pip"]

_CHAIN: Final = re.compile(r" \(from (.*)\)$")
_URL: Final = re.compile(r"\s(?:from|@)\s+(\S+)$")
_ARTIFACT: Final = re.compile(r"(?:Downloading|Using cached) (\S+)(?: \(([\d.]+ ?[A-Za-z]*)\))?$")
_SATISFIED: Final = re.compile(
    r"Requirement already (?:satisfied|up-to-date)(?: \([^)]*\))?: (\S+(?: ?[<>=!~]=? ?[^ ]+)*) in (.+?)(?: \(from (.*?)\))?(?: \([^)]*\))?$"
)
_VERSION: Final = re.compile(
    r"using pip version ([\d.]+)|^Using pip ([\d.]+) from |release of pip available: ([\d.]+) ->|release of pip is available: ([\d.]+) ->|^pip ([\d.]+) from |lib/python3[\d.]*/site-packages/pip-([\d.]+)\.dist-info"
)
_VCS: Final = re.compile(
    r"(?:git|hg|svn|bzr)\+[a-z+]+://\S*?([\w.-]+?)(?:\.git)?(?:@([\w.-]+))?(?:#(?:\S*&)?egg=([\w.-]+)\S*)?$"
)
_BUILT: Final = re.compile(
    r"(?:Building wheel for|Running setup\.py (?:install|bdist_wheel|clean) for|Building editable for) ([\w.-]+)"
)
_OPEN: Final = 5000
_STATUS: Final = re.compile(r"finished with status '(\w+)'$")
_NAME: Final = r"[A-Za-z0-9][\w.-]{0,200}"


class Pip(Recogniser):
    """pip."""

    tool = "pip"
    starts = {
        "Collecting ": "collecting", "Downloading": "artifact", "Using cached ": "artifact", "Requirement already": "satisfied", "Successfully installed ": "done",
        "Installing collected packages:": "installing", "Building wheel for": "building",
        "Building editable for": "building", "Running setup.py": "building", "Processing": "processing", "Obtaining": "processing",
        "pip": "version", "You": "version", "WARNING:": "version", "[notice]": "version", "Looking in ": "looking", "Getting": "preparing",
        "Preparing": "preparing", "Installing build dependencies:": "requiring", "Using pip ": "version", "╰─>": "boxed", "Failed to build ": "not_built",
        "Cannot install ": "conflicting", "ERROR: ": "error",
    }  # fmt: skip
    signs = (
        sign(F.HASH_MISMATCH, "DO NOT MATCH THE HASHES"),
        sign(F.LOCK, "Hashes are required in --require-hashes mode"),
        sign(F.NO_PACKAGE, "Could not find a version that satisfies", r"requirement (?P<requirement>\S+).*\(from versions: (?:none)?\)"),
        sign(F.NO_VERSION, "Could not find a version that satisfies", r"requirement (?P<requirement>\S+)"),
        sign(F.NO_VERSION, "No matching distribution found", r"found for (?P<requirement>\S+)"),
        sign(F.CONFLICT, "ResolutionImpossible"),
        sign(F.CONFLICT, "conflicting dependencies", r"^(?:ERROR: )?Cannot install (?P<requirement>[^\s,]+).*conflicting dependencies"),
        sign(F.CONFLICT, ("which is incompatible.", "which is not installed."), rf"^(?:ERROR: )?(?P<package>{_NAME}) (?P<version>\S+) (?:has requirement|requires) ", passing=True),
        sign(F.CONFLICT, "Double requirement given", r"given: (?P<requirement>\S+)"),
        sign(F.UNINSTALL, ("Cannot uninstall", "Can't uninstall"), rf"(?:Cannot|Can't) uninstall '?(?P<package>{_NAME}?)(?: (?P<version>\d[\w.]*))?'?(?:\.|,|$| )"),
        sign(F.UNINSTALL, "uninstall-no-record-file"),
        sign(F.MANAGED, "externally-managed-environment", r"^error: externally-managed-environment"),
        sign(F.INTERPRETER, "requires a different Python", rf"(?:Package '|ERROR: )?(?P<package>{_NAME})'? requires a different Python"),
        sign(F.INTERPRETER, ("Requires-Python", "require a different python version"), r"Ignored the following versions that require a different python", passing=True),
        sign(F.INTERPRETER, "requires Python '", rf"(?P<package>{_NAME}) requires Python '"),
        sign(F.PLATFORM, "is not a supported wheel on this platform", rf"(?P<package>{_NAME}?)-(?P<version>\d[^-]*)-\S+\.whl is not a supported"),
        sign(F.BUILD_DEPENDENCY, "BackendUnavailable", r"\bBackendUnavailable(?:$|:(?! Traceback))"),
        sign(F.BUILD_DEPENDENCY, "setuptools is not available in the build environment"),
        sign(F.BUILD_DEPENDENCY, "Cannot import '", r"(?:BackendUnavailable:|^) ?Cannot import '"),
        sign(F.BUILD_DEPENDENCY, ("pip subprocess to install build dependencies", "installing build dependencies for")),
        sign(F.PACKAGE_BUILD, "metadata-generation-failed"),
        sign(F.PACKAGE_BUILD, "subprocess-exited-with-error"),
        sign(F.KILLED, ("Command errored out with exit status -9", "failed with error code -9")),
        sign(F.TERMINATED, ("Command errored out with exit status -15", "failed with error code -15")),
        sign(F.ARCHIVE, " is invalid.", rf"^ERROR: Wheel '(?P<package>{_NAME})' located at .* is invalid\."),
        sign(F.ARCHIVE, "BadZipFile:", r"^(?:\w+\.)*BadZipFile:"),
        sign(F.CONNECTION, "error: incomplete-download", r"^error: incomplete-download"),
        sign(F.PACKAGE_BUILD, "Command errored out with exit status"),
        sign(F.PACKAGE_BUILD, " exited with ", r"^ERROR: (?:Getting requirements to build|Preparing|Building) .* exited with \d+$"),
        sign(F.PACKAGE_BUILD, "failed with error code", rf"Command \".*\" failed with error code \d+(?: in /\S*/(?P<package>{_NAME})/?$)?"),
        # The next ways to build it are tried after this, so it alone fails nothing.
        sign(F.PACKAGE_BUILD, "Failed building wheel for", rf"for (?P<package>{_NAME})", level=None),
        sign(F.PACKAGE_BUILD, "Could not build wheels for", rf"for (?P<package>{_NAME})"),
        sign(F.PACKAGE_BUILD, "failed-wheel-build-for-install"),
        sign(F.INSTALLER, ("Exception:", "Could not install packages due to an"), r"^(?:ERROR: )?(?:Exception:$|Could not install packages)"),
        sign(F.INSTALLER, "Could not open requirements file"),
        sign(F.INSTALLER, "Invalid requirement:", r"^(?:ERROR: )?Invalid requirement:"),
    )  # fmt: skip

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self._wanted: dict[str, Requirement] = {}

    def collecting(self, line: Line) -> None:
        """`Collecting six>=1 (from a->b)`, `Collecting torch==0.3 from https://…`."""
        text = line.text[len("Collecting ") :]
        chain = _CHAIN.search(text)
        text = text[: chain.start()] if chain else text
        name, specifier, version = self._what(text)
        if not name:
            return
        self.findings.tool("pip")
        self._going_on()
        self.channel.collect(name, version, line.number)
        wanted = Requirement(name, specifier, _chain(chain[1] if chain else None))
        self.findings.add(self.findings.requirements, wanted)
        if len(self._wanted) < _OPEN:
            self._wanted[normalised(name)] = wanted

    def _what(self, text: str) -> tuple[str, str | None, str | None]:
        vcs = _VCS.match(text)
        if vcs:
            # As the old handler did: the branch is what there is of a version.
            return vcs[3] or vcs[1], None, vcs[2] or "master"
        return requirement(_URL.sub("", text)) if "://" not in text.partition(" ")[0] else _of_url(text)

    def _going_on(self) -> None:
        """The network came back, or it would not go on."""
        for error in self.channel.open_errors():
            error.recovered = error.recovered or (error.passing and error.failure.kind == "network")

    def artifact(self, line: Line) -> None:
        """`Downloading six-1.16.0-py2.py3-none-any.whl (11 kB)`; what is before 19 a URL, since 23 also `….metadata`."""
        found = _ARTIFACT.match(line.text)
        if not found:
            return
        file, size = found[1], found[2]
        metadata = file.endswith(".metadata")
        file = file.removesuffix(".metadata")
        identity = artifact_identity(file)
        entry = self._entry(identity)
        if entry is None:
            return
        self._going_on()
        entry.artifact, entry.size = file, None if metadata else size
        entry.wheel = file.partition("#")[0].endswith(".whl")
        entry.version = entry.version or (identity[1] if identity else None)
        self.channel.package = (entry.name, entry.version)
        self._of_requirement(entry.name, file, size)

    def _entry(self, identity: tuple[str, str] | None) -> Install | None:
        if identity and (pending := self.channel.pending.get(normalised(identity[0]))):
            return pending
        return self.channel.entry

    def _of_requirement(self, name: str, file: str, size: str | None) -> None:
        wanted = self._wanted.get(normalised(name))
        if wanted is not None:
            wanted.artifact = (file, size)

    def satisfied(self, line: Line) -> None:
        """`Requirement already satisfied: six>=1 in /usr/lib/… (from a)`: nothing is installed, and nothing is open."""
        found = _SATISFIED.match(line.text)
        if not found:
            return
        name, specifier, _ = requirement(found[1])
        self.findings.tool("pip")
        progress = self.channel.installer
        progress.succeeded = line.number if progress.succeeded >= progress.begun else progress.succeeded
        if self.channel.entry is not None:
            self.channel.close(line, inclusive=False)
        self.findings.add(
            self.findings.requirements, Requirement(name, specifier, _chain(found[3]), satisfied=found[2])
        )

    def installing(self, line: Line) -> None:
        """`Installing collected packages: a, b`: what is said from here on is of all of them."""
        if not line.text.startswith("Installing collected packages:"):
            return
        self.findings.tool("pip")
        names = line.text.partition(": ")[2].split(", ")
        if len(names) > 1:
            self.channel.close(line, inclusive=False)
            self.channel.package = None
        self.channel.installer.begun = line.number

    def done(self, line: Line) -> None:
        """`Successfully installed a-1 b-2`."""
        if not line.text.startswith("Successfully installed "):
            return
        self.findings.tool("pip")
        names = set()
        for each in line.text.split()[2:]:
            name, version = split_installed(each)
            names.add(normalised(name))
            self.channel.installed(name, version or None, line.number)
            if wanted := self._wanted.get(normalised(name)):
                wanted.installed = version
        self.channel.pending.clear()
        self._wanted.clear()
        self.channel.succeeded(names, line)

    def building(self, line: Line) -> None:
        """`Building wheel for keel (setup.py): finished with status 'error'`."""
        found = _BUILT.match(line.text)
        if not found:
            return
        entry = self.channel.pending.get(normalised(found[1]))
        self.channel.package = (found[1], entry.version if entry else None)
        status = _STATUS.search(line.text)
        if status and status[1] == "error":
            self.channel.fail(F.PACKAGE_BUILD, line, package=found[1])
            self.channel.installer.failed = line.number

    def preparing(self, line: Line) -> None:
        """`Preparing metadata (pyproject.toml): finished with status 'error'`."""
        status = _STATUS.search(line.text)
        if status and status[1] == "error":
            self.channel.fail(F.PACKAGE_BUILD, line)
            self.channel.installer.failed = line.number

    def requiring(self, line: Line) -> None:
        """`Installing build dependencies: finished with status 'error'`."""
        status = _STATUS.search(line.text)
        if status and status[1] == "error":
            self.channel.fail(F.BUILD_DEPENDENCY, line)
            self.channel.installer.failed = line.number

    def boxed(self, line: Line) -> None:
        """`╰─> keel`: which packages a box of an error is about."""
        name, _, version = requirement(line.text[len("╰─>") :].strip())
        last = self.findings.errors[-1] if self.findings.errors else None
        if (
            last
            and last.channel == self.channel.name
            and last.package is None
            and name
            and " " not in line.text[4:].strip()
        ):
            last.package, last.version = name, version

    def not_built(self, line: Line) -> None:
        """`Failed to build keel whale`, at the end of what was built."""
        if not line.text.startswith("Failed to build ") or self.channel.package is None:
            return
        for name in line.text.split()[3:]:
            if normalised(name) in self.channel.pending:
                self.channel.not_installed(name, None, line.number)

    def error(self, line: Line) -> None:
        """What pip says when it gives up."""
        text = line.text.removeprefix("ERROR: ")
        if text.startswith("Cannot install "):
            self._conflict(line, text)
        elif text.startswith("Could not find a version") and "(from versions: " in text:
            self._versions(text)

    def conflicting(self, line: Line) -> None:
        """The same, as versions before 19 wrote it."""
        self._conflict(line, line.text)

    def _conflict(self, line: Line, text: str) -> None:
        """`Cannot install anchor==1.1 and buoy==3.0 because …`: none of them is installed."""
        names, because, _ = text.removeprefix("Cannot install ").partition(" because these package versions")
        if because:
            for each in re.split(r", | and ", names):
                name, _, version = requirement(each)
                if name and not each.startswith("-"):
                    self.channel.not_installed(name, version, line.number)

    def _versions(self, text: str) -> None:
        """`(from versions: 0.5)`: the index answered."""
        if not text.rpartition("(from versions: ")[2].startswith(("none)", ")")):
            self._going_on()

    def processing(self, line: Line) -> None:
        """`Processing ./lab`: a package from a directory; its name comes with what is installed."""
        if line.text.startswith(("Processing /", "Processing ./", "Obtaining ")):
            self.findings.tool("pip")
            self.channel.installer.begun = line.number

    def looking(self, line: Line) -> None:
        """`Looking in indexes: …`: pip begins."""
        if line.text.startswith(("Looking in indexes:", "Looking in links:")):
            self.findings.tool("pip")
            self.channel.installer.begun = line.number

    def version(self, line: Line) -> None:
        """What tells pip's own version."""
        found = _VERSION.search(line.text)
        if found:
            self.findings.tool("pip", next(filter(None, found.groups())))


def _of_url(text: str) -> tuple[str, str | None, str | None]:
    found = artifact_identity(text.partition(" ")[0])
    return (found[0], None, found[1]) if found else ("", None, None)


def _chain(text: str | None) -> list[tuple[str, str | None]] | None:
    """What asked for it, from the nearest: `b<2->a->-r requirements.txt (line 1)`."""
    parts = [each for each in (text or "").split("->") if not each.startswith(("-r ", "-c "))]
    named = [requirement(each)[:2] for each in parts if each]
    return [(name, specifier) for name, specifier in named if name] or None

"""A policy of licences."""

import io
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.parser import HeaderParser

from trimtab.stacks.exclusion import Exclusion
from trimtab.stacks.release import File, Release
from trimtab.stacks.releases import Releases
from trimtab.stacks.sieves.licence_expression import Answer, evaluate
from trimtab.stacks.stack import Stack
from trimtab.stacks.target import Target

__all__ = ["LicenceSieve", "licence_of"]

METADATA_LIMIT = 4 * 1024 * 1024
WHEEL_LIMIT = 32 * 1024 * 1024
_SHOWN = 80
_ID = re.compile(r"[A-Za-z0-9.+-]{2,40}")
_CLASSIFIER = "License :: OSI Approved :: "
# The classifiers that mean one licence; "BSD License" and "Apache Software License" name a family.
_CLASSIFIERS = {
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v2 (LGPLv2)": "LGPL-2.0-only",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    "The Unlicense (Unlicense)": "Unlicense",
    "Python Software Foundation License": "PSF-2.0",
    "zlib/libpng License": "Zlib",
}


@dataclass(frozen=True)
class LicenceSieve:
    """Keeps out what a policy does not allow.

    A licence is read from a release's metadata: its `License-Expression`, else a `License` that is an identifier, else
    its classifiers. Only stacks are asked for, not releases: for each the metadata has to be fetched.

    Args:
        target: Which wheel is read.
        releases: Where the metadata is.
        allow: SPDX identifiers that are allowed, as `MIT` or with a star at the end as `GPL-*`; empty: all but the denied.
        deny: Those that are not. They win.
        unknown: Whether a package whose licence nobody knows is allowed.
    """

    target: Target
    releases: Releases
    allow: frozenset[str] = frozenset()
    deny: frozenset[str] = frozenset()
    unknown: bool = True
    name: str = "licence"
    _read: dict[tuple[str, str], str | None] = field(default_factory=dict, repr=False, compare=False)

    def release(self, release: Release) -> str | None:
        """Nothing: it would take a request for each release."""
        del release
        return None

    async def stack(self, stack: Stack) -> Exclusion | None:
        """Which of its packages has a licence that is not allowed."""
        for name, version in stack.pins.items():
            licence = await self._licence(name, version)
            answer = evaluate(licence, self._answer) if licence else Answer.UNKNOWN
            if answer is Answer.DENIED or (answer is Answer.UNKNOWN and not self.unknown):
                return Exclusion(self.name, {name: version}, _reason(licence, answer))
        return None

    def _answer(self, licence: str) -> Answer:
        if _matches(licence, self.deny):
            return Answer.DENIED
        if not self.allow:
            return Answer.ALLOWED
        return Answer.ALLOWED if _matches(licence, self.allow) else Answer.DENIED

    async def _licence(self, name: str, version: str) -> str | None:
        key = (name, version)
        if key not in self._read:
            release = await self.releases.find(name, version)
            text = await self._metadata(release) if release else None
            self._read[key] = licence_of(text) if text else None
        return self._read[key]

    async def _metadata(self, release: Release) -> str | None:
        for file in release.wheels(self.target):
            if file.metadata:
                content = await self.releases.fetch(_metadata_url(file), METADATA_LIMIT)
            else:
                wheel = await self.releases.fetch(file.url, WHEEL_LIMIT)
                content = _of_wheel(wheel) if wheel else None
            if content is not None:
                return content.decode(errors="replace")
        return None


def licence_of(metadata: str) -> str | None:
    """The licence in a package's core metadata, as an expression; None if it has none that can be understood."""
    headers = HeaderParser().parsestr(metadata)
    if expression := headers.get("License-Expression"):
        return " ".join(str(expression).split())
    text = str(headers.get("License") or "").strip()
    if _ID.fullmatch(text):
        return text
    found = [
        _CLASSIFIERS[each.removeprefix(_CLASSIFIER)]
        for each in map(str, headers.get_all("Classifier") or ())
        if each.removeprefix(_CLASSIFIER) in _CLASSIFIERS
    ]
    # Several classifiers may be a choice or a heap; the stricter reading is the safe one.
    return " AND ".join(dict.fromkeys(found)) or None


def _reason(licence: str | None, answer: Answer) -> str:
    if answer is Answer.DENIED:
        return f"its licence {(licence or '')[:_SHOWN]} is not allowed"
    return f"its licence {licence[:_SHOWN]!r} cannot be read" if licence else "nobody knows its licence"


def _matches(licence: str, patterns: Iterable[str]) -> bool:
    lowered = (each.lower() for each in patterns)
    return any(licence.startswith(each[:-1]) if each.endswith("*") else licence == each for each in lowered)


def _metadata_url(file: File) -> str:
    return f"{file.url.partition('#')[0]}.metadata"


def _of_wheel(content: bytes) -> bytes | None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [each for each in archive.namelist() if each.endswith(".dist-info/METADATA")]
            if not names:
                return None
            with archive.open(names[0]) as file:
                return file.read(METADATA_LIMIT)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError):
        return None

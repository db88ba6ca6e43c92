"""The report as files."""

import json
from dataclasses import dataclass
from pathlib import Path

from trimtab.pages import write_whole
from trimtab.stacks.answers.document import Answers
from trimtab.stacks.locking import LockFile
from trimtab.stacks.report.page import Heading, render

__all__ = ["Written", "write"]


@dataclass(frozen=True)
class Written:
    """Where a report is.

    Attributes:
        html: The page.
        json: The answers.
        lock: The lock to ship; None: there is none.
    """

    html: Path
    json: Path
    lock: Path | None


def write(answers: Answers, heading: Heading, folder: Path, lock: LockFile | None = None) -> Written:
    """Write `report.html`, `report.json` and the lock to a folder, which is made if it is not there.

    Raises:
        OSError: It cannot be written.
    """
    page = render(answers, heading, lock)
    facts = {
        "title": heading.title,
        "question": heading.question,
        "facts": dict(heading.facts),
        "ended": heading.ended,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / lock.name if lock else None
    written = Written(folder / "report.html", folder / "report.json", path)
    document = {**facts, **answers.document(), "lock": lock.name if lock else None}
    write_whole(written.json, json.dumps(document, indent=2) + "\n")
    if lock and path:
        write_whole(path, lock.text)
    write_whole(written.html, page)
    return written

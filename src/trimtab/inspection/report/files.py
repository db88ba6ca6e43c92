"""The report as files."""

import json
from dataclasses import dataclass
from pathlib import Path

from trimtab.inspection.report.model import Report
from trimtab.inspection.report.page import render
from trimtab.pages import write_whole

__all__ = ["Written", "write"]


@dataclass(frozen=True, slots=True)
class Written:
    """Where a report is."""

    html: Path
    json: Path


def write(report: Report, folder: Path) -> Written:
    """Write `report.html` and `report.json` to a folder, which is made if it is not there.

    Raises:
        OSError: It cannot be written.
    """
    page = render(report)
    folder.mkdir(parents=True, exist_ok=True)
    written = Written(folder / "report.html", folder / "report.json")
    write_whole(written.json, json.dumps(report.document, indent=2, ensure_ascii=False) + "\n")
    write_whole(written.html, page)
    return written

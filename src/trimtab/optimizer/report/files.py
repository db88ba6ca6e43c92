"""The report as files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trimtab.optimizer.report.model import read
from trimtab.optimizer.report.page import render
from trimtab.pages import write_whole

__all__ = ["Written", "write"]


@dataclass(frozen=True, slots=True)
class Written:
    """Where a report is."""

    html: Path
    json: Path


def write(document: Mapping[str, Any], folder: Path) -> Written:
    """Write `report.html` and `report.json` to a folder, which is made if it is not there.

    Args:
        document: As `trimtab sessions export` writes it; `machine` may be added, see `machine_card`.
        folder: Where to.

    Raises:
        ReportError: The document is not one of a session.
        OSError: It cannot be written.
    """
    page = render(read(document))
    folder.mkdir(parents=True, exist_ok=True)
    written = Written(folder / "report.html", folder / "report.json")
    write_whole(written.json, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    write_whole(written.html, page)
    return written

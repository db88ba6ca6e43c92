"""Inspections as data frames: flat columns, a row for each run or each inspection; and what to make of them."""

from trimtab.frames.spool import MAX_COLUMNS, Spool
from trimtab.inspection.frames.analysis import PackageVersions, package_versions, summary
from trimtab.inspection.frames.rows import Per, Refused, rows
from trimtab.inspection.frames.table import frame

__all__ = [
    "MAX_COLUMNS",
    "PackageVersions",
    "Per",
    "Refused",
    "Spool",
    "frame",
    "package_versions",
    "rows",
    "summary",
]

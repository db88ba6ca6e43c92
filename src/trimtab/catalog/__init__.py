"""The relational memory: tables, migrations, queries."""

from trimtab.catalog.analyses import AnalysisKind, AnalysisState
from trimtab.catalog.campaigns import CampaignState
from trimtab.catalog.database import Database
from trimtab.catalog.errors import CatalogError, DatabaseURLError, MigrationError, UnavailableError
from trimtab.catalog.hardware import hardware_digest
from trimtab.catalog.inspection_filter import Wanted
from trimtab.catalog.inspection_rows import specification_digest
from trimtab.catalog.recording import (
    Documents,
    RunDocuments,
    accept,
    advance,
    forget_run,
    record,
    record_run,
)
from trimtab.catalog.stacks import Package, packages_of, stack_digest
from trimtab.catalog.states import TERMINAL, InspectionState, RunState

__all__ = [
    "TERMINAL",
    "AnalysisKind",
    "AnalysisState",
    "CampaignState",
    "CatalogError",
    "Database",
    "DatabaseURLError",
    "Documents",
    "InspectionState",
    "MigrationError",
    "Package",
    "RunDocuments",
    "RunState",
    "UnavailableError",
    "Wanted",
    "accept",
    "advance",
    "forget_run",
    "hardware_digest",
    "packages_of",
    "record",
    "record_run",
    "specification_digest",
    "stack_digest",
]

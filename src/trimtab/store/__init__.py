"""Documents and blobs on object storage: a directory or an S3 server, the same keys."""

from trimtab.store.adapter import DocumentStore
from trimtab.store.analyses import (
    AnalysesCacheStore,
    AnalysisByDigest,
    AnalysisResultsStore,
    BuildLogsAnalysesCacheStore,
    BuildLogsParsedResultsStore,
    BuildLogsStore,
    BuildsStore,
    ObservationResultsStore,
    buildlog_id,
)
from trimtab.store.campaigns import CampaignsStore
from trimtab.store.check import check
from trimtab.store.documents import decode, encode
from trimtab.store.errors import (
    AccessError,
    BucketError,
    CacheMissError,
    DocumentError,
    FullError,
    InvalidKeyError,
    NotFoundError,
    ReadOnlyError,
    StoreError,
    StoreURLError,
    TooLargeError,
    UnavailableError,
    UnreachableError,
)
from trimtab.store.finding import Finding
from trimtab.store.inspection import InspectionStore
from trimtab.store.inspection_parts import InspectionBuildsStore, InspectionResultsStore
from trimtab.store.inspections import Inspections
from trimtab.store.loader import copy_inspection, load_inspections
from trimtab.store.report import BuildReport, FailureReport, Report, RunReport, engine_of
from trimtab.store.results import DependencyMonkeyReportsStore, DependencyMonkeyRequestsStore, ResultStore
from trimtab.store.store import Entry, Store

__all__ = [
    "AccessError",
    "AnalysesCacheStore",
    "AnalysisByDigest",
    "AnalysisResultsStore",
    "BucketError",
    "BuildLogsAnalysesCacheStore",
    "BuildLogsParsedResultsStore",
    "BuildLogsStore",
    "BuildReport",
    "BuildsStore",
    "CacheMissError",
    "CampaignsStore",
    "DependencyMonkeyReportsStore",
    "DependencyMonkeyRequestsStore",
    "DocumentError",
    "DocumentStore",
    "Entry",
    "FailureReport",
    "Finding",
    "FullError",
    "InspectionBuildsStore",
    "InspectionResultsStore",
    "InspectionStore",
    "Inspections",
    "InvalidKeyError",
    "NotFoundError",
    "ObservationResultsStore",
    "ReadOnlyError",
    "Report",
    "ResultStore",
    "RunReport",
    "Store",
    "StoreError",
    "StoreURLError",
    "TooLargeError",
    "UnavailableError",
    "UnreachableError",
    "buildlog_id",
    "check",
    "copy_inspection",
    "decode",
    "encode",
    "engine_of",
    "load_inspections",
]

"""What a table of inspections says of packages and layers: the two questions of the original's notebooks that need no plot."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["LAYERS", "PackageVersions", "package_versions", "summary"]

PACKAGE = "package__"
LAYERS: Mapping[str, tuple[str, ...]] = {
    "hardware": ("hardware", "hwinfo__cpu_info__", "hwinfo__cpu_type__ncpus", "hwinfo__platform__", "flag__"),
    "base": ("specification_base", "os_release__", "specification_run_", "runtime_environment__"),
    "stack": (PACKAGE,),
    "indicator": ("stdout__name", "stdout__component", "stdout__@parameters__", "script_sha256"),
    "outcome": ("inspection_state", "inspection_failure", "run_state", "exit_code"),
}
"""Beginnings of the names of a layer's columns."""


@dataclass(frozen=True, slots=True)
class PackageVersions:
    """The versions of one package.

    Args:
        succeeded: In inspections that succeeded.
        failed: In such as failed.
        only_failed: In none that succeeded: suspects.
        common: In both.
    """

    succeeded: tuple[str, ...]
    failed: tuple[str, ...]
    only_failed: tuple[str, ...]
    common: tuple[str, ...]


def package_versions(table: "pa.Table") -> dict[str, PackageVersions]:
    """Which versions of each package were in stacks that succeeded, and which in stacks that failed.

    Failures of the infrastructure, and what was cancelled, say nothing of a stack, and do not count.

    Args:
        table: Of `frame`, with a row for each inspection or each run.
    """
    names = [each for each in table.column_names if each.startswith(PACKAGE)]
    told = ("inspection_state", "inspection_failure")
    rows = table.select([*(each for each in told if each in table.column_names), *names]).to_pylist()
    good = [row for row in rows if row["inspection_state"] == "succeeded"]
    bad = [row for row in rows if _is_of_stack(row)]
    return {name.removeprefix(PACKAGE): _versions(name, good, bad) for name in sorted(names)}


def summary(table: "pa.Table") -> dict[str, dict[str, list[Any]]]:
    """The different values of each column, by layer: what a set of inspections varies, and what it holds.

    Args:
        table: Of `frame`.
    """
    return {
        layer: {
            name: _unique(table.column(name).to_pylist())
            for name in table.column_names
            if name.startswith(beginnings)
        }
        for layer, beginnings in LAYERS.items()
    }


def _is_of_stack(row: Mapping[str, Any]) -> bool:
    failed = row["inspection_state"] in {"failed", "build_failed"}
    return failed and row.get("inspection_failure") != "infrastructure"


def _versions(name: str, good: list[dict[str, Any]], bad: list[dict[str, Any]]) -> PackageVersions:
    succeeded, failed = ({row[name] for row in rows if row[name] is not None} for rows in (good, bad))
    parts = (succeeded, failed, failed - succeeded, failed & succeeded)
    return PackageVersions(*(tuple(sorted(each, key=_release)) for each in parts))


def _release(version: str) -> tuple[bool, Any]:
    """Versions in their order; what is none comes first."""
    from packaging.version import InvalidVersion, Version

    try:
        return True, Version(version)
    except InvalidVersion:
        return False, version


def _unique(values: list[Any]) -> list[Any]:
    found = {each for each in values if each is not None}
    return sorted(found, key=lambda each: (isinstance(each, str), each))

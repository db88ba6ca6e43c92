"""Campaigns as they are printed."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import typer

from trimtab.cli.inspection_output import print_document, print_rows
from trimtab.cli.place import FAILURE, NOTHING
from trimtab.cli.session_options import Output
from trimtab.pages.numbers import duration

__all__ = ["exit_code", "print_campaign", "print_campaigns"]

_DIGEST = 12
_CHANGES = 6
_LONGEST = 100
_VERDICTS = ("pass", "fail", "unknown", "open")


def exit_code(report: Mapping[str, Any]) -> int:
    """0: it is over; 1: it could not go on; 3: nothing was tried, or nothing is known of what was."""
    if report["state"] == "failed":
        return FAILURE
    counts = report["counts"]
    return 0 if counts["pass"] + counts["fail"] or report["state"] == "cancelled" else NOTHING


def print_campaigns(found: Sequence[Mapping[str, Any]]) -> None:
    """One line for each."""
    if not found:
        typer.echo("No campaigns. Begin one with `trimtab campaigns run`.")
        return
    rows = []
    for each in found:
        created = f"{datetime.fromtimestamp(each['created_at'], UTC):%Y-%m-%d %H:%M}"
        counts = [each["counts"][name] for name in _VERDICTS]
        rows.append((each["id"], each["state"], each["plan"], *counts, created, each["origin"]))
    print_rows(("CAMPAIGN", "STATE", "PLAN", "PASS", "FAIL", "UNKNOWN", "OPEN", "CREATED", "OF"), rows)


def print_campaign(report: Mapping[str, Any], output: Output) -> None:
    """What it came to, or how far it is."""
    if output is not Output.table:
        print_document(report, output)
        return
    print_rows(None, list(_facts(report)))
    if not report["candidates"]:
        return
    typer.echo()
    base = report["candidates"][0]["packages"]
    rows = [
        (
            each["number"],
            each["stack"][:_DIGEST],
            each["verdict"] or "open",
            _seconds(each),
            _differs(each["packages"], base if each["number"] > 1 else {}),
            _why(each),
        )
        for each in report["candidates"]
    ]
    print_rows(("NUMBER", "STACK", "VERDICT", "TIME", "DIFFERS FROM THE FIRST IN", "WHY"), rows)


def _facts(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    counts, space = report["counts"], report["space"]
    yield "Campaign", report["id"]
    yield "State", f"{report['state']}: {report['reason']}" if report["reason"] else report["state"]
    yield "Of", report["origin"]
    yield "Plan", f"{report['plan']}, seed {report['seed']}"
    if space:
        yield "Space", f"{space['combinations']:,} combinations of {len(space['packages'])} packages"
    told = ", ".join(f"{counts[name]} {name}" for name in _VERDICTS)
    yield "Stacks", f"{counts['candidates']}: {told}"
    yield "Inspections", str(counts["inspections"])
    yield from _conclusion(report.get("conclusion") or {})


def _conclusion(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for each in found.get("breakers", ()):
        what = " with ".join(f"{name} {version}" for name, version in each["packages"].items())
        beside = ", ".join(f"{name} {version}" for name, version in each["beside"].items())
        doubt = f"; not told apart from {beside}" if beside else ""
        yield each["symptom"].capitalize(), f"{what} (in {each['stacks']} of {each['stacks']} stacks{doubt})"
    if "pairs" in found:
        yield "Pairs", f"{found['pairs'] - found['pairs_left']} of {found['pairs']} accounted for"
        if found["unexplained"]:
            yield "Unexplained", f"{found['unexplained']} stacks"
    if "culprits" in found:
        alone = {True: "; it fails alone", False: "; alone it passes: it needs others of the bad lock"}
        yield (
            "Breaks at",
            ", ".join(" ".join(each) for each in found["culprits"]) + alone.get(found["alone"], ""),
        )
    if "newest" in found:
        yield "Newest", found["newest"]


def _seconds(candidate: Mapping[str, Any]) -> str:
    values = sorted(candidate["figures"].get("duration", ()))
    return duration(values[len(values) // 2]) if values else ""


def _why(candidate: Mapping[str, Any]) -> str:
    failure = candidate["failure"]
    return failure["message"][:_LONGEST] if failure else ""


def _differs(packages: Mapping[str, str], base: Mapping[str, str]) -> str:
    changed = [f"{name} {version}" for name, version in packages.items() if base.get(name) != version]
    more = f" and {len(changed) - _CHANGES} more" if len(changed) > _CHANGES else ""
    return ", ".join(changed[:_CHANGES]) + more

"""What a campaign came to, as a document; and its evidence, as values."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from trimtab.catalog import CampaignState, campaigns
from trimtab.stacks import Evidence, Failure, Ground, Stack, Verdict
from trimtab.stacks.ground import exclusion_document
from trimtab.workflows.campaigns.campaign import Campaign, UnknownCampaignError
from trimtab.workflows.campaigns.evidence import evidence_of
from trimtab.workflows.place import Place

__all__ = ["evidence_of_report", "report_of", "seconds_of"]

EXCLUSIONS = 1000


def report_of(place: Place, campaign: Campaign, state: CampaignState, reason: str) -> dict[str, Any]:
    """What there is of a campaign, from its rows and its inspections' documents.

    Args:
        place: Where it is kept.
        campaign: Which.
        state: In which it ends.
        reason: Why.

    Raises:
        UnknownCampaignError: There is no such campaign.
        StoreError, CatalogError: Store or database cannot be used.
    """
    with place.database.read() as connection:
        row = campaigns.by_id(connection, campaign.id)
        proposals = campaigns.proposals(connection, campaign.id)
    if row is None:
        raise UnknownCampaignError(f"there is no campaign {campaign.id}")
    tried = [each for each in proposals if each["candidate"] is not None]
    evidence = {each.stack.digest: each for each in _evidence(place, tried)}
    question, ground = campaign.question, row["ground"]
    return {
        "id": campaign.id,
        "state": state.value,
        "reason": reason,
        "owner": campaign.owner,
        "origin": question.origin,
        # Indexes may have a password in their URL.
        "question": question.model_dump(mode="json", exclude_defaults=True, exclude={"indexes"}),
        "requirements": list(question.requirements),
        "plan": str(question.plan),
        "seed": question.seed,
        "engine": campaign.engine,
        "budget": campaign.budget.model_dump(mode="json"),
        "created": _moment(campaign.created),
        "started": _moment(row["started_at"]),
        "ended": _moment(datetime.now(UTC).timestamp()),
        "target": _target(campaign),
        "space": _space(ground),
        "exclusions": _exclusions(ground, proposals),
        "proposals": _proposals(proposals),
        "counts": _counts(campaign, tried),
        "candidates": [_candidate(each, evidence.get(each["stack"])) for each in tried],
    }


def evidence_of_report(report: Mapping[str, Any]) -> list[Evidence]:
    """What a campaign's inspections showed, in the order of its candidates; without those whose verdict is open.

    Args:
        report: As `report_of` makes it. It has the packages of each stack, and no hashes of their files.
    """
    return [
        Evidence(
            Stack("".join(f"{name}=={version}\n" for name, version in each["packages"].items())),
            Verdict(each["verdict"]),
            each["inspection"],
            each["failure"] and Failure(**each["failure"]),
            {name: tuple(values) for name, values in each["figures"].items()},
            each["hardware"],
        )
        for each in report["candidates"]
        if each["verdict"] is not None
    ]


def seconds_of(moment: str) -> float:
    """Seconds since 1970 of a moment of a report."""
    return datetime.fromisoformat(moment).timestamp()


def _evidence(place: Place, tried: Sequence[campaigns.Row]) -> Iterable[Evidence]:
    for each in tried:
        if each["inspection"] is not None and each["verdict"] is not None:
            found = evidence_of(place.inspections[each["inspection"]], Stack(each["lock"]))
            if found is not None:
                yield found


def _target(campaign: Campaign) -> dict[str, Any]:
    target = campaign.question.target
    date = target.index_date
    return {
        "python": str(target.version),
        "platform": target.platform,
        "index_date": date and date.isoformat(),
    }


def _space(document: Any) -> dict[str, Any] | None:
    survey = document and Ground.load(document).survey
    if not survey:
        return None
    packages = {each.name: list(each.versions) for each in survey.space}
    return {"combinations": survey.space.size, "packages": packages}


def _exclusions(document: Any, proposals: Sequence[campaigns.Row]) -> list[dict[str, Any]]:
    survey = document and Ground.load(document).survey
    before = list(map(exclusion_document, survey.space.exclusions)) if survey else []
    found = [*before, *(exclusion for each in proposals for exclusion in each["exclusions"])]
    unique = {(each["sieve"], *sorted(each["packages"].items())): each for each in found}
    return list(unique.values())[:EXCLUSIONS]


def _proposals(proposals: Sequence[campaigns.Row]) -> dict[str, Any]:
    """What became of them: the first number is the sum of the others."""
    found = sum(each["candidate"] is not None for each in proposals)
    none = [each for each in proposals if each["stack"] is None]
    unsatisfiable = [each["refusal"] for each in none if each["refusal"] is not None]
    return {
        "proposed": len(proposals),
        "found": found,
        "unsatisfiable": len(unsatisfiable),
        "excluded": len(none) - len(unsatisfiable),
        "duplicates": len(proposals) - found - len(none),
        "explanation": unsatisfiable[-1] if unsatisfiable else None,
    }


def _counts(campaign: Campaign, tried: Sequence[campaigns.Row]) -> dict[str, int]:
    """Of candidates: the first number is the sum of the four that follow."""
    verdicts = [each["verdict"] for each in tried]
    return {
        "candidates": len(tried),
        **{str(each): verdicts.count(str(each)) for each in Verdict},
        "open": verdicts.count(None),
        "inspections": sum(each["attempts"] or 0 for each in tried),
        "runs_each": campaign.runs_each,
    }


def _candidate(row: campaigns.Row, evidence: Evidence | None) -> dict[str, Any]:
    stack = Stack(row["lock"])
    failure = evidence.failure if evidence else None
    return {
        "number": row["candidate"],
        "stack": stack.digest,
        "lock_sha256": stack.lock_digest,
        "reason": row["reason"],
        "packages": dict(stack.pins),
        "inspection": row["inspection"],
        "attempts": row["attempts"] or 0,
        "verdict": row["verdict"],
        "failure": failure
        and {
            "reason": failure.reason,
            "phase": failure.phase,
            "message": failure.message,
            "package": failure.package,
        },
        "figures": {name: list(values) for name, values in evidence.figures.items()} if evidence else {},
        "hardware": evidence.hardware if evidence else None,
    }


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()

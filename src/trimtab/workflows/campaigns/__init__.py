"""Campaigns: many stacks inspected under one question, durable as inspections are.

Names are imported when they are first used: a listing needs none of them.
"""

from typing import TYPE_CHECKING

from trimtab.exports import lazily

if TYPE_CHECKING:
    from trimtab.workflows.campaigns.campaign import (
        Budget,
        Campaign,
        CampaignError,
        UnknownCampaignError,
    )
    from trimtab.workflows.campaigns.course import CampaignCourse, accept
    from trimtab.workflows.campaigns.evidence import evidence_of
    from trimtab.workflows.campaigns.inspector import Here, Inspector, Queued
    from trimtab.workflows.campaigns.kept import delete, listing, read, standing
    from trimtab.workflows.campaigns.report import evidence_of_report
    from trimtab.workflows.campaigns.trying import CampaignWatcher, Unwatched
    from trimtab.workflows.campaigns.workflow import Campaigning

_HOMES = {
    "campaign": ("Budget", "Campaign", "CampaignError", "UnknownCampaignError"),
    "course": ("CampaignCourse", "accept"),
    "evidence": ("evidence_of",),
    "inspector": ("Here", "Inspector", "Queued"),
    "kept": ("delete", "listing", "read", "standing"),
    "report": ("evidence_of_report",),
    "trying": ("CampaignWatcher", "Unwatched"),
    "workflow": ("Campaigning",),
}

__all__ = [
    "Budget",
    "Campaign",
    "CampaignCourse",
    "CampaignError",
    "CampaignWatcher",
    "Campaigning",
    "Here",
    "Inspector",
    "Queued",
    "UnknownCampaignError",
    "Unwatched",
    "accept",
    "delete",
    "evidence_of",
    "evidence_of_report",
    "listing",
    "read",
    "standing",
]

__getattr__ = lazily(__name__, _HOMES)

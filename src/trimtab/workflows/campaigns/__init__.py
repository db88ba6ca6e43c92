"""Campaigns: many stacks inspected under one question, durable as inspections are."""

from trimtab.workflows.campaigns.campaign import Budget, Campaign, CampaignError
from trimtab.workflows.campaigns.course import CampaignCourse, accept
from trimtab.workflows.campaigns.evidence import evidence_of
from trimtab.workflows.campaigns.inspector import Here, Inspector, Queued
from trimtab.workflows.campaigns.report import evidence_of_campaign
from trimtab.workflows.campaigns.trying import CampaignWatcher, Unwatched

__all__ = [
    "Budget",
    "Campaign",
    "CampaignCourse",
    "CampaignError",
    "CampaignWatcher",
    "Here",
    "Inspector",
    "Queued",
    "Unwatched",
    "accept",
    "evidence_of",
    "evidence_of_campaign",
]

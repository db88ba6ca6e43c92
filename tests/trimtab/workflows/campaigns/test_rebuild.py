"""Rows of campaigns that are over are written once more from their documents."""

import pytest
import sqlalchemy as sa

from trimtab.catalog import CampaignState, campaigns
from trimtab.catalog.campaign_rebuild import rebuild_campaigns
from trimtab.catalog.campaign_schema import campaign_proposals
from trimtab.catalog.campaign_schema import campaigns as table
from trimtab.stacks import Stack
from trimtab.store import CampaignsStore
from trimtab.workflows.campaigns import Campaign, delete, listing, standing
from trimtab.workflows.campaigns.course import accept
from trimtab.workflows.campaigns.ending import Ending

LOCK = "six==1.16.0 --hash=sha256:0000\n"


@pytest.fixture
def begun(place):
    """A campaign with a candidate that passed, its inspection, and a second one whose inspection is gone."""
    context = {"base": "a", "script": "#!/bin/sh\ntrue\n"}
    campaign = Campaign.of({"requirements": ["six"], "plan": "random", "seed": 4}, context, engine="process")
    accept(place, campaign)
    for number, lock in enumerate((LOCK, "six==1.15.0\n"), 1):
        stack = Stack(lock)
        inspection = campaign.inspection(stack, 1)
        row = {"number": number, "candidate": number, "reason": "drawn", "stack": stack.digest, "lock": lock}
        with place.database.write() as connection:
            nothing = {"refusal": None, "exclusions": [], "inspection": None}
            campaigns.note(connection, campaign.id, row | nothing)
            verdict = {"inspection": inspection, "attempts": 1, "verdict": "pass"}
            campaigns.judge(connection, campaign.id, stack.digest, **verdict)
        if number == 1:
            specification = {"base": "a", "python": {"lock": {"requirements.txt": lock}}}
            place.inspections[inspection].conclude(
                specification, {"inspection_id": inspection, "state": "succeeded", "runs": []}
            )
    return campaign


@pytest.fixture
def ended(place, begun):
    with place.database.write() as connection:
        campaigns.advance(connection, begun.id, CampaignState.RUNNING, started_at=1795800000.0)
    Ending(place, begun, None)._put(CampaignState.FINISHED, "it was enough", {"conclusion": None})
    return begun


def changes(place):
    return [
        (each.inspection_id, each.change) for each in rebuild_campaigns(place.database, place.inspections)
    ]


def rows(place, campaign):
    with place.database.read() as connection:
        return [dict(each) for each in campaigns.candidates(connection, campaign.id)]


def lose(place):
    with place.database.write() as connection:
        connection.execute(sa.delete(campaign_proposals))
        connection.execute(sa.delete(table))


def test_rows_that_were_lost_are_there_again(place, ended):
    before = (listing(place), rows(place, ended), standing(place, ended.id))
    lose(place)
    assert listing(place) == []
    assert changes(place) == [(ended.id, "written")]
    assert (listing(place), rows(place, ended), standing(place, ended.id)) == before
    assert [each["lock"] for each in rows(place, ended)] == [LOCK, "six==1.15.0\n"]


def test_done_twice_is_done_once(place, ended):
    before = listing(place), rows(place, ended)
    assert changes(place) == changes(place) == [(ended.id, "written")]
    assert (listing(place), rows(place, ended)) == before


def test_what_is_not_over_keeps_its_rows(place, begun):
    before = listing(place), rows(place, begun)
    assert changes(place) == []
    assert (listing(place), rows(place, begun)) == before


def test_rows_without_documents_go(place, ended):
    CampaignsStore(place.inspections.store, place.deployment).delete(ended.id)
    assert changes(place) == [(ended.id, "removed")]
    assert listing(place) == []


def test_a_report_that_is_no_report_is_refused_and_its_rows_stay(place, begun):
    CampaignsStore(place.inspections.store, place.deployment).conclude(begun.id, {"state": "finished"})
    (refused,) = rebuild_campaigns(place.database, place.inspections)
    assert refused.change == "refused"
    assert len(listing(place)) == 1


def test_a_deleted_campaign_stays_deleted(place, ended):
    delete(place, ended.id)
    assert changes(place) == []
    assert listing(place) == []

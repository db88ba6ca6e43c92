"""Rows of campaigns, on each database."""

import pytest

from trimtab.catalog import CampaignState, campaigns

NAME = "campaign-260101000000-0000000000000001"


def row(name=NAME, **changes):
    return {
        "id": name,
        "deployment": "test",
        "owner": "alice",
        "plan": "random",
        "origin": "requirements.in",
        "engine": "process",
        "budget": {"stacks": 3},
        "created_at": 1.0,
        **changes,
    }


def proposal(number, stack=None, **changes):
    return {
        "number": number,
        "reason": "drawn",
        "stack": stack,
        "lock": stack and f"web=={number}\n",
        "refusal": None if stack else "no",
        "exclusions": [],
        "candidate": number if stack else None,
        "inspection": None,
        **changes,
    }


@pytest.fixture
def written(database):
    with database.write() as connection:
        campaigns.accept(connection, row())
        for number, stack in enumerate(("a", None, "b", "c"), 1):
            campaigns.note(connection, NAME, proposal(number, stack))
        campaigns.note(connection, NAME, proposal(5, "a", lock=None, candidate=None))
    return database


def test_accepting_twice_is_accepting_once(database):
    with database.write() as connection:
        assert campaigns.accept(connection, row())
        assert not campaigns.accept(connection, row(owner="bob"))
        assert campaigns.by_id(connection, NAME)["owner"] == "alice"
        assert campaigns.by_id(connection, NAME)["state"] == CampaignState.QUEUED


def test_a_proposal_stays_what_it_was_first(written):
    with written.write() as connection:
        campaigns.note(connection, NAME, proposal(1, "z"))
        assert [each["stack"] for each in campaigns.proposals(connection, NAME)] == ["a", None, "b", "c", "a"]


def test_tallies_are_of_candidates_and_sum_up(written):
    with written.write() as connection:
        campaigns.judge(connection, NAME, "a", verdict="pass", attempts=1, inspection="i", seconds=1.5)
        campaigns.judge(connection, NAME, "b", verdict="fail", attempts=1, failure="oh\x00")
        found = campaigns.tallies(connection, [NAME, "other"])
        assert found[NAME] == {"pass": 1, "fail": 1, "unknown": 0, "open": 1}
        assert found["other"] == {"pass": 0, "fail": 0, "unknown": 0, "open": 0}
        assert [each["verdict"] for each in campaigns.candidates(connection, NAME)] == ["pass", "fail", None]


def test_it_ends_once(written):
    with written.write() as connection:
        assert campaigns.advance(connection, NAME, CampaignState.RUNNING, started_at=2.0)
        assert campaigns.wish(connection, NAME)
        assert campaigns.advance(connection, NAME, CampaignState.FINISHED, reason="done", ended_at=3.0)
        assert not campaigns.advance(connection, NAME, CampaignState.CANCELLED, reason="no")
        assert not campaigns.wish(connection, NAME)
        assert campaigns.by_id(connection, NAME)["reason"] == "done"


def test_a_list_is_of_one_deployment_and_owner_the_newest_first(written):
    with written.write() as connection:
        campaigns.accept(connection, row("campaign-2", created_at=2.0, owner="bob"))
        campaigns.accept(connection, row("campaign-3", created_at=3.0, deployment="else"))
        names = [each["id"] for each in campaigns.listed(connection, "test")]
        assert names == ["campaign-2", NAME]
        assert [each["id"] for each in campaigns.listed(connection, "test", owner="alice")] == [NAME]
        assert [each["id"] for each in campaigns.listed(connection, "test", offset=1)] == [NAME]


def test_what_is_deleted_takes_its_proposals_along(written):
    with written.write() as connection:
        campaigns.delete(connection, NAME)
        assert campaigns.by_id(connection, NAME) is None
        assert list(campaigns.proposals(connection, NAME)) == []

"""What was submitted is cancelled or deleted: it ends once, and nothing of it is left that others do not have."""

import asyncio
import threading
import time
from contextlib import asynccontextmanager

import pytest

from trimtab.catalog import analyses, submitted_builds
from trimtab.catalog.observations import is_known
from trimtab.store import BuildLogsStore, Inspections, Store
from trimtab.workflows import (
    Accepting,
    Analysing,
    ImagePart,
    LogPart,
    Patience,
    Place,
    Recording,
    Terms,
    Withdrawing,
    WithdrawingError,
    Worker,
)

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

LOG = {"log": "Collecting six==1.16.0\nSuccessfully installed six-1.16.0\n", "kind": "BuildLog"}
ALICE, BOB = Terms("alice"), Terms("bob")
NEVER = "package-extract-261127061500-0123456789abcdef", "build-analysis-261127061500-0123456789abcdef"


@pytest.fixture
def place(tmp_path, database_url, open_database):
    inspections = Inspections(Store.open(str(tmp_path / "store")), "test")
    return Place(open_database(database_url), inspections, tmp_path / "home")


@asynccontextmanager
async def working(place, *, works=True):
    worker = Worker(place, works=works, grace=0.5)
    analysing = Analysing(worker, patience=Patience(3, 0.0))
    accepting = Accepting(worker, analysing, Recording(worker))
    async with worker:
        yield accepting


@pytest.fixture
def stalled(registry):
    """The registry holds the layer back until the test is over; the event says that it was asked for it."""
    asked, let_go = threading.Event(), threading.Event()
    registry.push()
    good = registry.answers[registry.layer]

    def slow(_handler):
        asked.set()
        let_go.wait()
        return good

    registry.answers[registry.layer] = slow
    yield asked
    let_go.set()


def image(registry):
    name = f"{registry.host}/app:1"
    return ImagePart(name, None, verify_tls=False, secret=None, parameters={"image": name})


def described(build_id, accepted, _log):
    return {"analysis_id": build_id}, {"id": build_id, **{name: each.id for name, each in accepted.items()}}


def rows(place):
    """Ids and states of all analyses, and the ids of all builds."""
    with place.database.read() as connection:
        found = connection.execute(analyses.analyses.select()).mappings().all()
        builds = submitted_builds.listed(connection, "test", None, limit=100)
    return {each["id"]: each["state"] for each in found}, [each["id"] for each in builds]


def files(place):
    """Names of all objects of the store, but for inspections."""
    return sorted(each.key for each in place.inspections.store.list(place.deployment))


async def until(wanted):
    deadline = time.monotonic() + 300
    while not wanted():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def all_over(place):
    def over():
        found, builds = rows(place)
        with place.database.read() as connection:
            recorded = [submitted_builds.by_id(connection, each)["recorded_at"] for each in builds]
        return all(each in analyses.ENDED for each in found.values()) and None not in recorded

    await until(over)


async def test_what_waits_is_cancelled_once_and_is_not_made(place):
    withdrawing = Withdrawing(place)
    async with working(place, works=False) as accepting:
        answer = await accepting.build({"build_log": LogPart(LOG)}, ALICE, described)
    withdrawing.cancel(answer["build_log"])
    with pytest.raises(WithdrawingError, match="is over"):
        withdrawing.cancel(answer["build_log"])
    async with working(place) as accepting:
        again = await accepting.build({"build_log": LogPart(LOG)}, ALICE, described)
        await all_over(place)
    assert rows(place)[0] == {answer["build_log"]: "cancelled", again["build_log"]: "succeeded"}
    assert not [each for each in files(place) if each.endswith(answer["build_log"])]


async def test_what_runs_is_ended_at_once(place, registry, stalled):
    """Did it wait for the registry, it would wait for ever."""
    async with working(place) as accepting:
        accepted = await accepting.image(image(registry), ALICE)
        await asyncio.to_thread(stalled.wait, 300)
        Withdrawing(place).cancel(accepted.id)
        assert rows(place)[0] == {accepted.id: "cancelled"}
        other = await accepting.build({"build_log": LogPart(LOG)}, ALICE, described)
        await until(lambda: rows(place)[0][other["build_log"]] == "succeeded")
        # There is room for one image at a time: what is cancelled gave its place back.
        registry.answers[registry.layer] = (404, {}, b"")
        after = await accepting.image(image(registry), BOB)
        await until(lambda: rows(place)[0][after.id] == "failed")
    assert not [each for each in files(place) if each.endswith(accepted.id)]


async def test_what_is_found_all_the_same_is_thrown_away(place, monkeypatch):
    """It is cancelled between its document and its end; and the process that made it is killed then."""
    from trimtab.workflows.analysis import Analysis

    remember, cancelled = Analysis.remember, []

    def cancelling(self, document):
        outcome = remember(self, document)
        if not cancelled:
            cancelled.append(self.id)
            Withdrawing(place).cancel(self.id)
        return outcome

    monkeypatch.setattr(Analysis, "remember", cancelling)
    async with working(place) as accepting:
        answer = await accepting.build({"build_log": LogPart(LOG)}, ALICE, described)
        await all_over(place)
        await until(lambda: not [each for each in files(place) if each.endswith(answer["build_log"])])
    with place.database.read() as connection:
        assert not is_known(connection, answer["build_log"])
    assert rows(place)[0] == {answer["build_log"]: "cancelled"}


async def test_a_build_is_cancelled_but_for_what_others_have_of_it(place):
    withdrawing = Withdrawing(place)
    async with working(place, works=False) as accepting:
        first = await accepting.build({"build_log": LogPart(LOG)}, ALICE, described)
        second = await accepting.build({"build_log": LogPart(LOG)}, ALICE, described)
    assert first["build_log"] == second["build_log"]
    with pytest.raises(WithdrawingError, match="other builds"):
        withdrawing.cancel(first["id"])
    async with working(place):
        await all_over(place)
    assert rows(place)[0] == {first["build_log"]: "succeeded"}


async def test_a_build_is_deleted_but_for_what_others_have_of_it(place):
    withdrawing = Withdrawing(place)
    async with working(place) as accepting:
        first = await accepting.build({"build_log": LogPart(LOG)}, ALICE, described)
        second = await accepting.build({"build_log": LogPart(LOG)}, ALICE, described)
        await all_over(place)
    with pytest.raises(WithdrawingError, match=f"is of the build {min(first['id'], second['id'])}"):
        withdrawing.delete(first["build_log"])
    withdrawing.delete(first["id"])
    assert rows(place) == ({first["build_log"]: "succeeded"}, [second["id"]])
    assert [each for each in files(place) if each.endswith(first["build_log"])]
    withdrawing.delete(second["id"])
    assert rows(place) == ({}, [])
    assert files(place) == []
    with place.database.read() as connection:
        for each in (first["id"], second["id"], first["build_log"]):
            assert not is_known(connection, each)


async def test_an_image_is_deleted_and_analysed_anew_when_it_is_submitted_again(place, registry):
    registry.push()
    async with working(place) as accepting:
        first = await accepting.image(image(registry), ALICE)
        await all_over(place)
        Withdrawing(place).delete(first.id)
        assert files(place) == []
        second = await accepting.image(image(registry), ALICE)
        await all_over(place)
    assert second.cached is False
    assert rows(place)[0] == {second.id: "succeeded"}


async def test_a_log_that_somebody_else_submitted_too_stays(place):
    withdrawing = Withdrawing(place)
    async with working(place) as accepting:
        mine = await accepting.build({"build_log": LogPart(LOG)}, ALICE, described)
        theirs = await accepting.build({"build_log": LogPart(LOG)}, BOB, described)
        await all_over(place)
    withdrawing.delete(mine["id"])
    (name,) = BuildLogsStore(place.inspections.store, "test").get_document_listing()
    assert BuildLogsStore(place.inspections.store, "test").retrieve_document(name) == LOG
    assert rows(place) == ({theirs["build_log"]: "succeeded"}, [theirs["id"]])


async def test_what_is_under_way_or_not_there_is_not_deleted(place):
    withdrawing = Withdrawing(place)
    async with working(place, works=False) as accepting:
        answer = await accepting.build({"build_log": LogPart(LOG)}, ALICE, described)
    with pytest.raises(WithdrawingError, match="under way"):
        withdrawing.delete(answer["id"])
    for name in NEVER:
        for change in (withdrawing.cancel, withdrawing.delete):
            with pytest.raises(LookupError):
                change(name)
    assert len(rows(place)[0]) == 1


async def test_a_deletion_that_was_broken_off_is_done_again(place, monkeypatch):
    """The row goes last: until then it can be named."""
    withdrawing = Withdrawing(place)
    async with working(place) as accepting:
        answer = await accepting.build({"build_log": LogPart(LOG)}, ALICE, described)
        await all_over(place)

    def broken(*_):
        raise RuntimeError("killed")

    for victim in ("trimtab.catalog.analyses.delete", "trimtab.catalog.submitted_builds.delete"):
        with monkeypatch.context() as patched:
            patched.setattr(victim, broken)
            with pytest.raises(RuntimeError, match="killed"):
                withdrawing.delete(answer["id"])
        assert rows(place)[1] == [answer["id"]]
    withdrawing.delete(answer["id"])
    assert (rows(place), files(place)) == (({}, []), [])


async def test_what_ends_while_the_same_is_submitted_names_no_analysis_that_is_not_there(place):
    """A failed analysis is no cache: whoever submits in the moment in which it fails gets a new one. On PostgreSQL, they meet."""
    async with working(place, works=False) as accepting:
        first = await accepting.build({"build_log": LogPart(LOG)}, ALICE, described)
        submitted: list[str] = []

        def submit():
            answer = asyncio.run(accepting.build({"build_log": LogPart(LOG)}, ALICE, described))
            submitted.append(answer["build_log"])

        thread = threading.Thread(target=submit)
        with place.database.write() as connection:
            analyses.finish(connection, first["build_log"], analyses.AnalysisState.FAILED, "no")
            thread.start()
            await asyncio.sleep(0.5)  # it waits for this transaction, as far as the database makes it
        await asyncio.to_thread(thread.join)
    assert set(submitted) <= set(rows(place)[0])
    assert submitted != [first["build_log"]]

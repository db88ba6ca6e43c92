"""Analyses in the queue: made once, tried again while what fails them passes, left and taken over. With a registry over HTTP."""

import asyncio
import threading
import time
from contextlib import asynccontextmanager

import pytest

from trimtab.builds import Named, Registries
from trimtab.catalog import analyses, submitted_builds
from trimtab.images import Credentials
from trimtab.store import (
    AnalysesCacheStore,
    AnalysisByDigest,
    AnalysisResultsStore,
    BuildLogsAnalysesCacheStore,
    BuildLogsParsedResultsStore,
    BuildLogsStore,
    BuildsStore,
    Inspections,
    Store,
)
from trimtab.workflows import (
    Accepting,
    Analysing,
    ImagePart,
    LogPart,
    Patience,
    Place,
    Recording,
    Terms,
    Worker,
)

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

LOG = {"log": "Collecting six==1.16.0\nSuccessfully installed six-1.16.0\n", "kind": "BuildLog"}
SECRET = "a-secret-word"


@pytest.fixture
def place(tmp_path, database_url, open_database):
    inspections = Inspections(Store.open(str(tmp_path / "store")), "test")
    return Place(open_database(database_url), inspections, tmp_path / "home")


@asynccontextmanager
async def working(place, *, works=True, **options):
    worker = Worker(place, works=works, grace=0.5)
    analysing = Analysing(worker, **{"patience": Patience(3, 0.0)} | options)
    accepting = Accepting(worker, analysing, Recording(worker))
    async with worker:
        yield accepting


def part(registry, version=":1", secret=None, digest=None, name="app"):
    image = f"{registry.host}/{name}{version}"
    return ImagePart(image, digest, verify_tls=False, secret=secret, parameters={"image": image})


def row_of(place, analysis_id):
    with place.database.read() as connection:
        return dict(analyses.by_id(connection, analysis_id))


async def ended(place, analysis_id):
    """Its row, when it is over."""
    deadline = time.monotonic() + 300
    while (row := row_of(place, analysis_id))["ended_at"] is None:
        assert time.monotonic() < deadline, row
        await asyncio.sleep(0.05)
    return row


def where(place):
    return place.inspections.store, place.deployment


def described(build_id, accepted, log):
    return {"analysis_id": build_id}, {
        "analysis_id": build_id,
        **{name: each.id for name, each in accepted.items()},
    }


async def test_an_image_is_read_and_stored_where_the_original_programs_look(place, registry):
    digest = registry.push()
    asked = part(registry, digest=digest)
    async with working(place) as accepting:
        accepted = await accepting.image(asked, Terms(metadata={"origin": "here"}))
        row = await ended(place, accepted.id)
    assert (row["state"], row["reason"], row["attempts"], row["taken"]) == ("succeeded", None, 0, 1)
    results = AnalysisResultsStore(*where(place))
    document = results.retrieve_document(accepted.id)
    assert document["result"]["deb"] == [{"name": "a", "version": "1", "arch": ""}]
    assert document["metadata"]["arguments"]["thoth-package-extract"]["metadata"] == {"origin": "here"}
    assert results.retrieve_request(accepted.id) == {"image": asked.image}
    assert AnalysisByDigest(*where(place)).retrieve_document(digest)["analysis_id"] == accepted.id
    (key,) = AnalysesCacheStore(*where(place)).get_document_listing()
    assert key.startswith(f"{digest}+")
    assert AnalysesCacheStore(*where(place)).retrieve_document_record(key) == {"analysis_id": accepted.id}


async def test_a_build_and_its_log_are_stored_where_the_original_programs_look(place):
    async with working(place) as accepting:
        answer = await accepting.build({"build_log": LogPart(LOG)}, Terms(), described)
        await ended(place, answer["build_log"])
        while not BuildsStore(*where(place)).document_exists(answer["analysis_id"]):  # noqa: ASYNC110 # a store tells nobody
            await asyncio.sleep(0.05)
    (name,) = BuildLogsStore(*where(place)).get_document_listing()
    assert BuildLogsStore(*where(place)).retrieve_document(name) == LOG
    parsed = BuildLogsParsedResultsStore(*where(place)).retrieve_document(answer["build_log"])
    assert parsed["result"]["installation"][0]["package_name"] == "six"
    told = parsed["metadata"]["arguments"]["thoth-buildlog-parser"]["metadata"]
    assert told == {"build_analysis_job_id": answer["analysis_id"], "buildlog_document_id": name}
    (key,) = BuildLogsAnalysesCacheStore(*where(place)).get_document_listing()
    cache = BuildLogsAnalysesCacheStore(*where(place))
    assert cache.retrieve_document_record(key) == {"analysis_id": answer["build_log"]}


async def test_what_passes_is_tried_again(place, registry):
    passing = {"a": (429, {"Retry-After": "0"}, b""), "b": (500, {}, b""), "c": (503, {}, b"")}
    seen = []
    for name, answer in passing.items():
        registry.push(name)
        path = f"/v2/{name}/manifests/1"

        def at_first(_handler, name=name, answer=answer, good=registry.answers[path]):
            seen.append(name)
            return answer if seen.count(name) < 3 else good

        registry.answers[path] = at_first
    async with working(place) as accepting:
        for name in passing:
            accepted = await accepting.image(part(registry, name=name), Terms())
            row = await ended(place, accepted.id)
            assert (row["state"], row["attempts"], seen.count(name)) == ("succeeded", 2, 3)
            assert row["log"].count("\n") == 3


async def test_what_does_not_pass_ends_after_so_many_attempts(place, registry):
    registry.push()
    registry.answers[registry.layer] = (500, {}, b"")
    async with working(place) as accepting:
        accepted = await accepting.image(part(registry), Terms())
        row = await ended(place, accepted.id)
    assert row["state"] == "failed"
    assert "status 500" in row["reason"]
    assert "after 3 attempts" in row["reason"]
    assert len([path for path, _ in registry.asked if path == registry.layer]) == 3


async def test_what_will_not_pass_is_tried_once(place, registry):
    registry.push()
    code, headers, whole = registry.answers[registry.layer]
    other = (code, headers, bytes(len(whole)))  # of the right length
    answers = {
        "a": ("manifest", (401, {}, b""), "authentication"),
        "b": ("manifest", (403, {}, b""), "do not allow"),
        "c": ("manifest", (404, {}, b""), "has no"),
        "d": ("manifest", (200, {}, b"{"), "no JSON"),
        "e": ("layer", (404, {}, b""), "has no"),
        "f": ("layer", other, "digest"),
    }
    async with working(place) as accepting:
        for name, (path, answer, reason) in answers.items():
            registry.push(name)
            there = registry.layer if path == "layer" else f"/v2/{name}/manifests/1"
            registry.answers[there] = answer
            accepted = await accepting.image(part(registry, name=name), Terms())
            row = await ended(place, accepted.id)
            assert (row["state"], row["attempts"]) == ("failed", 0), (name, row["reason"])
            assert reason in row["reason"], row["reason"]
            assert len([asked for asked, _ in registry.asked if asked == there]) == 1
            assert not AnalysisResultsStore(*where(place)).document_exists(accepted.id)


async def test_half_a_blob_is_tried_again(place, registry):
    registry.push()
    _, _, whole = good = registry.answers[registry.layer]
    seen = []

    def half(_handler):
        seen.append(1)
        return good if len(seen) > 1 else (200, {"Content-Length": str(len(whole))}, whole[: len(whole) // 2])

    registry.answers[registry.layer] = half
    async with working(place) as accepting:
        accepted = await accepting.image(part(registry), Terms())
        row = await ended(place, accepted.id)
    assert (row["state"], row["attempts"]) == ("succeeded", 1)


async def test_a_moved_tag_is_read_as_it_was_when_it_was_submitted(place, registry):
    first = registry.push()
    async with working(place, works=False) as accepting:
        accepted = await accepting.image(part(registry, digest=first), Terms())
    second = registry.push(
        files={"var/lib/dpkg/status": b"Package: b\nStatus: install ok installed\nVersion: 2\n"}
    )
    assert second != first
    async with working(place):
        row = await ended(place, accepted.id)
    assert row["digest"] == first
    document = AnalysisResultsStore(*where(place)).retrieve_document(accepted.id)
    assert [each["name"] for each in document["result"]["deb"]] == ["a"]
    assert document["result"]["skopeo-inspect"]["Digest"] == first


@pytest.fixture
def stall(registry):
    """Makes the registry hold back the layer, until the test is over."""
    let_go = threading.Event()

    def stalling():
        stalled, loop = asyncio.Event(), asyncio.get_running_loop()

        def slow(_handler):
            loop.call_soon_threadsafe(stalled.set)
            let_go.wait()
            return 200, {}, b""

        registry.answers[registry.layer] = slow
        return stalled

    yield stalling
    let_go.set()


async def test_a_registry_that_takes_too_long_ends_an_analysis(place, registry, stall):
    registry.push()
    stall()
    async with working(place, seconds=5.0) as accepting:
        accepted = await accepting.image(part(registry), Terms())
        row = await ended(place, accepted.id)
    assert row["state"] == "failed"
    assert "more than 5 s" in row["reason"]


async def test_stopping_ends_an_analysis_at_once_and_the_next_makes_it(place, registry, stall):
    """Nothing counts as an attempt: it was broken off on purpose. Did it wait for the registry, it would wait for ever."""
    registry.push()
    good = registry.answers[registry.layer]
    stalled = stall()
    async with working(place) as accepting:
        accepted = await accepting.image(part(registry), Terms())
        await stalled.wait()
    row = row_of(place, accepted.id)
    assert (row["state"], row["attempts"], row["taken"]) == ("running", 0, 0)
    registry.answers[registry.layer] = good
    async with working(place):
        row = await ended(place, accepted.id)
    assert (row["state"], row["attempts"]) == ("succeeded", 0)


async def test_a_document_that_was_stored_is_not_made_again(place, registry):
    digest = registry.push()
    async with working(place, works=False) as accepting:
        accepted = await accepting.image(part(registry, digest=digest), Terms())
    document = {"metadata": {"document_id": accepted.id}, "result": {"of": "another process"}}
    AnalysisResultsStore(*where(place)).put_once(document, accepted.id)
    async with working(place):
        row = await ended(place, accepted.id)
    assert row["state"] == "succeeded"
    assert registry.asked == []
    assert AnalysisResultsStore(*where(place)).retrieve_document(accepted.id) == document


async def test_what_ends_the_process_that_makes_it_is_given_up(place):
    async with working(place, works=False) as accepting:
        answer = await accepting.build({"build_log": LogPart(LOG)}, Terms(), described)
    with place.database.write() as connection:
        for _ in range(10):
            analyses.begin(connection, answer["build_log"])
    async with working(place):
        row = await ended(place, answer["build_log"])
    assert row["state"] == "failed"
    assert "10 times" in row["reason"]


async def test_a_defect_of_ours_ends_an_analysis_too(place, monkeypatch):
    def broken(*_):
        raise RuntimeError("a defect")

    monkeypatch.setattr("trimtab.workflows.analysis.log_request", broken)
    async with working(place) as accepting:
        answer = await accepting.build({"build_log": LogPart(LOG)}, Terms(), described)
        row = await ended(place, answer["build_log"])
    assert row["state"] == "failed"
    assert "failed at it 3 times" in row["reason"]
    assert "a defect" not in row["reason"]


async def test_what_cannot_be_remembered_is_found_all_the_same(place, monkeypatch):
    def broken(*_):
        raise RuntimeError("a defect")

    monkeypatch.setattr("trimtab.workflows.analysis.record_analysis", broken)
    monkeypatch.setattr("trimtab.workflows.recording.record_build", broken)
    async with working(place) as accepting:
        answer = await accepting.build({"build_log": LogPart(LOG)}, Terms(), described)
        row = await ended(place, answer["build_log"])
        while recorded(place, answer["analysis_id"]) is None:  # noqa: ASYNC110 # a database tells nobody
            await asyncio.sleep(0.05)
    assert row["state"] == "succeeded"
    assert "catalog rebuild" in row["reason"]
    assert BuildLogsParsedResultsStore(*where(place)).document_exists(row["id"])


def recorded(place, build_id):
    with place.database.read() as connection:
        return submitted_builds.by_id(connection, build_id)["recorded_at"]


async def test_a_process_that_is_killed_while_it_analyses_is_an_attempt(place, monkeypatch):
    """The kernel may end it for the memory it takes; the server goes on."""
    from trimtab.workflows import analysers

    ask, killed = analysers._Process.ask, []

    async def killing(self, request):
        if len(killed) < 2:
            killed.append(self.process.pid)
            self.process.kill()
            await self.process.wait()
        return await ask(self, request)

    monkeypatch.setattr(analysers._Process, "ask", killing)
    async with working(place) as accepting:
        answer = await accepting.build({"build_log": LogPart(LOG)}, Terms(), described)
        row = await ended(place, answer["build_log"])
    assert (row["state"], row["attempts"]) == ("succeeded", 2)
    assert len(set(killed)) == 2


async def test_credentials_of_a_body_are_in_memory_alone_and_used(place, registry, tmp_path):
    registry.push()
    protect(registry)
    async with working(place) as accepting:
        secret = Credentials("reader", SECRET)
        accepted = await accepting.image(part(registry, secret=secret), Terms())
        row = await ended(place, accepted.id)
    assert (row["state"], row["credentials"]) == ("succeeded", "body")
    assert_nowhere(tmp_path, place)


async def test_after_the_end_of_the_process_it_goes_on_without_them_and_says_so(place, registry, tmp_path):
    registry.push()
    protect(registry)
    async with working(place, works=False) as accepting:
        accepted = await accepting.image(part(registry, secret=Credentials("reader", SECRET)), Terms())
    async with working(place):
        row = await ended(place, accepted.id)
    assert row["state"] == "failed"
    assert "authentication" in row["reason"]
    assert "credentials came with the request" in row["reason"]
    assert_nowhere(tmp_path, place)


async def test_who_has_the_credentials_makes_it_though_another_has_taken_it(place, registry, monkeypatch):
    """The queue gives each to any process; this one is never given it."""
    from trimtab.workflows.queue import Queue

    registry.push()
    protect(registry)
    monkeypatch.setattr(Queue, "put", lambda *_: None)
    async with working(place) as accepting:
        accepted = await accepting.image(part(registry, secret=Credentials("reader", SECRET)), Terms())
        row = await ended(place, accepted.id)
    assert (row["state"], row["reason"]) == ("succeeded", None)


async def test_it_is_left_to_who_has_the_credentials_as_long_as_that_lives(place, registry):
    from trimtab.workflows.executors import executors

    registry.push()
    protect(registry)
    holder = executors(place.database)
    assert holder.hold("another-process")
    async with working(place, works=False) as accepting:
        accepted = await accepting.image(part(registry, secret=Credentials("reader", SECRET)), Terms())
    with place.database.write() as connection:
        connection.execute(analyses.analyses.update().values(holder="another-process"))
    async with working(place):
        await asyncio.sleep(6)  # it is taken, and nothing is to happen
        assert row_of(place, accepted.id)["state"] == "pending"
        holder.close()
        row = await ended(place, accepted.id)
    assert row["state"] == "failed"
    assert "credentials came with the request" in row["reason"]


async def test_credentials_by_name_outlive_the_process(place, registry, tmp_path):
    import base64
    import json

    registry.push()
    protect(registry)
    pair = base64.b64encode(f"reader:{SECRET}".encode()).decode()
    secrets = tmp_path.parent / f"{tmp_path.name}-secrets"
    secrets.mkdir()
    (secrets / "team.json").write_text(json.dumps({"auths": {registry.host: {"auth": pair}}}))
    async with working(place, works=False) as accepting:
        accepted = await accepting.image(part(registry, secret=Named("team")), Terms())
        unknown = await accepting.image(part(registry, ":2", secret=Named("other")), Terms())
    async with working(place, registries=Registries((), secrets)):
        assert (await ended(place, accepted.id))["state"] == "succeeded"
        row = await ended(place, unknown.id)
    assert row["state"] == "failed"
    assert "no such secret" in row["reason"]
    assert_nowhere(tmp_path, place)


def protect(registry):
    """Let in who knows the password."""
    import base64

    wanted = "Basic " + base64.b64encode(f"reader:{SECRET}".encode()).decode()
    for path, good in list(registry.answers.items()):

        def guarded(handler, good=good):
            if handler.headers.get("Authorization") == wanted:
                return good
            return 401, {"WWW-Authenticate": 'Basic realm="test"'}, b""

        registry.answers[path] = guarded


def assert_nowhere(directory, place):
    """Neither in the store nor in the database, as it is or as it is sent."""
    import base64

    forms = [SECRET.encode(), base64.b64encode(f"reader:{SECRET}".encode())]
    for path in directory.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(each in content for each in forms), path
    if not place.database.is_sqlite:
        with place.database.read() as connection:
            found = [str(dict(each)) for each in connection.execute(analyses.analyses.select()).mappings()]
        assert SECRET not in str(found)


async def test_two_processes_that_share_a_database_make_each_once(place, registry):
    """The one that accepts stands for any other: all it shares with the one that works is database and store."""
    registry.push()
    async with working(place, works=False) as accepting, working(place):
        first = await accepting.image(part(registry, digest=registry.push()), Terms())
        again = await accepting.image(part(registry, digest=registry.push()), Terms())
        assert (again.id, again.cached) == (first.id, True)
        row = await ended(place, first.id)
    assert row["state"] == "succeeded"
    assert len([path for path, _ in registry.asked if path == registry.layer]) == 1


async def test_a_failed_analysis_is_not_an_answer_to_who_asks_again(place, registry):
    digest = registry.push()
    good = registry.answers[registry.layer]
    registry.answers[registry.layer] = (404, {}, b"")
    async with working(place) as accepting:
        first = await accepting.image(part(registry, digest=digest), Terms())
        assert (await ended(place, first.id))["state"] == "failed"
        registry.answers[registry.layer] = good
        again = await accepting.image(part(registry, digest=digest), Terms())
        assert (again.id != first.id, again.cached) == (True, False)
        assert (await ended(place, again.id))["state"] == "succeeded"


async def test_an_owner_gets_no_analysis_of_another(place, registry):
    """What is in it tells where the other had the image from."""
    digest = registry.push()
    async with working(place, works=False) as accepting:
        mine = await accepting.image(part(registry, digest=digest), Terms("alice"))
        other = await accepting.image(part(registry, digest=digest), Terms("bob"))
        assert (await accepting.image(part(registry, digest=digest), Terms("alice"))).id == mine.id
        forced = await accepting.image(part(registry, digest=digest), Terms("alice", force=True))
        assert (await accepting.image(part(registry, digest=digest), Terms("alice"))).id == forced.id
    assert len({mine.id, other.id, forced.id}) == 3

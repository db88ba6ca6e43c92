"""Builds in a real cluster: objects driven through their phases, pods with real logs."""

import asyncio
from contextlib import aclosing, asynccontextmanager

import pytest

from servo.connectors.builds.build import Part, Phase
from servo.connectors.builds.cluster.kinds import KINDS
from servo.connectors.builds.cluster.position import Position
from servo.connectors.builds.cluster.releasing import release_all
from servo.connectors.builds.cluster.source import Cluster
from servo.connectors.builds.redaction import Secrets
from servo.connectors.builds.spool import Spool
from servo.kubernetes import EVENTS, Client

from .build_kinds import CUSTOM, SELECTOR, Bed, eventually, install

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


class Watched:
    """What a source shows, as a watcher takes it: the next batch is asked for when the last one is written down."""

    def __init__(self, source):
        self.source, self.builds, self.position = source, [], None
        self.changed = asyncio.Condition()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def run(self, position):
        async with aclosing(self.source.watch(position)) as batches:
            async for batch in batches:
                async with self.changed:
                    self.builds += batch.builds
                    self.position = batch.position or self.position
                    self.changed.notify_all()
                await self.may_go_on.wait()

    async def until(self, there):
        async with asyncio.timeout(60), self.changed:
            await self.changed.wait_for(lambda: there(self))

    def named(self, name):
        return [each for each in self.builds if each.name == name]


@pytest.fixture
async def bed(namespace):
    async with Client.open() as client:
        await install(client)
        yield Bed(client, namespace)


@pytest.fixture
def make(namespace, tmp_path):
    def made(kind, **options):
        labels = None if kind in CUSTOM else SELECTOR
        spool = Spool(tmp_path / "logs", 1 << 24)
        return Cluster(
            kind,
            KINDS[kind],
            Client.open,
            spool=spool,
            secrets=Secrets(),
            limit=1 << 20,
            namespace=namespace,
            **{"labels": labels, "follows": 0} | options,
        )

    return made


@asynccontextmanager
async def watching(source, position=None):
    watched = Watched(source)
    task = asyncio.create_task(watched.run(position))
    try:
        await watched.until(lambda each: each.position is not None or task.done())
        yield watched
        assert not task.done() or task.result() is None
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await source.aclose()


async def text_of(source, build):
    return b"".join([piece async for piece in source.log(build)]).decode()


@pytest.mark.parametrize("kind", sorted(KINDS))
async def test_build_that_ended_is_shown_once_with_its_parts_and_its_log(bed, make, kind):
    source = make(kind)
    async with watching(source) as watched:
        await bed.begin(kind, "good", ["Step 1/2 : FROM base", "the last line"])
        await bed.end(kind, "good")
        await watched.until(lambda each: each.builds)
        build = watched.builds[0]
        assert (build.name, build.phase, build.namespace) == ("good", Phase.complete, bed.namespace)
        assert build.base.name == "registry.example/base:1"
        assert build.output.name.startswith("registry.example/app")
        assert await text_of(source, build) == "Step 1/2 : FROM base\nthe last line\n"
        await bed.begin(kind, "bad", ["no such package"], exit_code=3)
        await bed.end(kind, "bad", good=False)
        await watched.until(lambda each: each.named("bad"))
        bad = watched.named("bad")[0]
        assert bad.phase is Phase.failed
        assert await text_of(source, bad) == "no such package\n"
        assert len({each.identity for each in watched.builds}) == 2


async def test_first_start_leaves_what_is_over_and_existing_shows_it(bed, make):
    await bed.begin("openshift-builds", "old", [], pod=False)
    await bed.end("openshift-builds", "old", wait=False)
    source = make("openshift-builds")
    async with watching(source) as watched:
        await bed.begin("openshift-builds", "new", [], pod=False)
        await bed.end("openshift-builds", "new", wait=False)
        await watched.until(lambda each: each.builds)
        assert {each.name for each in watched.builds} == {"new"}
        shown = [build.name async for batch in source.existing() for build in batch.builds]
        assert {"old", "new"} <= set(shown)


async def test_image_streams_are_existing_images_and_bases(bed, make):
    streams = await bed.client.find("image.openshift.io", "imagestreams")
    image = "registry.example/team/python@sha256:" + "d" * 64
    status = {
        "dockerImageRepository": "registry.example/team/python",
        "tags": [{"tag": "3.11", "items": [{"dockerImageReference": image}]}],
    }
    await bed.client.create(streams, {"metadata": {"name": "python"}, "status": status}, bed.namespace)
    await bed.client.patch(
        streams, "python", {"status": status}, bed.namespace, kind="merge", subresource="status"
    )
    source = make("openshift-builds")
    async with watching(source) as watched:
        shown = [build async for batch in source.existing() for build in batch.builds]
        assert [each.output.name for each in shown] == [image]
        await bed.begin("openshift-builds", "app", [], pod=False)
        builds = await bed.resource("openshift-builds")
        strategy = {
            "type": "Docker",
            "dockerStrategy": {"from": {"kind": "ImageStreamTag", "name": "python:3.11"}},
        }
        await bed.client.patch(builds, "app", {"spec": {"strategy": strategy}}, bed.namespace, kind="merge")
        await bed.end("openshift-builds", "app", wait=False)
        await watched.until(lambda each: each.builds)
        assert watched.builds[0].base.name == image


async def test_restart_goes_on_where_it_was_and_tells_of_what_was_deleted_meanwhile(bed, make):
    async with watching(make("tekton-taskruns")) as watched:
        for name in ("ends", "vanishes"):
            await bed.begin("tekton-taskruns", name, [], pod=False)
        await watched.until(lambda each: len(Position.parse(each.position).running) == 2)
        position = watched.position
    await bed.end("tekton-taskruns", "ends", wait=False)
    await bed.delete("tekton-taskruns", "vanishes")
    async with watching(make("tekton-taskruns"), position) as watched:
        await watched.until(lambda each: len(each.builds) == 2)
        phases = {each.name: each.phase for each in watched.builds}
        assert phases == {"ends": Phase.complete, "vanishes": Phase.cancelled}


async def test_version_that_the_cluster_forgot_is_listed_anew_and_nothing_is_lost(bed, make):
    """410: what ended in the gap is shown, what vanished in it is cancelled, what ended before the agent's time is left."""
    await bed.begin("tekton-taskruns", "before", [], pod=False)
    await bed.end("tekton-taskruns", "before", wait=False)
    await asyncio.sleep(1.1)  # times of objects are whole seconds
    async with watching(make("tekton-taskruns")) as watched:
        for name in ("ends", "vanishes"):
            await bed.begin("tekton-taskruns", name, [], pod=False)
        await watched.until(lambda each: len(Position.parse(each.position).running) == 2)
        position = Position.parse(watched.position)
    position.version = "1"  # long forgotten
    await asyncio.sleep(1.1)
    await bed.end("tekton-taskruns", "ends", wait=False)
    await bed.delete("tekton-taskruns", "vanishes")
    async with watching(make("tekton-taskruns"), position.text()) as watched:
        await watched.until(lambda each: {"ends", "vanishes"} <= {build.name for build in each.builds})
        phases = {each.name: each.phase for each in watched.builds}
        assert phases["ends"] is Phase.complete
        assert phases["vanishes"] is Phase.cancelled
        lost = watched.named("vanishes")[0]
        assert {each.part for each in lost.missing} == set(Part)
        # It ended in the same second as the newest that was there, at most: it may be shown, and the journal would take it once.
        assert len(watched.named("before")) <= 1


async def test_build_that_is_deleted_before_it_ends_is_cancelled(bed, make):
    async with watching(make("shipwright-buildruns")) as watched:
        await bed.begin("shipwright-buildruns", "app", [], pod=False)
        await watched.until(lambda each: Position.parse(each.position).running)
        await bed.delete("shipwright-buildruns", "app")
        await watched.until(lambda each: each.builds)
        assert watched.builds[0].phase is Phase.cancelled


async def test_held_build_cannot_be_deleted_before_it_is_written_down(bed, make):
    source = make("openshift-builds", holds=True)
    async with watching(source) as watched:
        await bed.begin("openshift-builds", "app", ["held"])
        await watched.until(lambda each: Position.parse(each.position).running)
        await eventually(lambda: bed.is_held("openshift-builds", "app"))
        watched.may_go_on.clear()
        await bed.end("openshift-builds", "app")
        await bed.delete("openshift-builds", "app")
        await watched.until(lambda each: each.builds)
        await asyncio.sleep(0.5)
        assert await bed.is_there("openshift-builds", "app")
        watched.may_go_on.set()
        await eventually(lambda: bed.is_gone("openshift-builds", "app"))
        assert watched.builds[0].phase is Phase.complete


async def test_held_build_that_is_deleted_before_it_ends_is_cancelled_and_let_go(bed, make):
    async with watching(make("tekton-taskruns", holds=True)) as watched:
        await bed.begin("tekton-taskruns", "app", [], pod=False)
        await watched.until(lambda each: Position.parse(each.position).running)
        await bed.delete("tekton-taskruns", "app")
        await watched.until(lambda each: each.builds)
        assert watched.builds[0].phase is Phase.cancelled
        await eventually(lambda: bed.is_gone("tekton-taskruns", "app"))


async def test_hold_ends_in_time_and_says_so(bed, make):
    async with watching(make("tekton-taskruns", holds=True, hold_for=1.0)) as watched:
        await bed.begin("tekton-taskruns", "app", [], pod=False)
        await watched.until(lambda each: Position.parse(each.position).running)
        watched.may_go_on.clear()  # the journal has no room
        await bed.end("tekton-taskruns", "app", wait=False)
        await watched.until(lambda each: each.builds)
        await bed.delete("tekton-taskruns", "app")
        await eventually(lambda: bed.is_gone("tekton-taskruns", "app"))
        events = (await bed.client.list(EVENTS, bed.namespace)).items
        assert [each["reason"] for each in events if each["involvedObject"]["name"] == "app"] == [
            "BuildNotJournalled"
        ]


async def test_release_takes_all_holds_off(bed, make):
    async with watching(make("tekton-taskruns", holds=True)) as watched:
        await bed.begin("tekton-taskruns", "app", [], pod=False)
        await watched.until(lambda each: Position.parse(each.position).running)
        await eventually(lambda: bed.is_held("tekton-taskruns", "app"))
    assert await release_all(bed.client, bed.namespace) == [f"taskruns {bed.namespace}/app"]
    await bed.delete("tekton-taskruns", "app")
    assert not await bed.is_there("tekton-taskruns", "app")


async def test_log_of_a_job_that_goes_with_its_pods_in_the_moment_it_ends_was_read_meanwhile(bed, make):
    source = make("jobs", follows=5)
    async with watching(source) as watched:
        await bed.begin("jobs", "brief", ["one", "two"], seconds=3)
        await watched.until(lambda each: Position.parse(each.position).running)
        await eventually(bed.job_is_over)
        await bed.delete("jobs", "brief", propagation="Foreground", grace=0)
        await watched.until(lambda each: each.builds)
        build = watched.builds[0]
        assert build.log == ""
        assert source._spool.path(build.identity).read_bytes() == b"one\ntwo\n"


async def test_pipeline_whose_tasks_are_seen_is_not_shown_as_well(bed, make):
    source = make("tekton-pipelineruns", apart=KINDS["tekton-taskruns"])
    async with watching(source) as watched:
        for name in ("apart", "whole"):
            await bed.begin("tekton-pipelineruns", name, [], pod=False)
        tasks = await bed.resource("tekton-taskruns")
        labels = {"tekton.dev/pipelineRun": "apart"}
        await bed.begin("tekton-taskruns", "task", [], pod=False)
        await bed.client.patch(tasks, "task", {"metadata": {"labels": labels}}, bed.namespace, kind="merge")
        for name in ("apart", "whole"):
            await bed.end("tekton-pipelineruns", name, wait=False)
        await watched.until(lambda each: each.builds)
        assert [each.name for each in watched.builds] == ["whole"]


async def test_kind_that_the_cluster_has_not_is_told_by_check(bed, namespace, tmp_path):
    class Nothing(type(KINDS["jobs"])):
        plural = "nothings"

    source = Cluster(
        "x", Nothing(), Client.open, spool=Spool(tmp_path, 0), secrets=Secrets(), limit=1, namespace=namespace
    )
    with pytest.raises(Exception, match=r"the cluster has no nothings\.batch"):
        await source.check()
    await source.aclose()


async def test_check_says_what_is_watched(bed, make):
    source = make("openshift-builds", holds=True)
    assert await source.check() == f"builds.build.openshift.io in namespace {bed.namespace}"
    await source.aclose()

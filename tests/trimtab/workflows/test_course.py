"""The course of an inspection, with the process engine as it is."""

import asyncio
import os

import pytest

from trimtab.catalog import inspections
from trimtab.engines import EngineLostError, ProcessEngine, ProcessSettings
from trimtab.workflows import building
from trimtab.workflows.course import Course
from trimtab.workflows.running import KILLED

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


class Recorder:
    def __init__(self):
        self.events, self.printed, self.second = [], b"", asyncio.Event()

    def event(self, event):
        self.events.append((event.kind, event.item))
        if self.events[-1] == ("running", 1):
            self.second.set()

    def output(self, item, data):
        self.printed += data


async def go(work):
    with work.journal.held():
        return await Course(work, await work.engine.prepare()).go()


def rows(work):
    with work.place.database.read() as connection:
        row = inspections.by_id(connection, work.id)
        return row["state"], [
            (each["item"], each["attempt"], each["state"])
            for each in inspections.runs_of(connection, work.id)
        ]


async def test_it_is_built_once_and_run_as_often_as_asked_warm_ups_first(make_work):
    watcher = Recorder()
    work = make_work(
        watcher=watcher, run={"requests": {"cpu": "1", "memory": "256Mi"}, "warmup": 1, "timeout": 30}
    )
    report = await go(work)
    kinds = [kind for kind, _ in watcher.events]
    assert kinds.count("building") == kinds.count("accepted") == kinds.count("over") == 1
    assert [item for kind, item in watcher.events if kind == "running"] == [2, 0, 1]
    assert report["state"] == "succeeded"
    assert work.stored.results.items() == [0, 1]
    assert work.stored.results.retrieve_result(1)["stdout"].strip() == "hello"
    assert work.stored.build.retrieve_dockerfile().startswith("FROM registry.example/python:3.11")
    assert rows(work) == ("succeeded", [(0, 1, "succeeded"), (1, 1, "succeeded")])
    assert not work.journal.directory.exists()


async def test_runs_side_by_side_are_each_made_once(make_work):
    watcher = Recorder()
    run = {"requests": {"cpu": "1", "memory": "256Mi"}, "order": "parallel", "timeout": 30}
    work = make_work(watcher=watcher, run=run, batch_size=3)
    report = await go(work)
    assert sorted(item for kind, item in watcher.events if kind == "running") == [0, 1, 2]
    assert [each["item"] for each in report["runs"]] == [0, 1, 2]
    assert report["state"] == "succeeded"


async def test_what_the_script_does_wrong_is_told_with_the_lines_that_matter(make_work):
    work = make_work(batch_size=1, script="#!/bin/sh\necho oh >&2\nexit 3\n")
    report = await go(work)
    assert report["state"] == "failed"
    assert report["failure"] == {
        "kind": "script",
        "reason": "The script ended with exit code 3.",
        "lines": ["oh"],
    }
    assert rows(work) == ("failed", [(0, 1, "failed")])


async def test_what_cannot_be_built_has_no_runs(make_work):
    work = make_work(packages=["which"])
    report = await go(work)
    assert (report["state"], report["runs"]) == ("build_failed", [])
    assert report["failure"]["kind"] == "stack"
    assert rows(work)[0] == "build_failed"


class Losing(ProcessEngine):
    """Goes away as often as it is told, and is well otherwise."""

    builds = runs = 0

    async def build(self, request, log):
        if self.builds:
            self.builds -= 1
            raise EngineLostError("the engine went away")
        return await super().build(request, log)

    async def run(self, request, log):
        done = await super().run(request, log)
        if self.runs:
            self.runs -= 1
            object.__setattr__(done, "lost", "the engine went away")
        return done


async def test_what_the_infrastructure_loses_is_tried_again_and_stays_visible(make_work, engine_state):
    engine = Losing(engine_state, ProcessSettings(groups=False))
    engine.builds, engine.runs = 1, 1
    work = make_work(engine)
    report = await go(work)
    assert report["state"] == "succeeded"
    assert rows(work)[1] == [(0, 1, "lost"), (0, 2, "succeeded"), (1, 1, "succeeded")]
    assert report["runs"][0]["failure"]["kind"] == "infrastructure"


@pytest.mark.parametrize(
    "requests", [{"gpu": 1}, {"hardware": {"cpu_family": 999, "cpu_model": 1, "processor": "None-Such"}}]
)
async def test_what_this_machine_has_not_for_runs_is_refused_before_anything_is_built(make_work, requests):
    """A build may take an hour, and a batch has ten thousand runs to be refused."""
    watcher = Recorder()
    work = make_work(watcher=watcher, run={"requests": {"cpu": "1", "memory": "256Mi", **requests}})
    report = await go(work)
    assert (report["state"], report["runs"], report["build"]) == ("build_failed", [], None)
    assert report["failure"]["kind"] == "infrastructure"
    assert "running" not in [kind for kind, _ in watcher.events]


async def test_resources_of_runs_do_not_matter_where_nothing_is_run(make_work):
    work = make_work(script=None, run={"requests": {"cpu": "1", "memory": "256Mi", "gpu": 1}})
    assert (await go(work))["state"] == "succeeded"


async def test_trying_again_has_a_bound(make_work, engine_state):
    engine = Losing(engine_state, ProcessSettings(groups=False))
    engine.runs = 1000
    work = make_work(engine, batch_size=1)
    report = await go(work)
    assert report["state"] == "failed"
    assert rows(work)[1] == [(0, attempt, "lost") for attempt in (1, 2, 3)]
    assert work.stored.results.items() == []


async def test_who_continues_makes_only_what_is_missing(make_work):
    """A process died after run 0, and in the middle of run 1."""
    work = make_work()
    with work.journal.held():
        course = Course(work, await work.engine.prepare())
        await course._accept()
        await building.build(work)
        await course._run(0)
        work.journal.write("runs/1.1.begun", "2026-11-26T22:00:00+00:00")
    watcher = Recorder()
    object.__setattr__(work, "watcher", watcher)
    report = await go(work)
    assert [item for kind, item in watcher.events if kind == "running"] == [1]
    assert "building" not in [kind for kind, _ in watcher.events]
    assert report["state"] == "succeeded"
    assert [(each["item"], each["attempt"], each["lost"]) for each in report["runs"]] == [
        (0, 1, None),
        (1, 1, KILLED),
        (1, 2, None),
    ]


async def test_whoever_is_second_to_conclude_is_told_what_is_there(make_work):
    work = make_work(batch_size=1)
    first = await go(work)
    assert await go(work) == first


async def test_what_is_cancelled_is_ended_and_concluded(make_work):
    """The first run is done and stays; the second is ended in the middle."""
    watcher = Recorder()
    script = '#!/bin/sh\ncase "$THOTH_OUTPUT_PATH" in */1/*|*/1.1/*) echo started; exec sleep 1000 ;; esac\n'
    work = make_work(watcher=watcher, script=script)
    task = asyncio.ensure_future(go(work))
    async with asyncio.timeout(100):
        await watcher.second.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    report = work.stored.retrieve_report()
    assert report["state"] == "cancelled"
    assert [(each["item"], each["state"]) for each in report["runs"]] == [(0, "succeeded"), (1, "lost")]
    assert report["runs"][1]["lost"] == "it was under way when the inspection was ended on request"
    assert rows(work)[0] == "cancelled"
    assert not work.journal.directory.exists()


async def test_no_token_of_a_run_is_in_a_document(make_work, monkeypatch):
    tokens = []

    def known(length):
        token = os.urandom(length).hex()
        tokens.extend([token] if length == 16 else [])
        return token

    monkeypatch.setattr("trimtab.workflows.running.secrets.token_hex", known)
    work = make_work(batch_size=1, script="#!/bin/sh\nenv\n")
    await go(work)
    kept = b"".join(
        work.place.inspections.store.get(each.key) for each in work.place.inspections.store.list()
    )
    assert tokens
    assert not any(token.encode() in kept for token in tokens)

"""From a source to the backend: each build once, whatever is missing, whoever is away."""

from __future__ import annotations

import asyncio
import json

import pytest

from servo.connectors.builds.build import Image, Missing, Part, Phase
from servo.connectors.builds.errors import PartError
from servo.connectors.builds.journal import State, records


def failing_first(times, answer):
    """A fault that passes."""
    left = [times]

    def fault(key):
        left[0] -= 1
        return answer if left[0] >= 0 else None

    return fault


async def test_a_build_is_sent_with_its_parts(agent, source, backend, build, until):
    await agent()
    source.show(build(exit_code=0, namespace="team", labels={"a": "b"}, started_at=1.0, finished_at=None))
    await until(lambda: backend.taken)
    ((key, target, headers, body),) = backend.requests
    assert key == headers["Idempotency-Key"] == "one"
    assert target == "/api/v1/build-analysis?environment_type=runtime"
    assert json.loads(body) == {
        "base_image": "registry.example/base:1",
        "output_image": "registry.example/team/app:1",
        "missing": [],
        "build": {
            "identity": "one", "name": "app", "namespace": "team", "source": "list", "phase": "complete",
            "started_at": 1.0, "finished_at": None, "exit_code": 0, "labels": {"a": "b"},
        },
        "build_log": {"apiversion": None, "kind": "BuildLog", "metadata": None, "log": "STEP 1/1: RUN true\n"},
    }  # fmt: skip


@pytest.mark.parametrize("phase", [Phase.failed, Phase.cancelled, Phase.timed_out, Phase.error])
async def test_builds_that_did_not_end_well_are_sent(agent, source, backend, build, until, phase):
    """W1: the original ignored the very builds that it was made for."""
    running = await agent()
    source.show(build(phase=phase, output=None))
    await until(lambda: backend.taken)
    assert backend.taken["one"]["build"]["phase"] == phase
    assert backend.taken["one"]["output_image"] is None
    assert running.metrics.total("build_watcher_builds_failed_total", str(phase)) == 1


async def test_a_build_that_is_seen_again_is_not_sent_again(agent, source, backend, build, until):
    """W9: each event of a build led to a submission."""
    running = await agent()
    source.show(build())
    source.show(build(labels={"changed": "yes"}), build("two"))
    await until(lambda: len(backend.taken) == 2)
    assert [key for key, *_ in backend.requests] == ["one", "two"]
    assert running.metrics.total("build_watcher_builds_total", "list", "duplicate") == 1


async def test_nor_after_a_restart(agent, source, backend, build, until):
    """W9."""
    first = await agent()
    source.show(build(), position="7")
    await until(lambda: backend.taken)
    await until(lambda: first.metrics.total("build_watcher_builds_total", outcome="submitted"))
    await first.stop()
    await agent()
    source.show(build(), build("two"))
    await until(lambda: len(backend.taken) == 2)
    assert [key for key, *_ in backend.requests] == ["one", "two"]
    assert source.positions == [None, "7"]


async def test_a_log_that_cannot_be_had_does_not_keep_the_images(agent, source, backend, build, until):
    await agent()
    source.logs["one"] = PartError("the pod is gone; its token was ghp_" + "a" * 36)
    source.show(build())
    await until(lambda: backend.taken)
    sent = backend.taken["one"]
    assert sent["build_log"] is None
    assert sent["output_image"]
    assert sent["missing"] == [{"part": "build_log", "reason": "the pod is gone; its token was [redacted]"}]


async def test_an_image_without_a_registry_does_not_keep_the_log(agent, source, backend, build, until):
    """W2: a missing output image lost the whole build."""
    await agent()
    source.show(build(base=None, output=Image(local="containers-storage:1", shown="localhost/app:1")))
    await until(lambda: backend.taken)
    sent = backend.taken["one"]
    assert sent["build_log"]["log"] == "STEP 1/1: RUN true\n"
    assert [each["part"] for each in sent["missing"]] == ["output_image"]


async def test_what_a_source_knows_to_be_missing_is_told(agent, source, backend, build, until):
    await agent()
    source.show(build(log=None, missing=(Missing(Part.log, "none is kept"), Missing(Part.base, "unknown"))))
    await until(lambda: backend.taken)
    assert backend.taken["one"]["missing"] == [{"part": "build_log", "reason": "none is kept"}]


async def test_a_build_without_any_part_becomes_a_tombstone_that_says_why(
    agent, source, backend, build, until, state_of
):
    running = await agent()
    source.show(build(log=None, base=None, output=None, missing=(Missing(Part.log, "none is kept"),)))
    await until(lambda: state_of(running.journal, "one"))
    await until(lambda: running.metrics.total("build_watcher_builds_total", outcome="tombstone"))
    record = await running.journal.read(records.one, "one")
    assert record.state is State.tombstone
    assert record.reason == "nothing of it could be had (build_log: none is kept)"
    assert not backend.requests


@pytest.mark.parametrize(
    ("setting", "part"),
    [("base_image", "base_image"), ("output_image", "output_image"), ("build_log", "build_log")],
)
async def test_the_operator_says_what_is_never_sent(
    agent, source, backend, build, until, config, setting, part
):
    await agent(config(**{setting: False}))
    source.show(build())
    await until(lambda: backend.taken)
    sent = backend.taken["one"]
    assert sent[part] is None
    assert sent["missing"] == []
    assert sum(sent[each] is not None for each in ("base_image", "output_image", "build_log")) == 2


@pytest.mark.parametrize("status", [429, 500, 502, 503, 401, 404])
async def test_what_may_pass_is_tried_again(agent, source, backend, build, until, config, refused, status):
    """W7: any failure lost the build."""
    running = await agent(config(retry={"first": "10ms", "longest": "20ms"}))
    backend.fault = failing_first(3, refused(status))
    source.show(build())
    await until(lambda: backend.taken)
    await until(lambda: running.metrics.total("build_watcher_builds_total", outcome="submitted") == 1)
    assert len(backend.requests) == 4
    assert {key for key, *_ in backend.requests} == {"one"}
    assert running.metrics.total("build_watcher_builds_total", outcome="postponed") == 3


async def test_nobody_who_answers_is_tried_again(agent, source, backend, build, until, config, away):
    await agent(config(retry={"first": "10ms", "longest": "20ms"}))
    backend.fault = away
    source.show(build())
    await until(lambda: len(backend.requests) >= 3)
    backend.fault = lambda key: None
    await until(lambda: backend.taken)


@pytest.mark.parametrize(
    ("status", "document"),
    [
        (400, {"error": "invalid reference", "parameters": {}}),
        (403, {"error": "wrong", "parameters": {}}),
        (422, {"detail": "no"}),
    ],
)
async def test_what_is_refused_for_good_becomes_a_tombstone(  # noqa: PLR0917 - fixtures
    agent, source, backend, build, until, refused, state_of, status, document
):
    running = await agent()
    backend.fault = lambda key: refused(status, document)
    source.show(build())
    await until(lambda: running.metrics.total("build_watcher_builds_total", outcome="tombstone"))
    record = await running.journal.read(records.one, "one")
    assert record.reason.startswith(f"{status}: ")
    assert len(backend.requests) == 1


async def test_a_tombstone_that_is_revived_is_sent_with_the_log_it_had(
    agent, source, backend, build, until, refused
):
    running = await agent()
    backend.fault = lambda key: refused(400, {"error": "x", "parameters": {}})
    source.show(build())
    await until(lambda: running.metrics.total("build_watcher_builds_total", outcome="tombstone"))
    backend.fault, source.logs["one"] = lambda key: None, PartError("gone since")
    assert await running.journal.write(records.revived, ["one"], running._clock()) == 1
    running.submitter.wake()
    await until(lambda: backend.taken)
    assert backend.taken["one"]["build_log"]["log"] == "STEP 1/1: RUN true\n"
    await until(lambda: not running.spool.has("one"))


async def test_a_log_that_is_too_large_for_the_backend_is_left_out(
    agent, source, backend, build, until, refused
):
    await agent()
    backend.fault = failing_first(1, refused(413))
    source.show(build())
    await until(lambda: backend.taken)
    assert backend.taken["one"]["missing"] == [
        {"part": "build_log", "reason": "it is too large for the backend"}
    ]


async def test_a_build_that_brings_out_a_defect_does_not_keep_the_others(
    agent, source, backend, build, until, config
):
    running = await agent(config(retry={"first": "1h", "longest": "1h"}))
    source.logs["one"] = RuntimeError("a defect")
    source.show(build(), build("two"))
    await until(lambda: "two" in backend.taken)
    await until(lambda: running.metrics.total("build_watcher_builds_total", outcome="postponed"))
    record = await running.journal.read(records.one, "one")
    assert (record.state, record.reason) == (State.waiting, "the agent failed: RuntimeError")


async def test_while_the_backend_is_away_logs_are_kept(agent, source, backend, build, until, config, away):
    running = await agent(config(retry={"first": "50ms", "longest": "100ms"}, workers=1))
    backend.fault = away
    source.show(build())
    await until(lambda: running.submitter.gate.trouble)
    source.show(build("two"))
    await until(lambda: running.spool.has("two"))
    source.logs["two"] = PartError("gone since")
    backend.fault = lambda key: None
    await until(lambda: len(backend.taken) == 2)
    assert backend.taken["two"]["build_log"]["log"] == "STEP 1/1: RUN true\n"
    await until(lambda: running.spool.size == 0)


async def test_while_the_backend_is_away_one_at_a_time_asks(
    agent, source, backend, build, until, config, away
):
    running = await agent(config(retry={"first": "10ms", "longest": "20ms"}, workers=16))
    asking, most = 0, 0

    async def request(*args, **kwargs):
        nonlocal asking, most
        asking += 1
        most = max(most, asking) if not running.submitter.gate.is_open else most
        await asyncio.sleep(0.005)
        asking -= 1
        away("")

    backend.request = request
    source.show(build("first"))
    await until(lambda: running.submitter.gate.trouble)
    source.show(*(build(f"b{number}") for number in range(50)))
    await until(lambda: running.metrics.total("build_watcher_builds_total", outcome="postponed") > 5)
    assert most <= 1


async def test_a_full_queue_keeps_sources_waiting(agent, source, backend, build, until, config, away):
    running = await agent(config(queue={"builds": 5}, retry={"first": "20ms", "longest": "40ms"}))
    backend.fault = away
    for number in range(20):
        source.show(build(f"b{number}"))
    await until(lambda: running.submitter.gate.trouble)
    await until(lambda: len(source.batches) == 14)  # five are written, one is in hand
    assert sum((await running.journal.read(records.counts)).values()) == 5
    backend.fault = lambda key: None
    await until(lambda: len(backend.taken) == 20)


async def test_what_ended_before_the_journal_can_remember_is_not_sent(
    agent, source, backend, build, until, config
):
    await agent(config(queue={"retention": "1d"}))
    source.show(build(finished_at=1.0), build("two"))
    await until(lambda: backend.taken)
    assert [key for key, *_ in backend.requests] == ["two"]


async def test_images_that_are_there_already_are_sent_where_asked_for(
    agent, source, backend, build, until, config
):
    from servo.connectors.builds.sources import Batch

    source.there = [Batch((build("old", log=None, base=None),))]
    await agent(config(analyze_existing=True))
    await until(lambda: "old" in backend.taken)


async def test_a_source_that_fails_is_noticed_and_read_again(agent, source, backend, build, until):
    """W6: nobody noticed that the producer of events was dead."""
    running = await agent()
    await until(lambda: source.positions)

    async def watch(position):
        raise RuntimeError("boom")
        yield

    original, source.watch = source.watch, watch
    await until(lambda: source.positions)
    source.show(build())
    await until(lambda: backend.taken)
    source.batches.append(None)  # nonsense, for which the watcher fails
    source.given.set()
    await until(running.trouble)
    assert "list:" in running.trouble()
    assert running.metrics.total("build_watcher_source_errors_total", "list") >= 1
    source.watch = original
    source.show(build("two"))
    await until(lambda: "two" in backend.taken)
    assert running.trouble() is None


async def test_secrets_are_not_in_what_is_sent(agent, source, backend, build, until, config, monkeypatch):
    monkeypatch.setenv("INDEX_PASSWORD", "correct horse")
    await agent(config(log={"secret_environment": ["INDEX_PASSWORD"]}))
    source.logs["one"] = (
        b"pip install --index-url https://u:correct%20horse@pypi.example\nAuthorization: Basic abc\n"
    )
    source.show(build(labels={"url": "https://me:pass@git.example"}))
    await until(lambda: backend.taken)
    (_, _, _, body) = backend.requests[0]
    assert b"correct" not in body
    assert b"Basic abc" not in body
    assert b"me:pass" not in body


async def test_no_more_of_a_log_is_sent_than_the_operator_wants(agent, source, backend, build, until, config):
    await agent(config(log={"limit": 2048}))
    source.logs["one"] = b"first\n" + b"x" * 100_000 + b"\nlast\n"
    source.show(build())
    await until(lambda: backend.taken)
    log = backend.taken["one"]["build_log"]["log"]
    assert log.startswith("first\n")
    assert log.endswith("\nlast\n")
    assert "[97964 bytes left out by the agent]" in log
    assert len(log) < 2048 + 60


async def test_a_log_with_escapes_and_broken_text_is_sent_as_a_text(agent, source, backend, build, until):
    await agent()
    source.logs["one"] = b"\x1b[31mred\x1b[0m \0 \xff <script> \r\n"
    source.show(build())
    await until(lambda: backend.taken)
    assert (
        backend.taken["one"]["build_log"]["log"]
        == "\x1b[31mred\x1b[0m \0 \N{REPLACEMENT CHARACTER} <script> \r\n"
    )


async def test_what_the_backend_is_told_with_each_build(agent, source, backend, build, until, config):
    """W16: the environment's type was overwritten; and no password is in a URL (W14)."""
    settings = {
        "environment_type": "buildtime",
        "origin": "a&b=c",
        "debug": True,
        "force": True,
        "source_registry": {"verify_tls": False},
    }
    await agent(config(**settings, destination_registry={"user": "u", "password": "a-word"}))
    source.show(build())
    await until(lambda: backend.taken)
    assert backend.requests[0][1] == (
        "/api/v1/build-analysis?environment_type=buildtime&origin=a%26b%3Dc&debug=true&force=true&base_registry_verify_tls=false"
    )


async def test_two_agents_do_not_share_a_journal(agent, config, monkeypatch):
    monkeypatch.setattr("servo.connectors.builds.agent.LOCK_TRIES", 1)
    await agent()
    with pytest.raises(Exception, match="another agent uses the journal"):
        await agent()

"""A directory, a pipe, and events of engines."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from servo.connectors.builds.build import Phase
from servo.connectors.builds.configuration import BuildsConfiguration
from servo.connectors.builds.errors import PartError, SourceError
from servo.connectors.builds.logs import Log, json_text
from servo.connectors.builds.redaction import Redactor, Secrets
from servo.connectors.builds.sources.description import KEYS, build_of, parse
from servo.connectors.builds.sources.directory import Directory
from servo.connectors.builds.sources.engine import Docker, Podman, _time
from servo.connectors.builds.sources.pipe import MAX_LINE, Pipe
from servo.connectors.builds.spool import Spool

PAGE = Path(__file__).parents[4] / "docs" / "builds-agent.md"


async def first(source, count=1):
    """The first builds that a source shows."""
    found = []
    async with asyncio.timeout(30):
        async for batch in source.watch(None):
            found += batch.builds
            if len(found) >= count:
                break
    return found


async def whole(pieces):
    return b"".join([piece async for piece in pieces])


async def test_a_log_with_a_description_is_a_build_at_once(tmp_path):
    (tmp_path / "app-1.log").write_text("STEP 1/1\n")
    (tmp_path / "app-1.json").write_text(
        json.dumps({"phase": "failed", "exit_code": 2, "base_image": "r.example/b:1"})
    )
    source = Directory("d", tmp_path, interval=0.01)
    (build,) = await first(source)
    assert (build.name, build.phase, build.exit_code, build.base.name) == (
        "app-1",
        Phase.failed,
        2,
        "r.example/b:1",
    )
    assert await whole(source.log(build)) == b"STEP 1/1\n"


async def test_a_log_without_one_is_over_when_it_has_settled(tmp_path):
    (tmp_path / "new.log").write_text("going on")
    (tmp_path / "old.log").write_text("over")
    os.utime(tmp_path / "old.log", (1e9, 1e9))
    (build,) = await first(Directory("d", tmp_path, interval=0.01))
    assert (build.name, build.phase, build.finished_at) == ("old", Phase.unknown, 1e9)
    assert build.described()["phase"] is None


async def test_a_description_that_cannot_be_read_keeps_the_log_from_nothing(tmp_path):
    (tmp_path / "a.log").write_text("x")
    (tmp_path / "a.json").write_text('{"phase": "exploded"}')
    (build,) = await first(Directory("d", tmp_path, interval=0.01))
    assert [str(each.part) for each in build.missing] == ["base_image", "output_image"]
    assert "phase is one of complete" in build.missing[0].reason


async def test_a_log_that_is_written_anew_is_another_build(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("one")
    os.utime(log, (1e9, 1e9))
    (before,) = await first(Directory("d", tmp_path, interval=0.01))
    (again,) = await first(Directory("d", tmp_path, interval=0.01))
    os.utime(log, (1e9 + 1, 1e9 + 1))
    (after,) = await first(Directory("d", tmp_path, interval=0.01))
    assert before.identity == again.identity != after.identity


async def test_nothing_outside_a_directory_is_read(tmp_path, build):
    source = Directory("d", tmp_path)
    for name in ("../secret", "/etc/passwd", "..", ""):
        with pytest.raises(PartError):
            await whole(source.log(build(log=name)))
    (tmp_path / "link.log").symlink_to("/etc/passwd")
    (tmp_path / "pipe.log").write_text("x")
    os.utime(tmp_path / "pipe.log", (1e9, 1e9))
    assert [each.name for each in await first(Directory("d", tmp_path, interval=0.01))] == ["pipe"]


async def test_a_directory_that_is_not_there_is_told(tmp_path):
    with pytest.raises(SourceError, match="cannot be read"):
        await first(Directory("d", tmp_path / "none"))
    with pytest.raises(SourceError, match="no directory"):
        await Directory("d", tmp_path / "none").check()


async def test_lines_of_a_pipe_are_builds_and_nonsense_is_passed_over(tmp_path):
    spool = Spool(tmp_path / "spool", 10**9)
    source = Pipe("p", tmp_path / "pipe", spool, Secrets(), 10**6)
    lines = [
        "nonsense", '{"unknown": 1}', json.dumps({"log": "x" * (MAX_LINE + 10)}),
        json.dumps({"name": "app", "exit_code": 1, "log": "https://a:b@c.example \N{SNOWMAN}"}),
    ]  # fmt: skip
    await source.check()

    def write():
        with (tmp_path / "pipe").open("w") as pipe:
            pipe.write("\n".join([*lines, ""]))

    writing = asyncio.create_task(asyncio.to_thread(write))
    (build,) = await first(source)
    await writing
    assert (build.name, build.phase, build.log) == ("app", Phase.failed, "")
    assert spool.path(build.identity).read_text() == "https://[redacted]@c.example \N{SNOWMAN}"


async def test_a_file_is_no_pipe(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="no named pipe"):
        await Pipe("p", tmp_path / "file", Spool(tmp_path / "s", 0), Secrets(), 10).check()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", '{"name": 1}', '{"exit_code": "1"}', '{"exit_code": true}', '{"started_at": NaN}', '{"labels": []}',
     '{"x": 1}', '{"name": "' + "x" * 3000 + '"}', "[" * 100_000],
)  # fmt: skip
def test_what_is_no_description_is_told(text):
    with pytest.raises(ValueError, match=r"JSON|key|text|number|object"):
        parse(text)


@given(st.text() | st.binary())
def test_whatever_a_description_is_it_raises_nothing_else(text):
    with contextlib.suppress(ValueError):
        build_of(parse(text), "d", fallback="x", log=None)


def test_each_key_of_a_description_is_documented():
    page = PAGE.read_text()
    assert [key for key in KEYS if f'"{key}"' not in page and f"`{key}`" not in page] == []


IMAGE = {
    "Id": "ab" * 32, "RepoTags": ["localhost/app:1"], "Created": "2026-11-27T05:48:55.133670686Z",
    "Annotations": {"org.opencontainers.image.base.name": "registry.example/base:1", "org.opencontainers.image.base.digest": "sha256:" + 64 * "0"},
}  # fmt: skip


@pytest.fixture
def engine(tmp_path):
    """An engine's program that prints events and images."""

    def make(kind, events, images):
        (tmp_path / "events").write_text("\n".join([*map(json.dumps, events), ""]))
        (tmp_path / "images").write_text(json.dumps(images))
        program = tmp_path / "engine"
        program.write_text(
            f'#!/bin/sh\ncase "$*" in *events*) cat {tmp_path}/events; exec sleep 60;; *base*) exit 1;; *inspect*) cat {tmp_path}/images;; esac\n'
        )
        program.chmod(0o755)
        return kind("engine", "agent", program=str(program))

    return make


async def watched(source, position, count):
    found = []
    async with asyncio.timeout(30):
        async for batch in source.watch(position):
            found.append(batch)
            if sum(len(each.builds) for each in found) >= count:
                break
    return found


async def test_builds_of_podman_good_and_failed(engine):
    events = [
        {"Name": "x", "Status": "build", "Time": "2026-11-27T05:00:00.1Z", "Type": "image"},
        {"Name": "ab" * 32, "Status": "tag", "Time": "2026-11-27T06:00:00Z", "Type": "image"},
        {"Name": "ab" * 32, "Status": "build", "Time": "2026-11-27T06:00:00.268712606Z", "Type": "image"},
        {"Status": "build", "Time": "2026-11-27T06:00:01.4Z", "Type": "image", "Attributes": None},
    ]
    since = _time("2026-11-27T06:00:00Z")
    batches = await watched(engine(Podman, events, [IMAGE]), repr(since), 2)
    good, bad = (each.builds[0] for each in batches)
    assert (good.name, good.phase, good.output.local) == (
        "localhost/app:1",
        Phase.complete,
        "containers-storage:" + "ab" * 32,
    )
    assert good.output.name is None
    assert good.base.name == "registry.example/base@sha256:" + 64 * "0"
    assert (bad.phase, bad.output, bad.log) == (Phase.failed, None, None)
    assert float(batches[-1].position) == pytest.approx(since + 1.4)


async def test_builds_of_docker_by_their_names(engine):
    made = _time(IMAGE["Created"])
    events = [
        {"status": "tag", "id": "sha256:" + "ab" * 32, "timeNano": int((made + offset) * 1e9)}
        for offset in (1, 2, 5000)
    ]
    batches = await watched(engine(Docker, events, [{**IMAGE, "Parent": ""}]), "0", 2)
    assert len({each.identity for batch in batches for each in batch.builds}) == 1  # two names, one build


async def test_an_engine_that_ends_is_told(tmp_path):
    with pytest.raises(SourceError, match="tells of no events"):
        await watched(Podman("p", "a", program="true"), "0", 1)
    with pytest.raises(SourceError, match="install it"):
        await Podman("p", "a", program="/nowhere/podman").check()


def test_a_long_line_is_bounded(tmp_path):
    """1 GB on one line; here as much as shows that what is kept does not grow."""
    with Log(Secrets(), 100_000) as log:
        log.feed(b"the beginning ")
        for _ in range(64):
            log.feed(b"x" * 1_000_000)
        log.feed(b" the end")
        log.finish()
        kept = b"".join(log.pieces())
    assert log.size == 64_000_022
    assert log.kept == 100_000
    assert kept.startswith(b"the beginning")
    assert kept.endswith(b" the end")
    assert b"[63900022 bytes left out by the agent]" in kept
    assert len(kept) < 100_100


@given(st.lists(st.binary(max_size=300), max_size=20), st.integers(4, 500))
def test_what_is_kept_of_a_log_is_its_beginning_and_its_end(chunks, limit):
    data = b"".join(chunks)
    with Log(Secrets(patterns=False), limit) as log:
        for each in chunks:
            log.feed(each)
        log.finish()
        kept = b"".join(log.pieces())
    head = limit // 4
    if len(data) <= limit:
        assert kept == data
    else:
        assert kept.startswith(data[:head])
        assert kept.endswith(data[len(data) - (limit - head) :])


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_a_log_is_a_text_of_json_whatever_its_bytes(chunks):
    assert json.loads(b"".join(json_text(chunks))) == b"".join(chunks).decode("utf-8", "replace")


def test_the_example_of_the_page_is_valid():
    import re

    page = PAGE.read_text()
    example = yaml.safe_load(re.search(r"```yaml\n(.*?)```", page, re.DOTALL)[1])
    assert BuildsConfiguration.model_validate(example["builds"]).sources[1].path == Path("/var/log/builds")
    parse(re.search(r"```json\n(.*?)```", page, re.DOTALL)[1])


@given(
    st.lists(st.binary(max_size=300) | st.just(b" password=hunter2 "), max_size=20), st.integers(1024, 9000)
)
def test_a_log_that_is_exposed_is_in_its_file_and_the_same_in_the_end(chunks, limit):
    """Who reads the file after a kill finds what came, without its secrets."""
    file = io.BytesIO()
    with Log(Secrets(), limit, file) as exposed, Log(Secrets(), limit) as other:
        for number, each in enumerate(chunks):
            exposed.feed(each)
            other.feed(each)
            exposed.expose()
            so_far = b"".join(chunks[: number + 1])
            if len(so_far) <= limit:
                assert file.getvalue() == redacted(so_far)
        exposed.finish()
        other.finish()
        assert b"".join(exposed.pieces()) == b"".join(other.pieces())
        assert len(file.getvalue()) == exposed.kept


def redacted(data):
    redactor = Redactor(Secrets())
    return b"".join([*redactor.feed(data), *redactor.finish()])


@given(st.binary(max_size=3000), st.integers(1024, 4000))
def test_a_body_is_the_same_as_a_whole_and_in_pieces(data, limit):
    from servo.connectors.builds.backend import Submission
    from servo.connectors.builds.build import Missing, Part
    from servo.connectors.builds.credentials import Credentials

    with Log(Secrets(), limit) as log:
        log.feed(data)
        log.finish()
        submission = Submission("one", {"a": "\N{SNOWMAN}"}, {Part.base: "a:1"}, {Part.base: Credentials("u", "p")}, log=log, missing=[Missing(Part.output, "gone")])  # fmt: skip
        whole = json.loads(submission.body())
        assert json.loads(b"".join(submission.pieces())) == whole
    assert whole["build_log"].keys() == {"apiversion", "kind", "metadata", "log"}
    submission.log = None
    assert json.loads(b"".join(submission.pieces())) == {**whole, "build_log": None}

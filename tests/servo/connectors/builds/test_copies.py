"""The intermediate registry: which credentials go where, what copies are called, when they are deleted."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from servo.connectors.builds.build import Image, Part
from servo.connectors.builds.copying import Registry, Skopeo
from servo.connectors.builds.credentials import PREFIX, Credentials, authfile, swept
from servo.connectors.builds.errors import PartError, PassingError
from servo.connectors.builds.journal import records
from servo.connectors.builds.references import MAX_TAG, Reference, collision_free, original

DIGEST = "sha256:" + "0123456789abcdef" * 4


class StubSkopeo:
    """Remembers what it was to copy."""

    def __init__(self, failures=()):
        self.copied, self.deleted, self.failures = [], [], list(failures)

    async def copy(self, image, target, source, push):
        self.copied.append((image, target, source, push))
        if self.failures:
            raise self.failures.pop(0)
        return DIGEST

    async def delete(self, reference, registry):
        self.deleted.append(reference)


COPYING = {
    "copy_to": {"registry": "push.example/builds"},
    "source_registry": {"user": "reader", "password": "source-word", "verify_tls": False},
    "destination_registry": {"user": "writer", "password": "push-word"},
}


async def test_copies_are_what_is_submitted_with_the_credentials_of_their_registry(
    agent, source, backend, build, until, config
):
    """W4: a copied base image was submitted with the credentials of the registry it came from."""
    skopeo = StubSkopeo()
    await agent(config(**COPYING), skopeo=skopeo)
    source.show(build())
    await until(lambda: backend.taken)
    sent = backend.taken["one"]
    assert sent["base_image"].startswith("push.example/builds/base-")
    assert sent["base_image"].endswith(f"@{DIGEST}")
    assert sent["credentials"] == {
        "base": {"user": "writer", "password": "push-word"},
        "output": {"user": "writer", "password": "push-word"},
    }
    (_, target, *_) = backend.requests[0]
    assert "word" not in backend.requests[0][1]
    assert "verify_tls" not in target  # only the source's is not verified
    for _, _, at_source, at_push in skopeo.copied:
        assert (at_source.credentials.password, at_source.verify) == ("source-word", False)
        assert (at_push.credentials.password, at_push.verify) == ("push-word", True)


@pytest.mark.parametrize("off", ["base_image", "output_image"])
async def test_what_is_copied_has_its_credentials_whatever_else_is_sent(
    agent, source, backend, build, until, config, off
):
    """W4: with `--no-base` the copy of the output had no credentials of its source. W3: nor without a push password."""
    skopeo = StubSkopeo()
    settings = {**COPYING, off: False, "destination_registry": {}}
    await agent(config(**settings), skopeo=skopeo)
    source.show(build())
    await until(lambda: backend.taken)
    ((_, _, at_source, at_push),) = skopeo.copied
    assert at_source.credentials == Credentials("reader", "source-word")
    assert at_push.credentials is None


async def test_a_build_without_an_output_is_sent_all_the_same(agent, source, backend, build, until, config):
    """W2: its copy was tried with null, and the build was lost."""
    skopeo = StubSkopeo()
    await agent(config(**COPYING), skopeo=skopeo)
    source.show(build(output=None))
    await until(lambda: backend.taken)
    assert len(skopeo.copied) == 1
    assert backend.taken["one"]["output_image"] is None


async def test_a_copy_that_failed_is_not_submitted(agent, source, backend, build, until, config):
    """W5: what was never pushed was submitted, and counted as pushed."""
    failure = PartError("denied: not yours")
    running = await agent(config(**COPYING), skopeo=StubSkopeo([failure, failure]))
    source.show(build())
    await until(lambda: backend.taken)
    sent = backend.taken["one"]
    assert sent["base_image"] is sent["output_image"] is None
    assert {each["reason"] for each in sent["missing"]} == {"denied: not yours"}
    name = "build_watcher_image_pushed_registry_total"
    assert (running.metrics.total(name, outcome="copied"), running.metrics.total(name, outcome="failed")) == (
        0,
        2,
    )


async def test_a_copy_that_may_go_well_later_is_waited_for_and_not_made_twice(
    agent, source, backend, build, until, config
):
    skopeo = StubSkopeo([PassingError("too many requests")])
    await agent(config(**COPYING, retry={"first": "10ms", "longest": "10ms"}), skopeo=skopeo)
    source.show(build())
    await until(lambda: backend.taken)
    assert backend.taken["one"]["missing"] == []
    assert [image.name for image, *_ in skopeo.copied] == [
        "registry.example/base:1",
        "registry.example/base:1",
        "registry.example/team/app:1",
    ]


async def test_copies_expire_unless_somebody_else_points_to_them(
    agent, source, backend, build, until, config
):
    now = [1000.0]
    skopeo = StubSkopeo()
    settings = {**COPYING, "copy_to": {"registry": "push.example/builds", "keep": "1h"}, "base_image": False}
    running = await agent(config(**settings), skopeo=skopeo, clock=lambda: now[0])
    source.show(build())
    await until(lambda: running.metrics.total("build_watcher_builds_total", outcome="submitted") == 1)
    now[0] += 1800
    source.show(build("two"))
    await until(lambda: running.metrics.total("build_watcher_builds_total", outcome="submitted") == 2)
    tidy = running.housekeeping
    now[0] += 1900
    assert await tidy.expire() == 1  # of `one`: its tag is the same manifest as that of `two`
    assert skopeo.deleted == []
    now[0] += 3600
    assert await tidy.expire() == 1
    assert len(skopeo.deleted) == 1
    assert skopeo.deleted[0].endswith(f"@{DIGEST}")


def read(path):
    return Path(path).read_text()


@pytest.fixture
def program(tmp_path):
    """A program that stands for skopeo, and tells with what it was called and what it saw."""
    path = tmp_path / "skopeo"
    seen = tmp_path / "seen"
    path.write_text(
        f"#!/bin/sh\nprintf '%s\\n' \"$@\" >> {seen}\n"
        'for a; do case "$before" in --digestfile) echo ' + DIGEST + ' > "$a";; --*authfile) cat "$a" >> '
        f'{seen}.auth; stat -c "%a" "$a" >> {seen}.mode;; esac; before=$a; done\n'
        f'case "$2" in inspect) echo {DIGEST};; esac\n'
    )
    path.chmod(0o755)
    return path, seen


async def test_no_secret_is_among_the_arguments(program, tmp_path):
    """W8: user and password were arguments, in a line that a shell read."""
    path, seen = program
    hostile = "registry.example/app:1;touch${IFS}pwned"
    skopeo = Skopeo(str(path))
    with pytest.raises(PartError, match="no reference"):
        await skopeo.copy(Image(hostile), "push.example/x:1", Registry(), Registry())
    with pytest.raises(PartError, match="no place"):
        await skopeo.copy(Image(local="--dest-creds=a:b"), "push.example/x:1", Registry(), Registry())
    source, push = (
        Registry(Credentials("a", "from-word"), verify=False),
        Registry(Credentials("b", "to-word")),
    )
    digest = await skopeo.copy(Image("registry.example/app:1"), "push.example/x:1", source, push)
    assert digest == DIGEST
    arguments = seen.read_text().splitlines()
    assert not any("word" in each for each in arguments)
    assert "docker://registry.example/app:1" in arguments
    assert "--src-tls-verify=false" in arguments
    assert "--dest-tls-verify=false" not in arguments
    assert set(read(f"{seen}.mode").split()) == {"600"}
    files = [json.loads(each) for each in read(f"{seen}.auth").replace("}{", "}\n{").splitlines()]
    assert {host for each in files for host in each["auths"]} == {"registry.example", "push.example"}


async def test_what_arrives_has_to_be_what_was_copied(program):
    path, _ = program
    path.write_text(path.read_text().replace(f"inspect) echo {DIGEST}", "inspect) echo sha256:" + 64 * "f"))
    with pytest.raises(PassingError, match="not what was copied"):
        await Skopeo(str(path)).copy(
            Image("registry.example/app:1"), "push.example/x:1", Registry(), Registry()
        )


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ('time="x" level=fatal msg="Error determining manifest MIME type for docker://x"', PartError),
        ('level=fatal msg="reading manifest: unauthorized: authentication required"', PartError),
        ('level=fatal msg="dial tcp: connection refused"', PassingError),
        ('level=fatal msg="toomanyrequests: slow down"', PassingError),
        ("", PassingError),
    ],
)
async def test_what_passes_is_told_from_what_does_not(tmp_path, told, kind):
    path = tmp_path / "skopeo"
    path.write_text(f"#!/bin/sh\necho '{told}' >&2\nexit 1\n")
    path.chmod(0o755)
    with pytest.raises(PartError) as caught:
        await Skopeo(str(path)).copy(
            Image("registry.example/app:1"), "push.example/x:1", Registry(), Registry()
        )
    assert type(caught.value) is kind


async def test_a_program_that_is_not_there_is_named_with_the_remedy():
    with pytest.raises(PartError, match="install it"):
        await Skopeo("/nowhere/skopeo").digest("push.example/x:1", Registry())


def test_credentials_are_in_a_file_for_us_only_and_only_for_a_moment():
    with authfile(Credentials("u", "p"), "registry.example") as path:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert list(json.loads(path.read_text())["auths"]) == ["registry.example"]
    assert not path.parent.exists()
    with authfile(None, "registry.example") as none:
        assert none is None
    assert "secret" not in repr(Credentials("u", "secret"))


def test_what_a_killed_agent_left_of_credentials_is_removed():
    with authfile(Credentials("u", "p"), "registry.example") as path:
        left = path.parent.parent / f"{PREFIX}999999999-abc"
        left.mkdir()
        assert swept() >= 1
        assert not left.exists()
        assert path.exists()  # of a process that lives


REFERENCES = {
    "python:3.11": Reference("docker.io", "library/python", "3.11"),
    "org/app": Reference("docker.io", "org/app"),
    "localhost/app:1": Reference("localhost", "app", "1"),
    "localhost:5000/a/b": Reference("localhost:5000", "a/b"),
    f"quay.io/org/cuda:1@{DIGEST}": Reference("quay.io", "org/cuda", "1", DIGEST),
}


@pytest.mark.parametrize(("text", "found"), REFERENCES.items())
def test_references_are_taken_apart(text, found):
    """W11: one without a slash raised IndexError."""
    assert Reference.parse(text) == found


@pytest.mark.parametrize(
    "text",
    ["", "A/b", "a b", "a:b:c", "-x", "$(id)", "a@sha256:1", "a/../b", "x" * 2000, "a\nb", "--creds=a"],
)
def test_what_is_no_reference_goes_nowhere(text):
    with pytest.raises(ValueError, match="reference"):
        Reference.parse(text)


@given(st.text(max_size=60))
def test_a_reference_that_is_understood_is_the_same_the_next_time(text):
    try:
        found = Reference.parse(text)
    except ValueError:
        return
    assert Reference.parse(str(found)) == found


@pytest.mark.parametrize("push", ["push.example/builds", "quay.io/org/store"])
def test_copies_of_different_images_do_not_meet(push):
    """W11."""
    names = ["ns1/app:latest", "ns2/app:latest", "registry.example/ns1/app:latest", f"ns1/app@{DIGEST}"]
    targets = {
        collision_free(push, Reference.parse(name), build) for name in names for build in ("one", "two")
    }
    assert len(targets) == 8
    assert all(len(Reference.parse(target).tag) <= MAX_TAG for target in targets)


@given(
    st.from_regex(r"[a-z0-9]{1,100}(/[a-z0-9]{1,100}){0,3}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9_.-]{1,128}", fullmatch=True),
)
def test_a_copys_name_is_always_one_that_registries_take(repository, tag):
    tag = "x" + tag[1:]
    for push in ("push.example/builds", "quay.io/org/store"):
        reference = Reference("registry.example", repository, tag)
        assert len(Reference.parse(collision_free(push, reference, "one")).tag) <= MAX_TAG
        assert len(Reference.parse(original(push, reference)).tag) <= MAX_TAG


def test_the_originals_names_can_be_had():
    name = Reference.parse
    assert (
        original("quay.io/org/image-store", name("registry.example/ns/myapp:latest"))
        == "quay.io/org/image-store:myapp-latest"
    )
    assert (
        original("quay.io/org/image-store", name(f"registry.example/ns/cuda@{DIGEST}"))
        == f"quay.io/org/image-store:cuda-{DIGEST[7:]}"
    )
    assert original("push.example/x", name("registry.example/ns/myapp:2")) == "push.example/x/myapp:2"


def test_rules_of_the_start(config):
    with pytest.raises(ValidationError, match="no registry to copy to"):
        config(source_registry={"user": "u", "password": "p"})
    with pytest.raises(ValidationError, match="both `pass_token` and a password"):
        config(pass_token=True, source_registry={"password": "p"}, copy_to={"registry": "push.example/x"})
    with pytest.raises(ValidationError, match="nothing would be sent"):
        config(base_image=False, output_image=False, build_log=False)
    token = Credentials("build-watcher", "t")
    assert config(pass_token=True).registries("t") == (token, token)
    own = config(
        pass_token=True,
        copy_to={"registry": "push.example/x"},
        destination_registry={"user": "u", "password": "p"},
    )
    assert own.registries("t") == (token, Credentials("u", "p"))


async def test_credentials_by_name_are_sent_by_name(agent, source, backend, build, until, config):
    await agent(config(destination_registry={"secret": "team-registry", "verify_tls": False}))
    source.show(build())
    await until(lambda: backend.taken)
    assert backend.taken["one"]["credentials"]["output"] == {"name": "team-registry"}
    assert "output_registry_verify_tls=false" in backend.requests[0][1]


async def test_copies_are_in_the_journal_before_the_backend_knows_them(
    agent, source, backend, build, until, config, away
):
    running = await agent(config(**COPYING), skopeo=StubSkopeo())
    backend.fault = away
    source.show(build())
    await until(lambda: backend.requests)
    found = await running.journal.read(records.copies, "one")
    assert set(found) == {Part.base, Part.output}
    assert os.path.basename(found[Part.base].target)  # noqa: PTH119 - a reference


@pytest.fixture
def token(tmp_path, monkeypatch):
    """The file of a service account's token."""
    path = tmp_path / "token"
    monkeypatch.setenv("SERVO_BUILDS_TOKEN_FILE", str(path))
    return path


async def test_the_token_of_the_service_account_is_read_for_each_build(
    agent, source, backend, build, until, config, token
):
    """`--pass-token`: it is that of source and destination, and it may be another one tomorrow."""
    skopeo = StubSkopeo()
    token.write_text("the first\n")
    await agent(config(pass_token=True, copy_to={"registry": "push.example/builds"}), skopeo=skopeo)
    source.show(build())
    await until(lambda: "one" in backend.taken)
    token.write_text("the second\n")
    source.show(build("two"))
    await until(lambda: "two" in backend.taken)
    for key, word in (("one", "the first"), ("two", "the second")):
        assert backend.taken[key]["credentials"]["base"] == {"user": "build-watcher", "password": word}
        assert backend.taken[key]["credentials"]["output"] == {"user": "build-watcher", "password": word}
    assert [at.credentials.password for _, _, *both in skopeo.copied for at in both] == 4 * [
        "the first"
    ] + 4 * ["the second"]


async def test_without_copies_the_backend_pulls_with_it(agent, source, backend, build, until, config, token):
    token.write_text("the-token")
    await agent(config(pass_token=True))
    source.show(build())
    await until(lambda: backend.taken)
    assert backend.taken["one"]["credentials"] == {
        part: {"user": "build-watcher", "password": "the-token"} for part in ("base", "output")
    }


async def test_a_token_that_cannot_be_read_is_waited_for_and_then_does_without_images(
    agent, source, backend, build, until, config, token
):
    now = [1e9]
    settings = config(pass_token=True, retry={"first": "10ms", "longest": "20ms"})
    running = await agent(settings, clock=lambda: now[0])
    source.show(build())
    await until(lambda: running.metrics.total("build_watcher_builds_total", outcome="postponed"))
    assert not backend.requests
    now[0] += 700
    await until(lambda: backend.taken)
    sent = backend.taken["one"]
    assert (sent["base_image"], sent["output_image"], "credentials" in sent) == (None, None, False)
    reason = "the service account's token cannot be read: No such file or directory"
    assert sent["missing"] == [{"part": part, "reason": reason} for part in ("base_image", "output_image")]
    assert sent["build_log"] is not None

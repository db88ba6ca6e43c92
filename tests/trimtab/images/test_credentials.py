"""Credentials that helper programs keep: real programs, which the file of credentials names."""

import json
import os
import time

import pytest

from trimtab.images import AccessError, Credentials
from trimtab.images.sources.registry.credentials import stored_credentials
from trimtab.images.sources.registry.helpers import helper_credentials

SECRET = "secret-word"


@pytest.fixture
def helper(tmp_path, monkeypatch):
    """Puts a helper of this name on the path: a program for `sh`."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def make(name, script):
        program = tmp_path / f"docker-credential-{name}"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    return make


@pytest.fixture
def auth(tmp_path):
    def write(**document):
        path = tmp_path / "auth.json"
        path.write_text(json.dumps(document))
        return path

    return write


def says(user="user", secret=SECRET):
    return "cat >/dev/null; echo '" + json.dumps({"ServerURL": "x", "Username": user, "Secret": secret}) + "'"


def test_a_helper_is_asked_for_the_registry_and_nothing_else(helper, auth, tmp_path):
    helper("mine", f'echo "$*" >{tmp_path}/arguments; tee {tmp_path}/asked >/dev/null; true | {says()}')
    assert stored_credentials("r.example", "app", auth(credsStore="mine")) == Credentials("user", SECRET)
    assert (tmp_path / "arguments").read_text() == "get\n"
    assert (tmp_path / "asked").read_text() == "r.example"


def test_the_helper_of_a_registry_comes_first_then_the_file_then_the_helper_for_all(helper, auth):
    helper("one", says("one"))
    helper("all", says("all"))
    auths = {"r.example": {"auth": "YTox"}, "s.example": {"auth": "Yjoy"}, "t.example": {}}
    file = auth(auths=auths, credHelpers={"r.example": "one"}, credsStore="all")
    assert [stored_credentials(f"{each}.example", "app", file).user for each in "rstu"] == [
        "one",
        "b",
        "all",
        "all",
    ]


def test_dockers_hub_is_asked_for_by_the_name_it_was_logged_in_at(helper, auth, tmp_path):
    helper("mine", f"tee {tmp_path}/asked >/dev/null; true | {says()}")
    stored_credentials("docker.io", "library/python", auth(credsStore="mine"))
    assert (tmp_path / "asked").read_text() == "https://index.docker.io/v1/"


def test_an_identity_token_is_one(helper, auth):
    helper("mine", says("<token>"))
    assert stored_credentials("r.example", "app", auth(credsStore="mine")) == Credentials(
        "", SECRET, token=True
    )


def test_a_helper_that_keeps_nothing_for_a_registry(helper, auth):
    helper("mine", "echo 'credentials not found in native keychain'; exit 1")
    assert stored_credentials("r.example", "app", auth(credsStore="mine")) is None


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (f"echo {SECRET}; echo {SECRET} >&2; exit 3", "failed with exit code 3"),
        (f"echo {SECRET}", "does not answer as"),
        ("echo '{\"Username\": 3}'", "does not answer as"),
        ("kill -9 $$", "exit code -9"),
        ("exec cat /dev/zero", "more than 1048576 bytes"),
    ],
)
def test_a_helper_that_fails_is_told_without_what_it_wrote(helper, auth, script, said):
    helper("mine", script)
    with pytest.raises(AccessError, match=said) as caught:
        stored_credentials("r.example", "app", auth(credsStore="mine"))
    assert SECRET not in str(caught.value)
    assert "docker-credential-mine" in str(caught.value)


def test_a_helper_that_hangs_is_ended_with_all_that_it_started(helper, tmp_path):
    """A child that holds the output open would be waited for otherwise."""
    helper("mine", f"sleep 600 & echo $! >{tmp_path}/child; wait")
    with pytest.raises(AccessError, match=r"within 0\.5 seconds"):
        helper_credentials("mine", "r.example", "auth.json", patience=0.5)
    child = int((tmp_path / "child").read_text())
    until = time.monotonic() + 30
    while _runs(child) and time.monotonic() < until:
        time.sleep(0.01)
    assert not _runs(child)


def _runs(process):
    try:
        with open(f"/proc/{process}/stat") as file:  # noqa: PTH123 # gone at any moment
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("name", ["../evil", "/bin/sh", "a b", "a;b", "$(id)", "-x", ""])
def test_a_helper_is_a_name_and_no_path_or_command(name):
    with pytest.raises(AccessError, match="cannot be one"):
        helper_credentials(name, "r.example", "auth.json")


def test_a_helper_that_is_not_there_is_named_with_the_file_that_names_it(auth):
    with pytest.raises(AccessError, match=r"auth\.json names .* docker-credential-no-such"):
        stored_credentials("r.example", "app", auth(credHelpers={"r.example": "no-such"}))


@pytest.mark.parametrize(
    "table", [{"credHelpers": 3}, {"credsStore": 3}, {"credHelpers": {"r.example": 3}}, {"auths": 3}]
)
def test_tables_that_are_none_hold_nothing(auth, table):
    assert stored_credentials("r.example", "app", auth(**table)) is None

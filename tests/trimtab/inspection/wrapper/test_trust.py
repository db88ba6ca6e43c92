"""What a script can do to its own document: same user, same container.

Each test is one way to forge, spoil or prevent the document; the module `wrapper` says what is promised.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from trimtab.inspection.wrapper.json_text import members
from trimtab.inspection.wrapper.proof import proved, sealed

FORGED = '{"exit_code": 0, "stdout": {"rate": 1e9}}'


def test_a_result_that_the_script_writes_is_replaced(place):
    document = place.run(f"#!/bin/sh\necho '{FORGED}' > {place.result}; exit 3\n").document
    assert document["exit_code"] == 3


def test_a_directory_in_the_place_of_the_result_is_moved_aside(place):
    assert place.run(f"#!/bin/sh\nmkdir {place.result}; touch {place.result}/x\n").document["exit_code"] == 0
    assert any("in-the-way" in path.name for path in place.result.parent.iterdir())


def test_a_link_in_the_place_of_the_result_is_not_followed(place):
    victim = place.path / "victim"
    victim.write_text("kept")
    assert place.run(f"#!/bin/sh\nln -s {victim} {place.result}\n").document["exit_code"] == 0
    assert victim.read_text() == "kept"
    assert not place.result.is_symlink()


def test_a_directory_that_was_moved_gets_the_result_all_the_same(python):
    python.script(f"#!/bin/sh\nmv {python.result.parent} {python.path}/moved; mkdir {python.result.parent}\n")
    python.finish(python.start())
    assert json.loads((python.path / "moved" / "result").read_bytes())["exit_code"] == 0


@pytest.mark.integration
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
class TestAsAnotherUser:
    """As in a container: user 1042, no capabilities."""

    @pytest.fixture
    def stranger(self, python):
        python.path.chmod(0o777)
        for parent in python.path.parents:
            if parent == Path(tempfile.gettempdir()):
                break
            parent.chmod(parent.stat().st_mode | 0o011)  # pytest's own directories are its user's alone
        python.options = {"user": 1042, "group": 1042, "extra_groups": ()}
        python.environment["TRIMTAB_PYTHON"] = "/usr/bin/python3"
        if not Path("/usr/bin/python3").exists():
            pytest.skip("no Python that user 1042 may execute")
        return python

    def test_a_directory_without_write_permission_is_opened_again(self, stranger):
        assert stranger.run(f"#!/bin/sh\nchmod 0555 {stranger.result.parent}\n").document["exit_code"] == 0

    def test_a_directory_of_somebody_else_is_noticed_before_the_script_runs(self, stranger):
        stranger.result.parent.mkdir(parents=True)
        outcome = stranger.run(f"#!/bin/sh\ntouch {stranger.path}/ran\n")
        assert (outcome.code, outcome.data) == (73, None)
        assert "Permission denied" in outcome.complaint
        assert not (stranger.path / "ran").exists()

    def test_neither_memory_nor_environment_of_the_wrapper_can_be_read(self, stranger):
        script = "#!/bin/sh\nfor f in environ mem maps fd/1; do cat /proc/$PPID/$f > /dev/null 2>&1 && echo $f; done; env\n"
        document = stranger.run(script, TRIMTAB_RUN_TOKEN="secret").document
        assert document["wrapper"]["hidden"]
        assert "secret" not in document["stdout"]
        assert not {"environ", "mem", "maps", "fd/1"} & set(document["stdout"].splitlines())

    def test_the_script_itself_is_a_process_like_any_other(self, stranger):
        document = stranger.run(
            "#!/bin/sh\ncat /proc/self/oom_score_adj; test -r /proc/self/environ && echo yes\n"
        ).document
        assert document["stdout"].splitlines()[1] == "yes"


def test_a_script_that_kills_the_wrapper_leaves_nothing_that_is_proved(place):
    token = "0123456789"
    outcome = place.run(
        f"#!/bin/sh\necho '{FORGED}' > {place.result}; kill -9 $PPID\n", TRIMTAB_RUN_TOKEN=token
    )
    assert outcome.code == -9
    assert outcome.data.decode().strip() == FORGED
    assert not proved(outcome.data, token)


def test_the_wrappers_document_is_proved_and_no_other(place):
    data = place.run("#!/bin/sh\necho hello\n", TRIMTAB_RUN_TOKEN="a secret").data
    assert proved(data, "a secret")
    assert not proved(data, "another")
    assert not proved(data, "")
    assert not proved(data.replace(b"hello", b"hellO"), "a secret")
    assert not proved(data + b" ", "a secret")


def test_without_a_token_there_is_no_proof():
    data = b"".join(sealed(members({"a": 1}), ""))
    assert json.loads(data) == {"a": 1, "proof": None}
    assert not proved(data, "")


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 4 MiB."""
    disk = tmp_path / "results"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file systems can be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.integration
def test_a_script_that_fills_the_disk_leaves_a_document(place, small_disk):
    document = place.run(
        f"#!/bin/sh\nhead -c 10000000 /dev/zero > {small_disk}/fill; echo full; exit 1\n"
    ).document
    assert (document["exit_code"], document["stdout"]) == (1, "full\n")


@pytest.mark.integration
def test_output_for_which_there_is_no_room_is_left_out(python, small_disk):
    document = python.run("#!/bin/sh\nhead -c 3000000 /dev/zero\n", TRIMTAB_RUN_TOKEN="t").document
    assert (document["exit_code"], document["stdout"], document["stdout_truncated"]) == (0, {}, True)
    assert document["stdout_bytes"] == 3_000_000
    assert "no room" in document["notes"][-1]
    assert proved(python.result.read_bytes(), "t")

"""B13: what runs the script, and what becomes of one that cannot be started."""

import sys
from pathlib import Path

import pytest

from trimtab.inspection.wrapper.program import CannotStartError, choose, is_python, reads_like_python


def test_b13_a_shells_script_runs_without_any_python_stack(place):
    document = place.run("#!/bin/sh -e\necho $-; false; echo not reached\n").document
    assert (document["exit_code"], document["interpreter"]["path"]) == (1, "/bin/sh")
    assert "e" in document["stdout"]
    assert document["interpreter"]["arguments"] == ["-e"]


def test_b13_a_shells_script_runs_by_its_first_line_beside_a_python_stack(place):
    stack = place.stack()
    document = place.run("#!/bin/sh\ncommand -v python3\necho $VIRTUAL_ENV\n").document
    assert document["stdout"] == f"{stack}/bin/python3\n{stack}\n"
    assert document["interpreter"]["path"] == "/bin/sh"


@pytest.mark.parametrize(
    "line", ["#!/usr/bin/env python3", "#!/usr/bin/python3.9", "#! /usr/bin/python", "import os"]
)
def test_b13_a_python_script_runs_with_the_stacks_python(place, line):
    stack = place.stack()
    document = place.run(f"{line}\nimport sys\nprint(sys.prefix)\n").document
    assert document["stdout"] == f"{stack}\n"
    assert document["interpreter"]["path"] == f"{stack}/bin/python3"
    assert document["interpreter"]["shebang"] == (line if line.startswith("#!") else None)


def test_arguments_of_pythons_first_line_are_kept(place):
    place.stack()
    document = place.run("#!/usr/bin/env -S python3 -O\nprint(__debug__)\n").document
    assert (document["stdout"], document["interpreter"]["arguments"]) == ("False\n", ["-O"])


def test_b13_other_languages_run_by_their_first_line(place):
    document = place.run("#!/usr/bin/awk -f\nBEGIN { print 6 * 7 }\n", PATH="/usr/bin:/bin").document
    assert document["stdout"] == 42


def test_env_finds_programs_on_the_path(place):
    assert place.run("#!/usr/bin/env sh\necho $0\n").document["stdout"] == f"{place.path}/script\n"


def test_a_script_without_a_first_line_that_is_no_python_is_a_shells(place):
    place.stack()
    assert place.run("echo hello\n").document["stdout"] == "hello\n"


def test_a_script_need_not_be_executable(place):
    place.script("#!/bin/sh\necho hello\n", mode=0o644)
    assert place.run().document["stdout"] == "hello\n"


def test_a_binary_runs(place):
    assert place.run(Path("/bin/echo").read_bytes()).document["stdout"] in {"\n", ""}


def _refused(place, code, words):
    outcome = place.run()
    document = outcome.document
    assert (outcome.code, document["exit_code"]) == (code, code)
    assert words in document["error"]
    assert document["error"] in document["stderr"]
    assert (document["interpreter"], document["duration"]) == (None, 0)
    return document


def test_b13_a_missing_script_leaves_a_document(place):
    _refused(place, 127, "there is no script")


def test_b13_a_missing_interpreter_leaves_a_document(place):
    place.script("#!/opt/none/bin/perl\n")
    assert _refused(place, 127, "/opt/none/bin/perl")["script_sha256"]


def test_a_program_that_env_does_not_find_leaves_a_document(place):
    place.script("#!/usr/bin/env no-such-program\n")
    _refused(place, 127, "no-such-program")


def test_windows_line_ends_are_named(place):
    place.script("#!/bin/sh\r\necho hello\r\n")
    _refused(place, 127, "Windows")


def test_a_directory_leaves_a_document(place):
    (place.path / "script").mkdir()
    _refused(place, 126, "is a directory")


def test_a_binary_that_is_not_executable_leaves_a_document(place):
    place.script(Path("/bin/true").read_bytes(), mode=0o644)
    _refused(place, 126, "cannot be executed")


@pytest.mark.parametrize(
    "name", ["python", "python3", "python3.11", "pypy3", "pypy3.10", "platform-python3.6"]
)
def test_names_of_python_3(name):
    assert is_python(name)


@pytest.mark.parametrize("name", ["python2", "python2.7", "pythonw.exe", "python-config", "ipython", "sh"])
def test_names_of_what_is_no_python_3(name):
    assert not is_python(name)


@pytest.mark.parametrize(
    "text",
    [
        b"import os\n", b"from a import b", b"x = 1\n", b'"""words"""', b"print('x')", b"\n\n# c\ndef f():\n  pass",
        b"if True:\n  pass", b"@cache\n", b"main.run(1)\n",
    ],
)  # fmt: skip
def test_what_reads_like_python(text):
    assert reads_like_python(text)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"echo hello\n",
        b"x=1\n",
        b"if [ -e x ]; then\n",
        b"for f in *; do\n",
        b"f() {\n",
        b"# import os\n",
        b"ls",
    ],
)
def test_what_does_not_read_like_python(text):
    assert not reads_like_python(text)


def test_no_python_at_all_is_said(tmp_path):
    script = tmp_path / "script"
    script.write_text("#!/usr/bin/env python3\n")
    with pytest.raises(CannotStartError, match="no Python 3 was found") as caught:
        choose(str(script), None, str(tmp_path))
    assert caught.value.code == 127


def test_the_images_python_serves_without_a_stack(tmp_path):
    script = tmp_path / "script"
    script.write_text(f"#!{sys.executable} -u\n")
    program = choose(str(script), None, "")
    assert program.argv == [sys.executable, "-u", str(script)]

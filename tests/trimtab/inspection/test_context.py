"""The build context: every byte as it was sent, the same bytes for the same specification, and nothing else."""

import base64
import json
import os
import stat
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.engines.request import Lock, Resources
from trimtab.inspection import Specification, SpecificationError, build_request, write_context
from trimtab.inspection.context.variables import encode
from trimtab.inspection.specification import limits

BASE = "registry.example/python:3.11"
WRAPPER = {"entrypoint": b"#!/bin/sh\n# wrapper\n", "entrypoint.cpython-311": b"\0code"}
NASTY = (
    "#!/usr/bin/env bash\n\necho \"$HOME\" `id` $(id) '\\d' \\\\ %s %% \\n\n\n\tx\r\nno newline at the end"
)
PIPFILE = {
    "source": [{"name": "internal", "url": "https://index.other/simple", "verify_ssl": True}],
    "packages": {"six": {"version": "*", "markers": "python_version < '4'"}},
    "dev-packages": {},
    "requires": {"python_version": None},
}
LOCKED = {
    "_meta": {"hash": {"sha256": "0"}, "pipfile-spec": 6, "requires": {}, "sources": PIPFILE["source"]},
    "default": {"six": {"version": "==1.16.0", "markers": "python_version < '4' and `$x` \\d"}},
}


def write(directory, *, fetched=None, **fields):
    return write_context(
        Specification.load({"base": BASE, **fields}), directory, script=fetched, wrapper=WRAPPER
    )


def tree(directory):
    return {
        str(path.relative_to(directory)): path.read_bytes() if path.is_file() else None
        for path in directory.rglob("*")
    }


def test_what_is_in_a_context(tmp_path):
    context = write(
        tmp_path / "context",
        script="#!/bin/sh\n",
        packages=["tree"],
        files=[{"path": "data/x", "content": "x"}, {"path": "/etc/y", "content": "y"}],
    )
    assert sorted(tree(context.directory)) == [
        "Containerfile",
        "entrypoint",
        "entrypoint.cpython-311",
        "files",
        "files/0",
        "files/0/y",
        "home",
        "home/amun",
        "home/amun/data",
        "home/amun/data/x",
        "run",
        "run/entrypoint",
        "run/entrypoint.cpython-311",
        "run/script",
        "run/script.stderr",
        "run/script.stdout",
        "script",
        "tools",
        "tools/install",
    ]
    assert context.files == (
        ("/home/amun/data/x", context.directory / "home/amun/data/x"),
        ("/etc/y", context.directory / "files/0/y"),
    )
    assert context.script == context.directory / "script"


def test_without_a_script_there_is_neither_wrapper_nor_tool(tmp_path):
    assert sorted(tree(write(tmp_path / "context").directory)) == ["Containerfile", "home", "home/amun"]


@pytest.mark.parametrize("content", [NASTY, "a\nb\n", "\n", "\n\n\n", "%d\\n", "\ufeffé\u2028", "x"])
def test_b5_b6_files_and_scripts_are_what_was_sent(tmp_path, content):
    """The original doubled line breaks, and left `$` and backticks to the shell of the build, as root."""
    files = [{"path": path, "content": content} for path in ("x", "/etc/$x `y` \"z\" 'q' \\n\nw", "/x")]
    context = write(tmp_path / "context", script=content, files=files)
    assert [source.read_bytes() for _, source in context.files] == [content.encode()] * 3
    assert [target for target, _ in context.files] == ["/home/amun/x", *[each["path"] for each in files[1:]]]
    assert context.script.read_bytes() == content.encode()
    assert (context.directory / "run/script").read_bytes() == content.encode()


@given(
    data=st.binary(min_size=1),
    path=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=60),
)
def test_b5_any_bytes_at_any_path(tmp_path_factory, data, path):
    document = {"path": path, "content": base64.b64encode(data).decode(), "encoding": "base64"}
    try:
        specification = Specification.load({"base": BASE, "files": [document]})
    except SpecificationError:
        return
    directory = tmp_path_factory.mktemp("context")
    context = write_context(specification, directory)
    [(target, source)] = context.files
    assert source.read_bytes() == data
    assert source.is_relative_to(directory)
    assert source.name == target.rpartition("/")[2]
    assert target == os.path.normpath(os.path.join("/home/amun", path)).replace("//", "/")  # noqa: PTH118


@pytest.mark.parametrize("installer", ["micropipenv", "pipenv"])
def test_a_pipfile_and_its_lock_are_what_was_sent(tmp_path, installer):
    context = write(
        tmp_path / "context",
        package_manager=installer,
        python={"requirements": PIPFILE, "requirements_locked": LOCKED},
    )
    lock = context.directory / "lock"
    assert tomllib.loads((lock / "Pipfile").read_text()) == {**PIPFILE, "requires": {}}
    assert (lock / "Pipfile.lock").read_text() == json.dumps(LOCKED, indent=4, sort_keys=True) + "\n"
    assert not (context.directory / "tools/lock").exists()


@settings(max_examples=40)  # each writes files
@given(st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]), min_size=1))
def test_b6_locks_are_what_was_sent(tmp_path_factory, text):
    """Keys and values are quoted as TOML and JSON quote them."""
    pipfile = {"packages": {text: text}, text: [text, {text: 1}]}
    locked = {"default": {text: {"markers": text}}}
    directory = write(
        tmp_path_factory.mktemp("c"), python={"requirements": pipfile, "requirements_locked": locked}
    ).directory
    assert tomllib.loads((directory / "lock/Pipfile").read_bytes().decode()) == pipfile
    assert json.loads((directory / "lock/Pipfile.lock").read_bytes()) == locked


def test_locks_of_other_formats_are_byte_exact(tmp_path):
    text = "six==1.16.0 \\\r\n --hash=sha256:00 # $x `y`"
    directory = write(tmp_path / "context", python={"lock": {"requirements.txt": text}}).directory
    assert (directory / "lock/requirements.txt").read_bytes() == text.encode()


def test_an_index_of_documentation_stands_for_that_of_pip(tmp_path):
    """What is under test stays as it was sent; its installer gets files with the index it can reach, and a hash to match."""
    source = [{"name": "pypi", "url": "https://pypi.example/simple", "verify_ssl": True}]
    requires = {"python_version": "3.11"}
    pipfile = {"source": source, "packages": {"six": "==1.16.0"}, "dev-packages": {}, "requires": requires}
    # Hashes that pipenv and micropipenv accept for these two.
    sent, given = (
        "f75a0909c53f6fe6d84f8077be3a7b9cfc1757da763b07408e281b8fd7fc47eb",
        "f4c26803a43532f7e6dcac478692eddbfd1f872598ea7db416055b275d3e5f6a",
    )
    locked = {"_meta": {"hash": {"sha256": sent}, "sources": source, "requires": requires}, "default": {}}
    python = {"requirements": pipfile, "requirements_locked": locked}
    directory = write(tmp_path / "context", python=python).directory
    assert tomllib.loads((directory / "lock/Pipfile").read_text()) == pipfile
    assert json.loads((directory / "lock/Pipfile.lock").read_text()) == locked
    installed = tomllib.loads((directory / "tools/lock/Pipfile").read_text())
    assert installed == {**pipfile, "source": [{**source[0], "url": "${TRIMTAB_INDEX}"}]}
    meta = json.loads((directory / "tools/lock/Pipfile.lock").read_text())["_meta"]
    assert meta["sources"] == installed["source"]
    assert meta["hash"]["sha256"] == given
    locked["_meta"]["hash"]["sha256"] = "of another Pipfile"
    directory = write(tmp_path / "other", python=python).directory
    meta = json.loads((directory / "tools/lock/Pipfile.lock").read_text())["_meta"]
    assert meta["hash"]["sha256"] == "of another Pipfile"  # so the installer still sees that


def test_the_default_source_of_a_lock_is_that_of_the_builder_and_others_stay(tmp_path):
    """By its name: a lock made elsewhere says where its maker had it. Hashes are what they were."""
    sources = [
        {"name": "pypi", "url": "https://mirror.of.somebody/simple", "verify_ssl": True},
        {"name": "private", "url": "https://private.of.somebody/simple", "verify_ssl": True},
    ]
    entry = {"version": "==1.16.0", "hashes": [f"sha256:{'0' * 64}"], "index": "pypi"}
    pipfile = {"source": sources, "packages": {"six": "==1.16.0"}}
    locked = {"_meta": {"sources": sources}, "default": {"six": entry}}
    directory = write(
        tmp_path / "context", python={"requirements": pipfile, "requirements_locked": locked}
    ).directory
    found = json.loads((directory / "tools/lock/Pipfile.lock").read_text())
    assert [each["url"] for each in found["_meta"]["sources"]] == ["${TRIMTAB_INDEX}", sources[1]["url"]]
    assert found["default"] == locked["default"]
    assert (directory / "tools/lock/index").read_text() == sources[0]["url"]
    assert json.loads((directory / "lock/Pipfile.lock").read_text()) == locked


def test_b12_large_contents_fit(tmp_path):
    """An argument of a program ends at 128 KiB, and there the original's files and locks ended."""
    script, text = "x" * 1024 * 1024, "x" * limits.MAX_TEXT
    context = write(tmp_path / "context", script=script, files=[{"path": "x", "content": text}])
    assert (context.script.stat().st_size, context.files[0][1].stat().st_size) == (len(script), len(text))


def test_the_same_specification_makes_the_same_bytes(tmp_path):
    fields = {
        "packages": ["x"],
        "files": [{"path": "x", "content": "x"}],
        "script": "#!x",
        "python": {"lock": {"pylock.toml": "x"}},
    }
    old = os.umask(0o077)
    try:
        one = write(tmp_path / "one", **fields)
    finally:
        os.umask(old)
    two = write(tmp_path / "two", **fields)
    assert one.digest == two.digest
    for path in one.directory.rglob("*"):
        other = two.directory / path.relative_to(one.directory)
        assert (path.stat().st_mode, path.stat().st_mtime) == (other.stat().st_mode, other.stat().st_mtime)


@pytest.mark.parametrize(
    "change",
    [
        {"script": "#!y"},
        {"files": [{"path": "y", "content": "x"}]},
        {"files": [{"path": "x", "content": "y"}]},
        {"environment": [{"name": "X", "value": "\n"}]},
    ],
)
def test_another_specification_has_another_digest(tmp_path, change):
    fields = {"files": [{"path": "x", "content": "x"}], "script": "#!x"}
    assert write(tmp_path / "one", **fields).digest != write(tmp_path / "two", **{**fields, **change}).digest


def test_what_runs_do_not_need_is_not_in_the_digest(tmp_path):
    """The image is the same, whatever the batch and its resources: a builder's cache has it."""
    assert (
        write(tmp_path / "one").digest
        == write(tmp_path / "two", batch_size=9, run={"timeout": 1}, identifier="x").digest
    )


def test_home_is_open_to_user_and_group(tmp_path):
    """Row 9 of the original: mode 777. A cluster may run it under any user."""
    directory = write(
        tmp_path / "context",
        script="#!x",
        files=[{"path": "a/b", "content": "x"}, {"path": "/c", "content": "x"}],
    ).directory
    modes = {name: oct(stat.S_IMODE((directory / name).stat().st_mode)) for name in tree(directory)}
    assert {modes[name] for name in ("home/amun", "home/amun/a", "home/amun/a/b")} == {"0o777"}
    assert {modes[f"run/script.{stream}"] for stream in ("stdout", "stderr")} == {"0o666"}
    assert {modes[name] for name in ("run/script", "run/entrypoint")} == {"0o775"}
    assert (modes["home"], modes["files/0/c"]) == ("0o755", "0o644")


def test_the_last_of_several_files_with_one_path_wins(tmp_path):
    files = [
        {"path": path, "content": content}
        for path, content in (("x", "1"), ("/home/amun/./x", "2"), ("//home//amun/x", "3"))
    ]
    context = write(tmp_path / "context", files=files)
    assert [source.read_text() for _, source in context.files] == ["3"]


def test_a_script_from_a_url_is_given(tmp_path):
    url = "https://scripts.example/x.py"
    with pytest.raises(SpecificationError, match=r"script: https://scripts.example/x.py was not fetched yet"):
        write(tmp_path / "context", script=url)
    context = write(tmp_path / "context", script=url, fetched=b"\xff\0")
    assert context.script.read_bytes() == b"\xff\0"


def test_a_directory_that_has_something_is_left_alone(tmp_path):
    (tmp_path / "x").touch()
    with pytest.raises(FileExistsError, match="is not empty"):
        write(tmp_path)


def test_the_wrapper_is_ours_by_default(tmp_path):
    from trimtab.inspection import wrapper

    context = write_context(Specification.load({"base": BASE, "script": "#!/bin/sh\n"}), tmp_path / "context")
    assert (context.directory / "entrypoint").read_bytes() == wrapper.files()["entrypoint"]


class TestVariablesWithLineBreaks:
    def test_a_launcher_takes_the_place_of_the_wrapper_in_the_image(self, tmp_path):
        environment = [{"name": "X", "value": "a\nb\n"}, {"name": "Y", "value": "z"}]
        directory = write(tmp_path / "context", script="#!x", environment=environment).directory
        assert (directory / "run/entrypoint").read_bytes() != WRAPPER["entrypoint"]
        assert (directory / "run/entrypoint.wrapper").read_bytes() == WRAPPER["entrypoint"]
        assert (directory / "run/entrypoint.wrapper.cpython-311").exists()
        assert (directory / "entrypoint").read_bytes() == WRAPPER["entrypoint"]
        assert (directory / "tools/environment").read_bytes() == b"X=a\\0012b\\0012\n"
        assert 'Y="z"' in (directory / "Containerfile").read_text()

    @given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
    def test_they_are_letters_and_escapes(self, value):
        line = encode({"X": value})
        assert line.endswith(b"\n")
        assert set(line[:-1]) <= set(
            b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:,@+-=\\"
        )


def test_what_an_engine_is_asked_for(tmp_path):
    specification = Specification.load(
        {
            "base": BASE,
            "packages": ["tree"],
            "python_packages": ["pip"],
            "environment": [{"name": "X", "value": "a\nb"}, {"name": "X", "value": "c"}],
            "files": [{"path": "/x", "content": "x"}],
            "script": "#!x",
            "update": True,
            "python": {"lock": {"requirements.txt": "six==1 --hash=x"}, "version": "3.12"},
            "build": {"requests": {"cpu": "2", "memory": "1Gi"}, "timeout": "10m"},
        }
    )
    context = write_context(specification, tmp_path / "context", wrapper=WRAPPER)
    found = build_request(specification, context, "inspection-x", best_effort=True)
    assert (found.id, found.base, found.context, found.timeout) == (
        "inspection-x",
        BASE,
        context.directory,
        600.0,
    )
    assert found.resources == Resources(2.0, 2**30)
    assert found.lock == Lock("requirements", {"requirements.txt": b"six==1 --hash=x"}, "uv")
    assert (found.packages, found.python_packages) == (("tree",), ("pip",))
    assert found.environment == {"X": "c"}
    assert found.files == context.files
    assert found.script == context.script
    assert (found.python_version, found.update, found.upgrade_pip, found.best_effort) == (
        "3.12",
        True,
        False,
        True,
    )

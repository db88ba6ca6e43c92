"""Pipfile.lock becomes pins with hashes; what cannot be proved is refused, each by name."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from trimtab.engines.process.pins import LockError
from trimtab.engines.process.pipfile import read_pipfile
from trimtab.engines.process.requirements import read_requirements

ONE, TWO = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


def lock(default, **meta):
    return json.dumps({"_meta": meta, "default": default, "develop": {"never": {"version": "==1"}}}).encode()


def test_a_pin_has_extras_a_marker_and_all_hashes_and_develop_is_left_out():
    pins = read_pipfile(
        lock(
            {
                "Zope.Interface": {"version": "==5.0", "hashes": [TWO, ONE], "index": "pypi"},
                "requests": {
                    "version": "==2.31.0",
                    "hashes": [ONE],
                    "extras": ["Socks"],
                    "markers": "python_version >= '3.7'",
                    "sys_platform": "== 'linux'",
                },
            }
        )
    )
    assert pins.text() == (
        'requests[socks]==2.31.0 ; (python_version >= "3.7") and (sys_platform == "linux")'
        f" --hash={ONE}\nzope-interface==5.0 --hash={ONE} --hash={TWO}\n"
    )
    assert pins.refused == ()


def test_sources_but_the_one_that_stands_for_the_default():
    pins = read_pipfile(
        lock(
            {},
            sources=[
                {"name": "pypi", "url": "https://pypi.example/simple", "verify_ssl": True},
                {"name": "own", "url": "https://own.example.com/simple", "verify_ssl": False},
            ],
        )
    )
    assert pins.sources == pins.insecure == ("https://own.example.com/simple",)


def test_a_file_by_its_url_with_a_hash():
    (pin,) = read_pipfile(lock({"a": {"file": "https://x.example.com/a-1.whl#egg=a", "hashes": [ONE]}})).pins
    assert str(pin) == f"a @ https://x.example.com/a-1.whl --hash={ONE}"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"git": "https://x.example.com/a.git", "ref": "main"}, "comes from a git repository"),
        ({"path": ".", "editable": True}, "comes from a path of the machine"),
        ({"version": "==1"}, "has no SHA-256 or longer hash"),
        ({"version": "==1", "hashes": ["md5:" + "0" * 32]}, "has no SHA-256 or longer hash"),
        ({"version": "*", "hashes": [ONE]}, "is not exact"),
        ({"version": "==1.*", "hashes": [ONE]}, "no exact version"),
        ({"version": "==1", "hashes": [ONE], "markers": "os.system('x')"}, "is no marker"),
        ({"version": "==1", "hashes": [ONE], "extras": ["a b"]}, "is no name of a package"),
        ({"file": "file:///etc/passwd", "hashes": [ONE]}, "is no http(s) URL"),
        ({"file": "https://x.example.com/${HOME}", "hashes": [ONE]}, "is no http(s) URL"),
        (["==1"], "is neither an object nor a version"),
        ("==1", "has no SHA-256"),
    ],
)
def test_what_cannot_be_proved_is_refused(entry, reason):
    pins = read_pipfile(lock({"a": entry, "b": {"version": "==2", "hashes": [TWO]}}))
    (refused,) = pins.refused
    assert refused.startswith("Pipfile.lock: default: a: ")
    assert reason in refused
    assert [pin.name for pin in pins.pins] == ["b"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\xff", "is no JSON"),
        (b"[]", "is no JSON object"),
        (b"[" * 100_000, "is no JSON"),
        (b'{"default": []}', None),
        (b'{"default": [1]}', "default is no object"),
        (
            b'{"_meta": {"sources": [{"name": "x", "url": "https://${USER}@x"}]}}',
            "variables are not filled in",
        ),
    ],
)
def test_a_file_that_is_none_is_an_error_with_the_remedy(content, problem):
    if problem is None:
        assert read_pipfile(content).pins == ()
        return
    with pytest.raises(LockError, match=problem.replace("(", r"\(")):
        read_pipfile(content)


NAMES = st.builds(
    "{}{}{}".format, st.sampled_from("aZ9"), st.text("b-_.X1", max_size=6), st.sampled_from("cY8")
)
VERSIONS = st.builds(
    "{}{}{}".format,
    st.lists(st.integers(0, 999), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts))),
    st.sampled_from(["", "a1", "rc2"]),
    st.sampled_from(["", ".post1", ".dev3"]),
)
HASHES = st.lists(st.integers(0, 2**256 - 1).map("sha256:{:064x}".format), min_size=1, max_size=3)
MARKERS = st.sampled_from(["", "python_version >= '3.8'", "os_name == 'nt' or sys_platform != 'linux'"])
ENTRIES = st.builds(
    lambda version, hashes, marker, extras: {
        "version": f"=={version}", "hashes": hashes, "extras": extras, **({"markers": marker} if marker else {}),
    },
    VERSIONS, HASHES, MARKERS, st.lists(NAMES, max_size=2),
)  # fmt: skip


@given(st.dictionaries(NAMES, ENTRIES, max_size=5))
def test_what_is_written_is_what_was_locked(default):
    """The text is read back as the same pins, and by packaging as requirements."""
    pins = read_pipfile(lock(default))
    assert pins.refused == ()
    assert len(pins.pins) == len(default)
    again = read_requirements(pins.text().encode())
    assert again.refused == ()
    assert set(again.pins) == set(pins.pins)
    for line in pins.text().splitlines():
        Requirement(line.partition(" --hash=")[0])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["a", "$(b)", "-e", "c d"]), JSON, max_size=4))
def test_whatever_is_there_nothing_but_pins_comes_out(default):
    pins = read_pipfile(lock(default))
    assert len(pins.pins) + len(pins.refused) == len(default)
    assert all("$" not in line and not line.startswith("-") for line in pins.text().splitlines())

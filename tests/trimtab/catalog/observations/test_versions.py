"""Versions are compared as their systems do."""

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.catalog.observations.versions import SpecifierError, matching, order, split_requirement

DEBIAN = [
    "1.0~rc1",
    "1.0~rc1-1",
    "1.0",
    "1.0-1",
    "1.0-1+deb12u1",
    "1.0a",
    "1.0+git",
    "1.0.1",
    "1.10",
    "1:0.1",
]


@pytest.mark.parametrize(
    ("kind", "versions"),
    [
        ("pypi", ["1.0.dev1", "1.0rc1", "1.0", "1.0.post1", "1.9", "1.10", "2!0.1"]),
        ("deb", DEBIAN),
        ("rpm", ["1.0~rc1-1", "1.0-1.el8", "1.0-1.el9", "1.0^git-1", "1.0.1-1", "1.10-1", "1:0.1-1"]),
        ("npm", ["1.2.3", "1.2.10", "1.10.0"]),
    ],
)
def test_in_their_order(kind, versions):
    mixed = versions[2:] + versions[:2]
    assert sorted(mixed, key=order(kind)) == versions


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg is not installed")
@settings(max_examples=40, deadline=None)
@given(*[st.from_regex(r"[0-9]{1,2}([.+~a-c][0-9a-b]{0,2}){0,3}(-[0-9]([~+a][0-9])?)?", fullmatch=True)] * 2)
def test_as_dpkg_has_it(one, other):
    def holds(sign):
        return subprocess.run(["dpkg", "--compare-versions", one, sign, other], check=False).returncode == 0

    key = order("deb")
    assert (key(one) < key(other), key(one) == key(other)) == (holds("lt"), holds("eq"))


@given(st.text(max_size=30), st.text(max_size=30), st.sampled_from(["pypi", "deb", "rpm", "apk"]))
def test_whatever_is_written_can_be_compared(one, other, kind):
    key = order(kind)
    assert (key(one) < key(other)) + (key(other) < key(one)) <= 1


@pytest.mark.parametrize(
    ("kind", "specifier", "taken"),
    [
        ("pypi", ">=1.9,<2", ["1.9", "1.10"]),
        ("pypi", "", ["1.9", "1.10", "2.0"]),
        ("pypi", "==1.*", ["1.9", "1.10"]),
        ("deb", ">=1.10", ["1.10", "2.0"]),
        ("rpm", "!=1.10", ["1.9", "2.0"]),
    ],
)
def test_specifiers_take_what_they_say(kind, specifier, taken):
    assert matching(kind, specifier, ["1.9", "1.10", "2.0"]) == taken


@pytest.mark.parametrize("text", ["", "numpy>=", "numpy 1", "a b", "numpy>=x"])
def test_what_cannot_be_read_is_told(text):
    with pytest.raises(SpecifierError, match="write it as"):
        matching("pypi", split_requirement(text)[1], ["1"])

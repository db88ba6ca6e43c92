"""Which packages are locked, whatever the lock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.catalog import Package, packages_of, stack_digest

NUMPY, SIX = Package("numpy", "1.26.4", "pypi"), Package("six", "1.16.0", "pypi")
PYLOCK = """
lock-version = "1.0"
[[packages]]
name = "NumPy"
version = "1.26.4"
[[packages]]
name = "six"
version = "1.16.0"
index = "https://other.example/simple"
"""
UV = """
version = 1
[[package]]
name = "project"
version = "0.1.0"
source = { virtual = "." }
[[package]]
name = "numpy"
version = "1.26.4"
source = { registry = "https://pypi.example/simple" }
"""
REQUIREMENTS = """
--index-url https://pypi.example/simple
numpy==1.26.4 \\
    --hash=sha256:aaaa==
six[extra] == 1.16.0 ; python_version < "4"  # why
# other==1
-e .
unpinned>=3
"""


def test_the_packages_of_a_pipfile_lock_are_those_of_its_default_section(originals):
    found = packages_of(originals["inspection-rhtf-conv2d-0f845f38"].retrieve_specification())
    assert len(found) == 36
    assert Package("tensorflow", "2.2.0", "aicoe") in found
    assert Package("absl-py", "0.9.0", "pypi") in found


@pytest.mark.parametrize(
    ("python", "expected"),
    [
        (
            {"requirements_locked": {"default": {"Num_Py": {"version": "==1"}}, "develop": {"x": {}}}},
            {Package("num-py", "1", "pypi")},
        ),
        (
            {"requirements_locked": {"default": {"own": {"git": "https://h/own", "ref": "abc"}}}},
            {Package("own", "abc", "pypi")},
        ),
        ({"lock": {"requirements.txt": REQUIREMENTS}}, {NUMPY, SIX}),
        (
            {"lock": {"pylock.toml": PYLOCK}},
            {NUMPY, Package("six", "1.16.0", "https://other.example/simple")},
        ),
        (
            {"lock": {"uv.lock": UV, "pyproject.toml": ""}},
            {Package("numpy", "1.26.4", "https://pypi.example/simple")},
        ),
        ({"lock": {"uv.lock": "= torn"}}, set()),
        ({"lock": {"uv.lock": "a = " + "[" * 10_000}}, set()),
        ({"lock": {"uv.lock": "package = 1"}}, set()),
        ({"lock": "text", "requirements_locked": None}, set()),
        ({"requirements_locked": {"default": {"a": None, "": {}}}}, {Package("a", "", "pypi")}),
        (None, set()),
    ],
)
def test_every_kind_of_lock_is_read(python, expected):
    assert set(packages_of({"python": python})) == expected


def test_a_stack_is_its_packages_in_whatever_order():
    assert stack_digest([NUMPY, SIX]) == stack_digest([SIX, NUMPY]) != stack_digest([SIX])


@given(
    st.dictionaries(
        st.text(), st.none() | st.integers() | st.dictionaries(st.text(), st.text() | st.integers())
    )
)
def test_any_lock_is_read_or_empty(section):
    found = packages_of({"python": {"requirements_locked": {"default": section}}})
    assert list(found) == sorted(set(found))

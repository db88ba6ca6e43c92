"""For which Python, platform and day."""

import sys
from datetime import UTC, datetime

import pytest
from packaging.tags import parse_tag, sys_tags

from trimtab.stacks import RequirementsError, Target


def fits(target, tag):
    return bool(parse_tag(tag) & target.tags)


def test_this_machine_is_the_default():
    target = Target()
    assert set(sys_tags()) <= target.tags
    assert (target.version.major, target.version.minor) == sys.version_info[:2]
    assert target.environment["sys_platform"] == sys.platform


@pytest.mark.parametrize(
    ("platform", "good", "bad"),
    [
        ("x86_64-manylinux_2_28", "cp312-cp312-manylinux_2_28_x86_64", "cp312-cp312-manylinux_2_31_x86_64"),
        ("x86_64-manylinux_2_28", "cp312-cp312-manylinux2014_x86_64", "cp312-cp312-musllinux_1_1_x86_64"),
        ("x86_64-manylinux2014", "cp38-abi3-manylinux1_x86_64", "cp312-cp312-manylinux_2_28_x86_64"),
        ("aarch64-manylinux_2_28", "cp312-cp312-manylinux_2_17_aarch64", "cp312-cp312-manylinux_2_17_x86_64"),
        (
            "aarch64-unknown-linux-musl",
            "cp312-cp312-musllinux_1_1_aarch64",
            "cp312-cp312-manylinux2014_aarch64",
        ),
        ("windows", "cp312-cp312-win_amd64", "cp312-cp312-win32"),
        ("macos", "cp312-cp312-macosx_11_0_arm64", "cp312-cp312-macosx_14_0_arm64"),
        ("linux", "py3-none-any", "cp311-cp311-manylinux_2_17_x86_64"),
    ],
)
def test_which_wheels_fit_a_platform(platform, good, bad):
    target = Target("3.12", platform)
    assert fits(target, good)
    assert not fits(target, bad)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"python": "2.7"}, "no version of Python 3"),
        ({"python": "3.12; rm"}, "no version of Python 3"),
        ({"platform": "amiga"}, "is not known; there are linux"),
        ({"index_date": datetime(2024, 1, 1)}, "needs a time zone"),  # noqa: DTZ001 - that is the mistake
    ],
)
def test_what_is_no_target_is_refused(options, message):
    with pytest.raises(RequirementsError, match=message):
        Target(**options)


def test_uv_is_told_all_of_it():
    target = Target("3.12", "linux", datetime(2024, 1, 31, tzinfo=UTC))
    told = target.arguments()
    assert told[2:] == [
        "--python-version",
        "3.12",
        "--python-platform",
        "linux",
        "--exclude-newer",
        "2024-01-31T00:00:00Z",
    ]


def test_a_version_without_a_patch_is_its_first_as_uv_has_it():
    assert str(Target("3.12").version) == "3.12.0"
    assert Target("3.12").environment["python_full_version"] == "3.12.0"

"""pylock.toml is read as pins with hashes, for the Python it is installed for."""

import pytest
from packaging.markers import default_environment

from trimtab.engines.process.pins import LockError
from trimtab.engines.process.pylock import read_pylock

ONE, TWO = "1" * 64, "2" * 64
ENVIRONMENT = dict(default_environment())
HEAD = 'lock-version = "1.0"\ncreated-by = "a test"\n'
WHEEL = f'[[packages.wheels]]\nname = "a-1.whl"\nurl = "https://x/a-1.whl"\nhashes = {{sha256 = "{ONE}"}}\n'


def read(text):
    return read_pylock((HEAD + text).encode(), ENVIRONMENT)


def test_the_hashes_of_all_files_and_the_index():
    pins = read(
        f'[[packages]]\nname = "A"\nversion = "1"\nindex = "https://own.example.com/simple"\n'
        f'sdist = {{name = "a-1.tar.gz", url = "https://x", hashes = {{sha256 = "{TWO}"}}}}\n{WHEEL}'
    )
    assert pins.text() == f"a==1 --hash=sha256:{ONE} --hash=sha256:{TWO}\n"
    assert pins.sources == ("https://own.example.com/simple",)


def test_a_marker_stays_for_the_installer_to_judge():
    assert (
        '; sys_platform == "win32" --hash'
        in read(
            f'[[packages]]\nname = "a"\nversion = "1"\nmarker = "sys_platform == \'win32\'"\n{WHEEL}'
        ).text()
    )


@pytest.mark.parametrize(
    ("marker", "wanted"),
    [
        ("'x' in extras", False),
        ("'x' not in extras", True),
        ("'dev' in dependency_groups", False),
        ("'main' in dependency_groups", True),
    ],
)
def test_what_nobody_chose_is_left_out_and_default_groups_are_in(marker, wanted):
    pins = read(
        f'default-groups = ["main"]\n[[packages]]\nname = "a"\nversion = "1"\nmarker = "{marker}"\n{WHEEL}'
    )
    assert pins.refused == ()
    assert bool(pins.pins) is wanted


def test_an_archive_by_its_url():
    pins = read(
        f'[[packages]]\nname = "a"\narchive = {{url = "https://x.example.com/a.zip", hashes = {{sha256 = "{ONE}"}}}}\n'
    )
    assert pins.text() == f"a @ https://x.example.com/a.zip --hash=sha256:{ONE}\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('vcs = {type = "git", url = "https://x", commit-id = "1"}', "comes from a repository"),
        ('directory = {path = "."}', "comes from a directory of the machine"),
        ('version = "1"', "has no SHA-256"),
        ('version = "1"\nwheels = [1]', "is no table"),
        ('version = "1"\nmarker = "nope"', "is no marker"),
    ],
)
def test_what_cannot_be_proved_is_refused(text, reason):
    (refused,) = read(f'[[packages]]\nname = "a"\n{text}\n').refused
    assert refused.startswith("pylock.toml: package a: ")
    assert reason in refused


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\xff", "is no TOML"),
        (b"a =", "is no TOML"),
        (b'lock-version = "2.0"', "lock-version is '2.0'"),
        (b"", "lock-version is ''"),
        (b'lock-version = "1.0"\nrequires-python = "<3"', "is for Python <3"),
        (b'lock-version = "1.0"\nrequires-python = "new"', "no version specifier"),
        (b'lock-version = "1.0"\npackages = 1', "packages is no array"),
    ],
)
def test_a_file_that_is_none_or_for_others_is_an_error(content, problem):
    with pytest.raises(LockError, match=problem):
        read_pylock(content, ENVIRONMENT)

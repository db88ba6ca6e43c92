"""Direct requirements, read from each kind of file."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.stacks import RequirementsError, Target, read_pins, read_project

HASH = "--hash=sha256:" + "0" * 64


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_text(text if isinstance(text, str) else json.dumps(text))
        return path

    return write


def direct(path, *extras):
    return [str(each) for each in read_project(path, extras).requirements]


def test_requirements_with_comments_continuations_options_and_included_files(write):
    write("bounds.txt", "core<2\n")
    write("more.txt", "log>=0.1 # why\n")
    path = write(
        "requirements.txt",
        "# head\n--extra-index-url https://registry.example/simple\n-r more.txt\n-c bounds.txt\n"
        "web [fast] >=1,\\\n  <2 ; python_version >= '3.8'\n\n",
    )
    project = read_project(path)
    assert direct(path) == ["log>=0.1", 'web[fast]<2,>=1; python_version >= "3.8"']
    assert list(map(str, project.constraints)) == ["core<2"]
    assert project.indexes == ("https://registry.example/simple",)
    assert not project.pins


def test_the_versions_of_a_lock_bind_nothing(write):
    path = write("requirements.txt", f"Web[fast]==1.2 \\\n    {HASH}\ncore==2.0 {HASH}\n")
    assert direct(path) == ["Web[fast]", "core"]
    assert read_project(path).pins == {"web": "1.2", "core": "2.0"}


def test_pyproject_with_extras(write):
    text = """\
[project]
name = "x"
dependencies = ["web>=1"]
[project.optional-dependencies]
fast = ["db"]
[[tool.uv.index]]
url = "https://registry.example/simple"
"""
    path = write("pyproject.toml", text)
    assert direct(path) == ["web>=1"]
    assert direct(path, "fast") == ["web>=1", "db"]
    assert read_project(path).indexes == ("https://registry.example/simple",)
    with pytest.raises(RequirementsError, match="no extra 'slow'; there are fast"):
        read_project(path, ["slow"])


PIPFILE = """\
[[source]]
name = "pypi"
url = "https://pypi.example/simple"
[[source]]
name = "own"
url = "https://registry.example/simple"
[packages]
web = ">=1"
db = "*"
api = {version = "~=1.2", extras = ["fast"], markers = "sys_platform == 'linux'"}
[dev-packages]
tool = "*"
[requires]
python_version = "3.12"
"""


def test_pipfile(write):
    path = write("Pipfile", PIPFILE)
    project = read_project(path)
    assert direct(path) == ["web>=1", "db", 'api[fast]~=1.2; sys_platform == "linux"']
    assert project.python == "3.12"
    assert project.indexes == ("https://registry.example/simple",)


def test_a_pipfile_lock_with_and_without_its_pipfile(write):
    document = {
        "_meta": {"requires": {"python_version": "3.11"}},
        "default": {"web": {"version": "==1.2"}, "core": {"version": "==2.0"}},
    }
    path = write("Pipfile.lock", document)
    assert direct(path) == ["web", "core"]
    write("Pipfile", '[packages]\nweb = ">=1"\n')
    assert direct(path) == ["web>=1"]
    project = read_project(path)
    assert (project.pins, project.python) == ({"web": "1.2", "core": "2.0"}, "3.11")


def test_pylock(write):
    path = write("pylock.toml", 'lock-version = "1.0"\n[[packages]]\nname = "web"\nversion = "1.2"\n')
    assert direct(path) == ["web"]
    assert read_project(path).pins == {"web": "1.2"}


def test_a_uv_lock_knows_what_its_project_requires(write):
    text = """\
version = 1
[[package]]
name = "mine"
version = "0.1"
source = { virtual = "." }
[package.metadata]
requires-dist = [{ name = "web", specifier = ">=1", extras = ["fast"] }, { name = "tool", marker = "extra == 'dev'" }]
[[package]]
name = "web"
version = "1.2"
source = { registry = "https://pypi.example/simple" }
"""
    path = write("uv.lock", text)
    assert direct(path) == ["web[fast]>=1"]
    assert read_project(path).pins == {"web": "1.2"}


def test_pins_of_requirements_without_hashes(write):
    assert read_pins(write("good.txt", "Web==1.2\ncore==2.0\n")) == {"web": "1.2", "core": "2.0"}
    with pytest.raises(RequirementsError, match="web is not pinned with ==, so this is no lock"):
        read_pins(write("bad.txt", "web>=1.2\n"))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("requirements.txt", "web\n>=1\n", "line 2: '>=1' is no requirement"),
        ("requirements.txt", "-e .\n", "line 1: '-e .' cannot be searched"),
        ("requirements.txt", "./web.whl\n", "line 1: './web.whl' is no requirement"),
        ("requirements.txt", "web @ git+https://u:secret@registry.example/web\n", "runs foreign code"),
        ("requirements.txt", "web @ file:///tmp/web-1-py3-none-any.whl\n", "build its wheel in a container"),
        ("requirements.txt", "-r ../../etc/passwd\n", "outside of"),
        ("requirements.txt", "-r requirements.txt\n", "name each other more than 10 deep"),
        ("requirements.txt", "-r missing.txt\n", "No such file"),
        ("requirements.txt", f"web==1.0.* {HASH}\n", "no package with a version"),
        ("pyproject.toml", "[project\n", "is no TOML"),
        ("pyproject.toml", "[tool.poetry]\n", "no table .project."),
        ("pyproject.toml", "[project]\ndependencies = [1]\n", "an entry that is no text"),
        (
            "pyproject.toml",
            "[project]\ndependencies = ['web']\n[tool.uv.sources]\nweb = {git = 'https://registry.example/web'}\n",
            "no versions to search",
        ),
        ("Pipfile", "[requires]\n", "no table .packages."),
        (
            "Pipfile",
            "[packages]\nweb = {git = 'https://registry.example/web'}\n",
            "git has no versions to search",
        ),
        ("Pipfile", "[packages]\nweb = 1\n", "neither a version nor a table"),
        ("Pipfile.lock", "[]", "no object 'default'"),
        ("Pipfile.lock", "{", "is no JSON"),
        ("Pipfile.lock", '{"default": {"web": {"version": "new"}}}', "no package with a version"),
        ("pylock.toml", "", "no array"),
        ("uv.lock", "", "no array"),
    ],
)
def test_what_cannot_be_read_is_told_with_place_and_remedy_and_no_secret(write, name, text, message):
    with pytest.raises(RequirementsError, match=message) as error:
        read_project(write(name, text))
    assert "secret" not in str(error.value)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(RequirementsError, match="no UTF-8"):
        read_project(path)


@given(
    text=st.text(max_size=300),
    name=st.sampled_from(["requirements.txt", "Pipfile", "uv.lock", "Pipfile.lock"]),
)
def test_whatever_a_file_holds_it_is_read_or_refused(tmp_path_factory, text, name):
    path = tmp_path_factory.mktemp("any") / name
    path.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")
    try:
        found = read_project(path).requirements
    except RequirementsError as error:
        found = str(path) in str(error)
    assert found


def test_a_marker_decides_what_is_required_where(write):
    path = write("requirements.txt", "web\nwin ; sys_platform == 'win32'\nold ; python_version < '3.12'\n")
    project = read_project(path)
    assert project.direct(Target("3.12", "windows")) == ("web", "win")
    assert project.direct(Target("3.11", "x86_64-manylinux_2_28")) == ("web", "old")

"""What the pages name in the repository is there."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PAGES = ("promises.md", "architecture.md")
PLACES = tuple(f"{each.name}/" for each in REPOSITORY.iterdir() if each.is_dir())
FILES = ("pyproject.toml", "uv.lock", "Makefile")


def named(page: str) -> list[str]:
    """What stands in backticks and begins as a path of the repository does; commands and code do not."""
    quoted = re.findall(r"`([^`\n]+)`", (REPOSITORY / "docs" / page).read_text())
    return sorted({each for each in quoted if (each.startswith(PLACES) and " " not in each) or each in FILES})


def found(name: str) -> bool:
    """Whether a `path` is there, or a test `path::name` in one of the files; `*` stands for anything."""
    path, _, test = name.partition("::")
    files = list(REPOSITORY.glob(path.rstrip("/")))
    if not test:
        return bool(files)
    pattern = re.escape(test.partition("[")[0]).replace(r"\*", r"\w*")
    definition = re.compile(rf"^\s*(?:async )?def {pattern}\(|^class {pattern}\b|^{pattern} = ", re.MULTILINE)
    return any(definition.search(each.read_text()) for each in files if each.suffix == ".py")


@pytest.mark.parametrize("page", PAGES)
def test_each_path_and_test_that_a_page_names_is_there(page):
    names = named(page)
    assert len(names) > 5
    assert [name for name in names if not found(name)] == []


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("tests/test_documentation.py::test_each_*_is_there", True),
        ("tests/test_doc*.py", True),
        ("tests/test_documentation.py::test_each", False),
        ("tests/test_nothing*.py", False),
        ("tests/test_nothing.py::test_each_path_and_test_that_a_page_names_is_there", False),
    ],
)
def test_what_is_not_there_is_noticed(name, there):
    assert found(name) is there

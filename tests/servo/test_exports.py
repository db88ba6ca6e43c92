"""``import servo`` offers the names of the original, and costs nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import servo

SOURCE = Path(servo.__file__).read_text()


def imported_for_types():
    tree = ast.parse(SOURCE)
    block = next(node for node in tree.body if isinstance(node, ast.If))
    return {
        f"{node.module.removeprefix('servo.')}.{alias.name}"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_the_list_of_names_has_no_doubles_and_is_sorted():
    assert len(set(servo.__all__)) == len(servo.__all__)
    assert (
        sorted(servo.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
        == servo.__all__
    )


def test_the_three_lists_of_names_agree():
    lazy = {f"{module}.{name}" for module, names in servo._EXPORTS.items() for name in names}
    assert lazy == imported_for_types()
    assert {each.rpartition(".")[2] for each in lazy} == set(servo.__all__) - {"__version__", "__cryptonym__"}


@pytest.mark.parametrize("name", servo.__all__)
def test_each_name_is_there(name):
    assert getattr(servo, name) is not None


def test_each_name_is_what_its_module_says():
    for module, names in servo._EXPORTS.items():
        for name in names:
            owner = __import__(f"servo.{module}", fromlist=[name])
            assert getattr(servo, name) is getattr(owner, name)


@pytest.mark.parametrize("name", sorted(servo._SUBMODULES))
def test_submodules_are_attributes(name):
    assert getattr(servo, name).__name__ == f"servo.{name}"


@pytest.mark.parametrize("name", ["UnexpectedCommandIdError", "EventContext", "CheckError"])
def test_names_that_were_only_in_submodules_are_exported_too(name):
    """Reference 1.1: UnexpectedCommandIdError was not exported."""
    assert name in servo.__all__


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="module 'servo' has no attribute 'nothing'"):
        _ = servo.nothing


def test_dir_lists_all():
    assert set(servo.__all__) | servo._SUBMODULES <= set(dir(servo))


def test_importing_it_imports_nothing_heavy():
    code = (
        "import sys, servo; servo.__version__;"
        "print([m for m in ('pydantic', 'httpx2', 'loguru', 'yaml', 'asyncio', 'servo.errors') if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )


@pytest.mark.parametrize(
    "first", ["servo.connectors.wait", "servo.connectors", "servo.cli", "servo.types", "servo.api"]
)
def test_modules_may_be_imported_in_any_order(first):
    """Reference 1.1: some connectors could not be imported before servo.cli."""
    code = f"import {first}, servo.cli, servo; servo.Servo, servo.check"
    subprocess.run([sys.executable, "-c", code], check=True)

"""Names of packages that are imported when they are first used."""

import importlib
import subprocess
import sys

import pytest

from trimtab.exports import lazily

PACKAGES = ["engines", "inspection", "optimizer", "stacks", "workflows"]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_that_a_package_promises_is_there(package):
    module = importlib.import_module(f"trimtab.{package}")
    assert all(getattr(module, name) is not None for name in module.__all__)
    assert {name for names in module._HOMES.values() for name in names} <= set(module.__all__)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_by_itself_imports_nothing_that_costs(package):
    code = f"import sys, trimtab.{package}; print({{'numpy', 'scipy', 'sqlalchemy', 'pydantic'}} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_name_that_there_is_not_is_named_with_its_package():
    find = lazily("trimtab.inspection", {"result": ("RunResult",)})
    assert find("RunResult").__name__ == "RunResult"
    with pytest.raises(AttributeError, match=r"'trimtab\.inspection' has no attribute 'Result'"):
        find("Result")

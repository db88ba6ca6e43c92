"""How the process engine starts a run's wrapper."""

from pathlib import Path

import pytest

from trimtab.engines import Build, Resources, RunRequest
from trimtab.engines.process.groups import Groups
from trimtab.engines.process.launch import Launch
from trimtab.engines.process.manifest import Manifest
from trimtab.engines.process.settings import ProcessSettings


def argv(*, starter, variables=None, environment=None):
    build = Build("/build", None, (), Path("/log"), 0.0, cached=False)
    request = RunRequest("i", 0, build, Resources(1, 2**27), None, False, Path("/out"), environment or {})
    manifest = Manifest("/env", "key", "/usr", "/usr/bin/python3", variables or {}, starter)
    launch = Launch(request, manifest, Path("/place"), None, Groups(), ProcessSettings(), ())
    return launch.program(()).argv


def test_the_wrapper_is_started_on_the_python_that_is_known():
    start = ("/usr/bin/python3", "-I", "-S", "-B", "/place/home/entrypoint.start", "/place/home/entrypoint")
    assert argv(starter=True) == start


@pytest.mark.parametrize("name", ["TRIMTAB_WRAPPER", "TRIMTAB_PYTHON"])
def test_who_wishes_for_another_program_gets_the_launcher(name):
    assert argv(starter=True, environment={name: "x"}) == ("/place/home/entrypoint",)
    assert argv(starter=True, variables={name: "x"}) == ("/place/home/entrypoint",)


def test_a_program_that_is_not_our_wrapper_is_started_as_it_is():
    assert argv(starter=False) == ("/place/home/entrypoint",)

"""Specifications: defaults, presence rules, what is kept, what is refused and how."""

import json
import pickle
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.engines.request import Resources
from trimtab.inspection import Defaults, Specification, SpecificationError

BASE = "registry.example/python:3.11"
PIPFILE = {"packages": {"numpy": "==1.26.4"}, "requires": {"python_version": "3.11"}}
LOCKED = {
    "_meta": {"requires": {"python_version": "3.11"}},
    "default": {"numpy": {"version": "==1.26.4", "hashes": ["sha256:0"]}},
}
PINS = "six==1.16.0 --hash=sha256:00\n"


def load(**fields):
    return Specification.load({"base": BASE, **fields})


def problems(**fields):
    with pytest.raises(SpecificationError) as caught:
        Specification.load({"base": BASE, **fields})
    return [str(each) for each in caught.value.problems]


class TestDefaults:
    def test_only_base_is_required(self):
        found = load()
        assert (found.batch_size, found.packages, found.python_packages, found.files, found.environment) == (
            1,
            (),
            (),
            (),
            (),
        )
        assert (found.python, found.script, found.identifier, found.package_manager) == (
            None,
            None,
            None,
            None,
        )
        assert (found.update, found.upgrade_pip, found.send_messages, found.force_sync) == (
            False,
            False,
            True,
            False,
        )
        with pytest.raises(SpecificationError, match="base: it is required"):
            Specification.load({})

    def test_what_the_original_fills_in_is_in_the_document(self):
        requests = {"cpu": "500m", "memory": "256Mi"}
        assert load().document() == {
            "base": BASE,
            "batch_size": 1,
            "build": {"requests": requests},
            "run": {"requests": requests},
        }

    def test_defaults_of_resources_come_from_the_originals_variables(self):
        defaults = Defaults.of({"THOTH_DEFAULT_CPU_REQUESTS": "1", "THOTH_DEFAULT_MEM_REQUESTS": ""})
        found = Specification.load(
            {"base": BASE, "run": {"requests": {"cpu": "", "memory": "1Gi"}}}, defaults=defaults
        )
        assert found.build.requests.to_resources() == Resources(1.0, 256 * 2**20)
        assert found.run.requests.to_resources() == Resources(1.0, 2**30)

    def test_null_is_absent(self):
        """The original crashed on a script that is null, for it looked whether the key is there."""
        found = load(script=None, packages=None, build=None, run={"requests": None}, python=None)
        assert found == load()
        assert "script" not in found.document()

    def test_new_fields(self):
        found = load().run
        assert (found.timeout, found.warmup, found.order) == (None, 0, "sequential")
        assert (found.isolation.network, found.isolation.scope) == (False, "run")

    def test_the_installer_follows_the_lock(self):
        assert (
            load(python={"requirements": PIPFILE, "requirements_locked": LOCKED}).installer == "micropipenv"
        )
        assert load(python={"lock": {"requirements.txt": PINS}}).installer == "uv"
        assert load(package_manager="pipenv").installer == "pipenv"


class TestOldDocuments:
    def test_a_batch_size_may_be_text(self):
        assert load(batch_size="20").document()["batch_size"] == 20

    def test_quantities_may_be_numbers(self):
        assert load(run={"requests": {"cpu": 2, "memory": 2**30}}).run.requests.to_resources() == Resources(
            2.0, 2**30
        )

    def test_keys_of_the_server_and_unknown_ones_are_kept(self):
        keys = {
            "@created": "2020-08-05T14:41:01.756319",
            "@amun_api_url": None,
            "anything": {"a": [1, {"b": None}]},
        }
        found = load(**keys)
        assert keys.items() <= found.document().items()
        assert found.created == "2020-08-05T14:41:01.756319"
        assert load().created is None

    def test_unknown_keys_of_a_builds_requests_are_kept(self):
        assert load(build={"requests": {"odd": 1}}).document()["build"]["requests"]["odd"] == 1
        assert problems(run={"requests": {"odd": 1}}) == [
            "run.requests.odd: there is no such field; remove it, or mend its name"
        ]

    def test_what_a_resolvers_project_has_is_accepted(self):
        python = {
            "requirements": PIPFILE,
            "requirements_locked": LOCKED,
            "runtime_environment": {"x": 1},
            "constraints": [],
        }
        assert load(python=python).document()["python"] == python

    def test_what_is_stored_may_have_names_that_a_submission_may_not(self):
        old = {"base": "Odd Base", "identifier": "Some_Long_Identifier_Of_2019", "packages": ["--nogpgcheck"]}
        found = Specification.load(old, stored=True)
        assert old.items() <= found.document().items()
        with pytest.raises(SpecificationError, match="base: it is no reference to an image"):
            found.checked()

    @given(
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
            max_leaves=20,
        )
    )
    def test_any_json_under_an_unknown_key_survives(self, value):
        assert load(**{"@x": value}).document()["@x"] == value


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_b17_b18_b20_any_text_survives_storing(text):
    """Backslashes, backticks, apostrophes and `$` corrupted what the original stored: it went through a shell and YAML."""
    given_ = {
        "script": f"#!{text}",
        "files": [{"path": "x", "content": text}],
        "environment": [{"name": "X", "value": text}],
        "python": {
            "requirements": {"packages": {text: text}},
            "requirements_locked": {"default": {text: {"markers": text}}},
        },
    }
    found = load(**given_)
    assert given_.items() <= found.document().items()
    assert Specification.parse(json.dumps(found.document())) == found


class TestPython:
    def test_neither_member_installs_nothing(self):
        for python in ({}, {"requirements": {}, "requirements_locked": None}):
            assert load(python=python).python.kind is None

    @pytest.mark.parametrize(
        ("python", "problem"),
        [
            ({"requirements": PIPFILE}, "python: there is requirements and no requirements_locked; give both, or neither"),
            ({"requirements_locked": LOCKED}, "python: there is requirements_locked and no requirements; give both, or neither"),
            ({"requirements": PIPFILE, "requirements_locked": {}}, "python: there is requirements and no requirements_locked; give both, or neither"),
        ],
    )  # fmt: skip
    def test_b8_one_sided_python_is_refused_in_words(self, python, problem):
        assert problems(python=python) == [problem]

    def test_b8_an_unknown_package_manager_is_refused_in_words(self):
        assert problems(package_manager="poetry") == [
            "package_manager: Input should be 'micropipenv', 'pipenv' or 'uv'"
        ]

    @pytest.mark.parametrize(
        ("locked", "problem"),
        [
            (
                {"default": {"six": "1"}},
                "python.requirements_locked: the entry 'six' of its 'default' is no object",
            ),
            ({"default": 1}, "python.requirements_locked: its 'default' is no object"),
            ({"x": 1}, "python.requirements_locked: it has no 'default', so it is no Pipfile.lock"),
            (
                {"default": {}, "_meta": {"sources": [1]}},
                "python.requirements_locked: its sources are no array",
            ),
            ({"default": {}, "_meta": 3}, "python.requirements_locked: its '_meta' is no object"),
        ],
    )
    def test_a_lock_that_is_none_is_refused(self, locked, problem):
        assert problems(python={"requirements": PIPFILE, "requirements_locked": locked})[0].startswith(
            problem
        )

    @pytest.mark.parametrize(
        ("files", "kind"),
        [
            ({"requirements.txt": PINS}, "requirements"),
            ({"pylock.toml": "lock-version = '1.0'"}, "pylock"),
            ({"uv.lock": "version = 1", "pyproject.toml": "[project]"}, "uv"),
        ],
    )
    def test_locks_of_other_formats(self, files, kind):
        found = load(python={"lock": files})
        assert found.python.kind == kind
        assert found.python.lock.files == files
        assert found.document()["python"]["lock"] == files

    @pytest.mark.parametrize(
        ("files", "problem"),
        [
            ({}, "python.lock: it is empty; give requirements.txt, pylock.toml, or uv.lock with pyproject.toml"),
            ({"uv.lock": "x"}, "python.lock: uv.lock and pyproject.toml go together; give both"),
            ({"pyproject.toml": "x"}, "python.lock: uv.lock and pyproject.toml go together; give both"),
            ({"requirements.txt": PINS, "pylock.toml": "x"}, "python.lock: there are requirements.txt and pylock.toml; give one lock"),
            ({"requirements.txt": "six==1.16.0"}, 'python.lock["requirements.txt"]: it has no hashes, so it locks nothing'),
            ({"poetry.lock": "x"}, 'python.lock["poetry.lock"]: there is no such field'),
        ],
    )  # fmt: skip
    def test_locks_that_are_refused(self, files, problem):
        assert problems(python={"lock": files})[0].startswith(problem)

    def test_there_is_one_stack(self):
        both = {"requirements": PIPFILE, "requirements_locked": LOCKED, "lock": {"requirements.txt": PINS}}
        assert problems(python=both) == ["python: there are both requirements and lock; give one stack"]

    def test_an_installer_that_cannot_install_the_lock_is_refused(self):
        assert problems(package_manager="pipenv", python={"lock": {"requirements.txt": PINS}}) == [
            "package_manager: pipenv does not install python.lock; write uv, or leave it out"
        ]
        pipfile = {"requirements": PIPFILE, "requirements_locked": LOCKED}
        assert problems(package_manager="uv", python=pipfile) == [
            "package_manager: uv installs no Pipfile.lock; write micropipenv or pipenv, or give python.lock"
        ]

    @pytest.mark.parametrize(
        ("python", "version"),
        [
            ({"requirements": PIPFILE, "requirements_locked": LOCKED}, "3.11"),
            ({"requirements": PIPFILE, "requirements_locked": LOCKED, "version": "3.12"}, "3.12"),
            ({"requirements": {"requires": {"python_full_version": "3.9.7"}}, "requirements_locked": {"default": {}}}, "3.9"),
            ({"requirements": {"requires": {"python_version": "; rm"}}, "requirements_locked": {"default": {}}}, None),
            ({"lock": {"requirements.txt": PINS}}, None),
        ],
    )  # fmt: skip
    def test_the_python_that_is_wanted(self, python, version):
        assert load(python=python).python.required_version == version

    def test_a_version_that_is_none_is_refused(self):
        assert problems(python={"version": "three"}) == [
            "python.version: 'three' is no version of Python; write it as 3.11"
        ]


class TestRefusals:
    @pytest.mark.parametrize(
        "base",
        ["a b", "a\nRUN id", "x/UPPER", "-x", "--platform=x", "docker://x", "dir:/etc", "oci:/x", "$HOME", "a" * 513, "x:", "/x", "x as y"],
    )  # fmt: skip
    def test_a_base_that_is_no_image_is_refused(self, base):
        with pytest.raises(SpecificationError, match="base: "):
            Specification.load({"base": base})

    @pytest.mark.parametrize(
        "base",
        [
            "scratch",
            "python:3.11-slim",
            "localhost:5000/a/b__c:Tag",
            "Registry.Example/team/x-y@sha256:" + "0" * 64,
            "[::1]:5000/x",
        ],
    )
    def test_references_to_images(self, base):
        assert Specification.load({"base": base}).base == base

    @pytest.mark.parametrize("name", ["-x", "--option", " ", "a\nb", "a\0b", "a\tb", "x" * 513])
    @pytest.mark.parametrize("field", ["packages", "python_packages"])
    def test_an_option_is_no_package(self, field, name):
        assert len(problems(**{field: ["fine", name]})) == 1
        assert problems(**{field: ["fine", name]})[0].startswith(f"{field}[1]: ")

    @pytest.mark.parametrize(
        ("path", "problem"),
        [
            ("/", "it is a directory"),
            ("/etc/", "it is a directory"),
            ("x/.", "it is a directory"),
            ("/a/../b", "write the path without '..'"),
            ("..", "write the path without '..'"),
            ("/a\0b", "a path has no NUL"),
            ("/" + "x" * 256, "a path has at most 1024 bytes, and 255 between two slashes"),
            ("", "String should have at least 1 character"),
        ],
    )
    def test_a_path_that_is_none_is_refused(self, path, problem):
        found = problems(files=[{"path": path, "content": "x"}])
        assert len(found) == 1
        assert found[0].startswith(f"files[0].path: {problem}")

    @pytest.mark.parametrize(
        "paths", [("/a", "/a/b"), ("/home",), ("/home/amun",), ("/home/amun/x/y", "x"), ("./x", "x/y")]
    )
    def test_a_file_is_no_directory_of_another(self, paths):
        found = problems(files=[{"path": path, "content": "x"} for path in paths])
        assert found[0].startswith("files: '/")
        assert found[0].endswith("is a file, and the directory of another")

    def test_files_in_too_many_directories_are_refused(self):
        found = problems(files=[{"path": f"/d{n}/x", "content": "x"} for n in range(33)])
        assert found == ["files: they go into 33 directories outside of /home/amun; at most 32 are possible"]

    @pytest.mark.parametrize("name", ["a b", "a=b", "1a", "a\nb", "", "$x", "é"])
    def test_a_variable_has_a_name_of_kubernetes(self, name):
        assert problems(environment=[{"name": name, "value": ""}])[0].startswith("environment[0].name: ")

    def test_a_variable_with_line_breaks_has_a_name_of_a_shell(self):
        assert problems(environment=[{"name": "a.b", "value": "x\ny"}]) == [
            "environment[0]: the value has line breaks, so the name may have only letters, digits and '_'"
        ]

    def test_base64_that_is_none_is_refused(self):
        assert problems(files=[{"path": "x", "content": "é", "encoding": "base64"}])[0].startswith(
            "files[0]: "
        )

    @pytest.mark.parametrize("size", [0, -1, 10_001, "x", 1.5, [], 10**400])
    def test_a_batch_is_bounded(self, size):
        assert problems(batch_size=size)[0].startswith("batch_size: ")

    @pytest.mark.parametrize("timeout", [0, -1, "0s", "5 parsecs", "1" * 10_000, 10**9, []])
    def test_a_timeout_that_is_none_is_refused(self, timeout):
        assert problems(run={"timeout": timeout})[0].startswith("run.timeout")

    @pytest.mark.parametrize(
        "document", [{"base": BASE, "run": 1}, {"base": BASE, "build": {"requests": [1]}}, {"base": 1}]
    )
    def test_wrong_types_are_named(self, document):
        with pytest.raises(SpecificationError, match=r"it is no (object|text)"):
            Specification.load(document)

    def test_every_problem_is_told_at_once_up_to_ten(self):
        fields = {f"x{n}": 1 for n in range(20)}
        found = problems(run=fields, build=fields)
        assert len(found) == 40
        with pytest.raises(SpecificationError, match=r"and 30 more$"):
            load(run=fields, build=fields)

    def test_the_error_survives_a_process_boundary(self):
        error = SpecificationError([])
        with pytest.raises(SpecificationError) as caught:
            load(batch_size=0)
        copy = pickle.loads(pickle.dumps(caught.value))
        assert (copy.problems, str(copy)) == (caught.value.problems, str(caught.value))
        assert str(error) == ""


def test_resources_of_a_cluster():
    requests = {
        "cpu": "2",
        "memory": "4Gi",
        "gpu": "1",
        "hardware": {"cpu_family": 6, "cpu_model": 94, "processor": "Intel-Xeon"},
        "node_selector": {"kubernetes.io/arch": "amd64"},
        "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}],
    }
    found = load(run={"requests": requests})
    assert found.run.requests.to_resources() == Resources(
        2.0,
        4 * 2**30,
        {"cpu_family": "6", "cpu_model": "94", "processor": "Intel-Xeon"},
        1,
        {"kubernetes.io/arch": "amd64"},
        ({"key": "gpu", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60},),
    )
    assert found.document()["run"]["requests"] == {**requests, "gpu": 1}


@pytest.mark.parametrize("timeout", [90, 90.0, "90s", "1m30s"])
def test_timeouts_are_seconds_or_durations(timeout):
    assert load(run={"timeout": timeout}, build={"timeout": timeout}).run.timeout == 90


def test_a_script_is_text_or_a_url():
    assert load(script="#!/bin/sh\n").script_url is None
    assert load(script="https://scripts.example/x.py").script_url == "https://scripts.example/x.py"
    assert load().script_url is None


def test_what_a_server_adds_is_as_the_original_wrote_it():
    now = datetime(2020, 8, 5, 14, 41, 1, 756319, tzinfo=UTC)
    found = load().accepted(version="1+x", api_url=None, deployment="test", now=now)
    assert {key: value for key, value in found.document().items() if key.startswith("@")} == {
        "@created": "2020-08-05T14:41:01.756319",
        "@amun_service_version": "1+x",
        "@amun_api_url": None,
        "@amun_deployment_name": "test",
    }
    assert Specification.load(found.document()) == found


def test_every_field_is_described_in_the_schema():
    schema = Specification.model_json_schema()
    places = {"Specification": schema, **schema["$defs"]}
    bare = [
        f"{name}.{key}"
        for name, each in places.items()
        for key, field in each.get("properties", {}).items()
        if not field.get("description")
    ]
    assert bare == []
    assert schema["required"] == ["base"]

"""What no recorded log shows: tools that are not here, and lines as clusters write them."""

import pytest

from trimtab.buildlogs import parse

CONDA = """\
Channels:
 - conda-forge
Collecting package metadata (repodata.json): ...working... done
Solving environment: ...working... done
The following NEW packages will be INSTALLED:

  bzip2              conda-forge/linux-64::bzip2-1.0.8-h4bc722e_7
  python             conda-forge/linux-64::python-3.12.3-hab00c5b_0_cpython

Preparing transaction: ...working... done
Verifying transaction: ...working... done
Executing transaction: ...working... done
"""
CONDA_MISSING = """\
Collecting package metadata (current_repodata.json): ...working... done
Solving environment: ...working... failed

PackagesNotFoundError: The following packages are not available from current channels:

  - galley==9.9

Current channels:
"""
APK = """\
fetch https://dl.example/alpine/v3.20/main/x86_64/APKINDEX.tar.gz
(1/2) Installing libffi (3.4.6-r0)
(2/2) Upgrading musl (1.2.5-r0 -> 1.2.5-r1)
Executing busybox-1.36.1-r29.trigger
OK: 9 MiB in 16 packages
"""
APK_MISSING = """\
fetch https://dl.example/alpine/v3.20/main/x86_64/APKINDEX.tar.gz
ERROR: unable to select packages:
  no-such-thing (no such package):
    required by: world[no-such-thing]
"""
DNF_MISSING = """\
Last metadata expiration check: 0:00:03 ago on Tue Jan 16 08:30:24 2024.
No match for argument: no-such-thing
Error: Unable to find a match: no-such-thing
"""
DNF_METADATA = """\
Errors during downloading metadata for repository 'updates':
  - Curl error (6): Couldn't resolve host name for https://mirror.example/repomd.xml [Could not resolve host: mirror.example]
Error: Failed to download metadata for repo 'updates': Cannot prepare internal mirrorlist: Curl error (6)
"""
KILLED_COMPILER = """\
Collecting keel==2.1
  Building wheel for keel (setup.py): started
gcc: fatal error: Killed signal terminated program cc1plus
  Building wheel for keel (setup.py): finished with status 'error'
  ERROR: Failed building wheel for keel
"""
STAMPED = """\
2026-11-27T01:00:00.000000000Z stdout F STEP 1/2: FROM localhost/python:3.11
2026-11-27T01:00:01.500000000Z stdout F STEP 2/2: RUN make
2026-11-27T01:00:05.250000000Z stderr F make: *** [all] Error 2
2026-11-27T01:00:05.750000000Z stderr F Error: building at STEP "RUN make": while running runtime: exit status 2
"""


def document(log):
    return parse(log).document


def test_conda_installs_from_its_plan():
    ours = document(CONDA)
    assert [(each["name"], each["version"], each["repository"]) for each in ours["packages"]] == [
        ("bzip2", "1.0.8", "conda-forge/linux-64"), ("python", "3.12.3", "conda-forge/linux-64"),
    ]  # fmt: skip
    assert (ours["tool"], ours["outcome"]) == ("conda", "successful")


def test_conda_names_what_it_has_not():
    breaker = document(CONDA_MISSING)["build_breaker"]
    assert (breaker["class"], breaker["package"], breaker["version"]) == ("no-such-package", "galley", "9.9")


def test_apk_installs_and_upgrades():
    ours = document(APK)
    assert [(each["name"], each["version"], each["upgrading"]) for each in ours["packages"]] == [
        ("libffi", "3.4.6-r0", False),
        ("musl", "1.2.5-r1", True),
    ]
    assert ours["outcome"] == "successful"


@pytest.mark.parametrize(("log", "tool"), [(APK_MISSING, "apk"), (DNF_MISSING, "dnf")])
def test_a_package_that_a_system_has_not_is_named(log, tool):
    ours = document(log)
    assert ours["outcome"] == "failed"
    assert tool in {each["name"] for each in ours["tools"]}
    assert ("system-package", "no-such-thing") in {
        (each["class"], each["package"]) for each in ours["errors"]
    }
    assert ours["build_breaker"]["class"] == "system-package"


def test_metadata_that_cannot_be_had_is_the_networks():
    """Dnf says both; the network is the nearer cause, as it was said first."""
    ours = document(DNF_METADATA)
    assert {each["class"] for each in ours["errors"]} >= {"name-resolution", "repository-metadata"}
    assert ours["build_breaker"]["kind"] == "network"


def test_a_compiler_that_was_killed_is_told_before_what_came_of_it():
    breaker = document(KILLED_COMPILER)["build_breaker"]
    assert (breaker["class"], breaker["kind"], breaker["package"], breaker["version"]) == (
        "out-of-memory",
        "resource",
        "keel",
        "2.1",
    )


def test_steps_have_durations_where_the_log_has_times():
    steps = document(STAMPED)["steps"]
    assert [(each["seconds"], each["state"], each["exit_code"]) for each in steps] == [
        (1.5, "done", None),
        (4.25, "failed", 2),
    ]


def test_lines_of_several_pods_do_not_mix():
    """Each has a package of its own that is being collected."""
    log = """\
[pod/build-a/step] Collecting six==1.16.0
[pod/build-b/step] Collecting click==8.1.7
[pod/build-a/step]   Downloading six-1.16.0-py2.py3-none-any.whl (11 kB)
[pod/build-b/step]   Downloading click-8.1.7-py3-none-any.whl (97 kB)
[pod/build-b/step] ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.
[pod/build-a/step] Successfully installed six-1.16.0
"""
    ours = document(log)
    assert [
        (each["package_name"], each["artifact_size"], each["is_successful"]) for each in ours["installation"]
    ] == [("six", "11 kB", True), ("click", "97 kB", False)]
    assert ours["errors"][0]["package"] == "click"
    assert not ours["errors"][0]["recovered"]


def test_parts_of_a_line_are_joined():
    log = "2026-11-27T01:00:00Z stdout P Collecting six==1.16.0 (from \n2026-11-27T01:00:00Z stdout F -r r.txt)\n2026-11-27T01:00:00Z stdout P Successfully inst\n2026-11-27T01:00:00Z stdout F alled six-1.16.0\n"
    assert document(log)["installation"][0]["is_successful"] is True


def test_a_log_that_ends_inside_of_a_line_tells_it():
    ours = document("2026-11-27T01:00:00Z stderr P ERROR: No matching distribution found for six==9")
    assert (ours["errors"][0]["package"], ours["lines"]) == ("six", 1)


def test_a_job_of_github_tells_its_exit_code():
    ours = document(
        "build\tinstall\t2026-11-27T01:00:00.1234567Z ##[error]Process completed with exit code 3.\n"
    )
    assert (ours["exit_code"], ours["outcome"]) == (3, "failed")


def test_a_push_that_failed_is_not_a_success_whatever_else_is_said():
    """OpenShift bug 1947164: `Successfully pushed` is no proof."""
    log = "Pushing image registry:5000/ns/app:latest ...\nWarning: Push failed, retrying in 5s ...\nSuccessfully pushed registry:5000/ns/app\nerror: build error: Failed to push image: unauthorized: authentication required\n"
    ours = document(log)
    assert (ours["info"]["push_successful"], ours["outcome"], ours["build_breaker"]["kind"]) == (
        False,
        "failed",
        "infrastructure",
    )


def test_a_push_that_was_tried_again_is_a_success():
    ours = document(
        "Pushing image registry:5000/ns/app:v1 ...\nWarning: Push failed, retrying in 5s ...\nPush successful\n"
    )
    assert (ours["info"]["push_successful"], ours["outcome"], ours["build_breaker"]) == (
        True,
        "successful",
        None,
    )


def test_an_instruction_that_quotes_a_failure_is_none():
    log = "STEP 1/2: FROM a\nSTEP 2/2: RUN make || echo 'No space left on device'\nCOMMIT x\nSuccessfully tagged x:latest\n"
    assert document(log)["errors"] == []


def test_a_failure_that_the_build_survives_is_recovered():
    log = "STEP 1/2: RUN pip install galley==9.9 || true\nERROR: No matching distribution found for galley==9.9\nSTEP 2/2: RUN true\nCOMMIT x\nSuccessfully tagged x:latest\n"
    ours = document(log)
    assert (ours["outcome"], ours["build_breaker"], [each["recovered"] for each in ours["errors"]]) == (
        "successful",
        None,
        [True],
    )


@pytest.mark.parametrize(
    "log",
    [
        "",
        "\n\n",
        "hello\nworld\n",
        "Downloading the internet\nPackage of joy\nSuccessfully did nothing\n",
        "100%|####| 3/3 [00:01<00:00]\r\n",
    ],
)
def test_nothing_recognised_is_unknown(log):
    ours = document(log)
    assert (ours["outcome"], ours["installation_successful"], ours["tool"]) == ("unknown", None, None)

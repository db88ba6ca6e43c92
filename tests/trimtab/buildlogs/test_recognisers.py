"""What no recorded log shows: tools that are not here, and lines as clusters write them."""

from pathlib import Path

import pytest

from trimtab.buildlogs import legacy, parse

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


def test_a_network_that_came_back_is_not_why_there_is_no_such_version():
    """The versions that are listed are an answer of the index."""
    log = """\
Looking in indexes: https://pypi.example/simple
WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError(': Connection refused')': /simple/galley/
ERROR: Could not find a version that satisfies the requirement galley==9.9 (from versions: 0.5)
ERROR: No matching distribution found for galley==9.9
"""
    ours = document(log)
    assert (ours["build_breaker"]["class"], ours["build_breaker"]["package"]) == ("no-such-version", "galley")
    assert [(each["class"], each["recovered"]) for each in ours["errors"]] == [
        ("connection", True),
        ("no-such-version", False),
    ]


def test_what_pip_makes_of_a_failure_is_no_error_of_its_own():
    """A package that could not be built is not one that the index has not."""
    log = """\
Collecting leak==1.0
  Downloading leak-1.0.tar.gz (201 bytes)
  ERROR: Command errored out with exit status 1:
WARNING: Discarding https://pypi.example/files/leak-1.0.tar.gz. Command errored out with exit status 1: python setup.py egg_info
ERROR: Could not find a version that satisfies the requirement leak==1.0 (from versions: 1.0)
ERROR: No matching distribution found for leak==1.0
"""
    ours = document(log)
    assert [each["class"] for each in ours["errors"]] == ["package-build"]
    assert (ours["outcome"], ours["failed"]) == ("failed", ["leak"])


def test_every_package_of_a_conflict_is_not_installed():
    log = "Collecting anchor\nCollecting buoy\nERROR: Cannot install anchor==1.1, buoy==3.0 and -r r.txt (line 3) because these package versions have conflicting dependencies.\n"
    ours = document(log)
    assert ours["failed"] == ["anchor", "buoy"]
    assert ours["build_breaker"]["class"] == "conflict"


def test_the_nearest_to_a_cause_counts_of_what_a_line_says():
    """The disk is why nothing could be installed, though pip says that first and at greater length."""
    log = "Collecting freight\nERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n"
    ours = document(log)
    assert (ours["build_breaker"]["class"], ours["failed"]) == ("disk-full", ["freight"])


def test_what_is_shown_between_a_saved_and_a_restored_place_is_gone():
    """Apk's progress bar on a terminal."""
    log = "\x1b7  0%      \x1b8\x1b[0K(1/1) Installing hull (1.0-r0)\n\x1b7100% ████\x1b8\x1b[0KOK: 2 B in 2 packages\n"
    ours = document(log)
    assert (ours["outcome"], [each["name"] for each in ours["packages"]]) == ("successful", ["hull"])


def test_the_step_that_a_builder_gave_up_in_has_failed():
    log = "Step 1/2 : FROM a\nStep 2/2 : COPY b /\nCOPY failed: file not found in build context\n"
    ours = document(log)
    assert [each["state"] for each in ours["steps"]] == ["done", "failed"]
    assert ours["build_breaker"]["class"] == "bad-instruction"


def test_a_build_of_nothing_but_what_is_cached_is_done_after_its_last_step():
    """Podman has no other last line where the image has no name."""
    log = "STEP 1/2: FROM a\nSTEP 2/2: RUN b\n--> Using cache 50d8aa5b471f06b20069801c68cb9c3acf96719a\n--> 50d8aa5b471\n"
    ours = document(log)
    assert (ours["outcome"], ours["steps"][1]["state"]) == ("successful", "cached")
    assert (
        document("[1/2] STEP 1/1: FROM a\n--> 50d8aa5b471\n[2/2] STEP 1/1: FROM b\n")["outcome"] == "unknown"
    )


def test_why_a_push_failed_is_told_before_that_it_did():
    log = 'Error: pushing image "localhost/app" to "docker://registry.example/ns/app:v1": trying to reuse blob sha256:c0 at destination: pinging container registry registry.example: Get "https://registry.example/v2/": x509: certificate signed by unknown authority\n'
    ours = document(log)
    assert (ours["outcome"], ours["build_breaker"]["class"]) == ("failed", "certificate")
    assert ours["info"]["push_destination"] == {"image": "registry.example/ns/app", "tag": "v1"}


def test_a_base_image_that_is_not_for_us_is_no_push_that_failed():
    log = "STEP 1/1: FROM registry.example/base:1\nError: creating build container: initializing source docker://registry.example/base:1: reading manifest 1 in registry.example/base: unauthorized: authentication required\n"
    assert document(log)["build_breaker"]["class"] == "index-forbidden"


CORPUS = Path(__file__).parent / "corpus"


def _row(package, specified, installed, *parents):
    origin = [{"package": name, "version_specified": version} for name, version in parents] or None
    return {
        "package": package,
        "version_specified": specified,
        "version_installed": installed,
        "already_satisfied": None,
        "from": origin,
        "artifact": None,
    }


def test_the_old_pipenv_handler_tells_what_a_lock_found_and_for_whom():
    """As its reference describes it: of candidates, what they require, and what nothing matches; `<any>` where nothing is wanted."""
    locked = legacy(parse((CORPUS / "pipenv-2018.11.26/verbose-lock.log").read_bytes()), "pipenv")
    assert locked == [
        _row("galley", "==0.5", "0.5"),
        _row("harbour", "<any>", "1.0"),
        _row("mooring", ">=1.0", "2.0", ("harbour", "==1.0")),
    ]
    failed = legacy(parse((CORPUS / "pipenv-2018.11.26/verbose-conflict.log").read_bytes()), "pipenv")
    assert failed == [
        _row("anchor", "<any>", "1.1"),
        _row("buoy", "<any>", "3.0"),
        _row("mooring", "<2,>=2", None, ("anchor", "==1.1"), ("buoy", "==3.0")),
    ]
    assert legacy(parse(b"Collecting six==1.0\nSuccessfully installed six-1.0\n"), "pipenv") == []


def test_what_a_lock_wants_is_bounded():
    many = "".join(f"  a{each}==1 requires x, y{each}\n" for each in range(30_000))
    found = parse(f"Finding secondary dependencies:\n{many}".encode())
    assert len(found.candidates) == 20_000
    assert len(found.candidates[0].chain) == 200
    assert found.document["truncated"] is True


@pytest.mark.parametrize(
    ("line", "package", "version"),
    [
        ("Problem: 1: nothing provides 'ghost = 4' needed by the to be installed mirage-1.0-1.noarch", "ghost", None),
        ("Problem: 1: the to be installed water-1.0-1.noarch conflicts with 'fire' provided by the to be installed fire-1.0-1.noarch", "water", "1.0-1"),
    ],
)  # fmt: skip
def test_newer_words_of_zypper(line, package, version):
    """As SUSE's newer versions write them; Debian's writes the older ones."""
    found = parse(f"Resolving package dependencies...\n\n{line}\n".encode())
    assert found.document["tool"] == "zypper"
    assert (found.breaker.failure, found.breaker.package, found.breaker.version) == (
        "system-package",
        package,
        version,
    )

"""The original's logs: at least what its parser said of them, and right where that was wrong (defects W26 to W32)."""

import json
from pathlib import Path

import pytest

from trimtab.buildlogs import legacy, parse

DATA = Path("/work/shared/data/buildlogs")
if not DATA.exists():
    DATA = Path(__file__).parents[4] / "shared" / "data" / "buildlogs"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the reference's logs are not here")
KEYS = (
    "package_name",
    "package_version",
    "artifact",
    "artifact_size",
    "is_wheel",
    "is_successful",
    "installation_log",
)


def document(name):
    return parse((DATA / name).read_bytes()).document


@pytest.mark.parametrize("name", ["sample", "sample_error"])
def test_all_that_the_original_said_is_said(name):
    """Everything but its defects: names twice in `failed`."""
    ours = document(f"s2i-micropipenv/{name}.log")
    theirs = json.loads((DATA / f"s2i-micropipenv/{name}.upstream-output.json").read_text())
    for each in theirs["installation"]:
        # Its extras are no part of a name.
        each["package_name"] = each["package_name"].partition("[")[0]
    assert [{key: each[key] for key in KEYS} for each in ours["installation"]] == theirs["installation"]
    for key in ("info", "pipfile_lock", "thoth_config", "recovered", "installation_successful"):
        assert ours[key] == theirs[key]
    assert ours["failed"] == sorted(set(theirs["failed"]))


def test_w26_pip_20_to_22_without_from_is_recognised():
    ours = document("micropipenv-1.10-pip-21.3.1/success.log")
    assert [
        (each["package_name"], each["package_version"], each["is_successful"])
        for each in ours["installation"]
    ] == [("click", "8.1.7", True), ("six", "1.16.0", True)]
    assert ours["installation_successful"] is True


def test_w26_a_failed_build_of_pip_21_is_not_called_successful():
    ours = document("micropipenv-1.10-pip-21.3.1/sdist-metadata-failure.log")
    assert (ours["installation_successful"], ours["outcome"], ours["failed"]) == (
        False,
        "failed",
        ["mysqlclient"],
    )


def test_w27_sizes_with_a_blank_and_file_names_are_artefacts():
    entry = document("micropipenv-1.10-pip-23.2/success.log")["installation"][0]
    assert (entry["artifact"], entry["artifact_size"], entry["is_wheel"]) == (
        "click-8.1.7-py3-none-any.whl",
        "97 kB",
        True,
    )


def test_w27_a_metadata_file_is_no_artefact():
    log = b"Collecting six\n  Downloading six-1.16.0-py2.py3-none-any.whl.metadata (1.6 kB)\nDownloading six-1.16.0-py2.py3-none-any.whl (11 kB)\n"
    entry = parse(log).document["installation"][0]
    assert (entry["artifact"], entry["artifact_size"]) == ("six-1.16.0-py2.py3-none-any.whl", "11 kB")


def test_w27_used_from_the_cache_is_an_artefact():
    entry = parse(
        b"Collecting six==1.16.0\n  Using cached six-1.16.0-py2.py3-none-any.whl (11 kB)\n"
    ).document["installation"][0]
    assert entry["artifact"] == "six-1.16.0-py2.py3-none-any.whl"


@pytest.mark.parametrize(
    "name", ["s2i-micropipenv/sample.log", "micropipenv-1.10-pip-23.2/recovered-after-retry.log"]
)
def test_w28_a_log_may_end_anywhere(name):
    log = (DATA / name).read_bytes()
    for cut in range(0, len(log), max(1, len(log) // 60)):
        assert parse(log[:cut]).document["outcome"] in {"unknown", "failed", "successful"}


def test_w28_inside_a_package_is_not_a_success():
    log = b"Collecting six==1.16.0\n  Downloading six-1.16.0-py2.py3-none-any.whl (11 kB)\nSuccessfully installed six-1.16.0\nCollecting click==8.1.7\n"
    ours = parse(log).document
    assert ours["installation_successful"] is None
    assert [each["is_successful"] for each in ours["installation"]] == [True, None]


def test_w29_a_package_that_fails_twice_is_named_once():
    assert document("s2i-micropipenv/sample_error.log")["failed"] == ["sqlalchemy"]


@pytest.mark.parametrize(
    "prefix",
    [
        b"04-28-22 21:51:18 micropipenv  WARNING  ", b"2022-04-28T21:51:18.123456789Z stdout F ", b"[build : build-push] ", b"[build] ",
        b"build-wf-1234567890: ", b"2022-04-28 21:51:18,123 [16] INFO     micropipenv: ", b"[2022-04-28T21:51:18.123Z] ", b"app-1  | ", b"#7 12.34 ",
        b"job\tstep\t2022-04-28T21:51:18.1234567Z ", b"2022-04-28T21:51:18.123456Z 00O ", b"\x1b[33m", b"\0", b"   ",
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\x1b[0m\n", b"\r\x1b[K\n"])
def test_w30_prefixes_colours_and_line_ends_are_taken_off(prefix, end):
    lines = (b"Collecting six==1.16.0 (from -r r.txt (line 2))", b"Failed to install 'six', will try in next installation round...",
             b"Collecting six==1.16.0 (from -r r.txt (line 2))", b"Successfully installed six-1.16.0")  # fmt: skip
    ours = parse(b"".join(prefix + each + end for each in lines)).document
    assert (ours["recovered"], ours["failed"], ours["installation_successful"]) == (["six"], [], True)


def test_w30_a_progress_bar_is_what_it_ended_as():
    log = b"Collecting six==1.16.0\n\r  |##   | 1 kB\r  |#####| 2 kB\rSuccessfully installed six-1.16.0\n"
    assert parse(log).document["installation_successful"] is True


def test_w31_names_are_normalised_and_kept():
    log = b"Collecting Flask_Login==0.6\nFailed to install 'flask-login', will try in next installation round...\nCollecting flask.login==0.6\nSuccessfully installed Flask-Login-0.6\n"
    ours = parse(log).document
    assert ours["recovered"] == ["flask-login"]
    assert [(each["package_name"], each["normalized_name"]) for each in ours["installation"]] == [
        ("Flask_Login", "flask-login"),
        ("flask.login", "flask-login"),
    ]


def test_w32_why_it_failed_is_told():
    ours = document("s2i-micropipenv/sample_error.log")
    breaker = ours["build_breaker"]
    assert (breaker["class"], breaker["kind"], breaker["package"], breaker["version"], breaker["line"]) == (
        "hash-mismatch",
        "stack",
        "sqlalchemy",
        "1.3.16",
        1562,
    )
    assert "Expected sha256 7224e126" in breaker["excerpt"]
    assert ours["exit_code"] == 13
    assert [(each["instruction"], each["state"]) for each in ours["steps"]] == [
        ("Installing application source", "done"), ("Installing dependencies via micropipenv", "failed"),
    ]  # fmt: skip


def test_what_is_already_there_ends_a_package():
    log = b"Collecting a==1\n  Using cached a-1-py3-none-any.whl\nRequirement already satisfied: six in /usr/lib (from a==1)\nCollecting b==2\n"
    assert parse(log).document["installation"][0]["installation_log"] == "  Using cached a-1-py3-none-any.whl"


def test_a_push_target_without_a_colon_is_read():
    ours = parse(b"Pushing image registry/app ...\nPush successful\n").document["info"]
    assert ours["push_destination"] == {"image": "registry/app", "tag": None}
    assert parse(b"Pushing image registry:5000/app ...\n").document["info"]["push_destination"] == {
        "image": "registry:5000/app",
        "tag": None,
    }


@pytest.mark.parametrize(
    "name", ["celery", "click", "daiquiri", "flask", "pytorch", "selinon", "tensorflow", "tensorflow_gpu"]
)
def test_the_old_pip_handler_is_there(name):
    """Keys that the recorded documents leave out are null."""
    ours = legacy(parse((DATA / f"handlers/pip3/input/fc26_install_{name}.txt").read_bytes()), "pip3")
    theirs = json.loads((DATA / f"handlers/pip3/output/fc26_install_{name}.txt.json").read_text())
    assert ours == [{key: each.get(key) for key in ours[0]} for each in theirs]


@pytest.mark.parametrize("name", ["centos7_upgrade_and_install", "fc27_ugrade_and_install"])
def test_the_old_yum_handler_is_there(name):
    ours = legacy(parse((DATA / f"handlers/yum/input/{name}.txt").read_bytes()), "yum")
    assert ours == json.loads((DATA / f"handlers/yum/output/{name}.txt.json").read_text())


def test_the_breakers_of_the_statistical_analyser_are_found():
    assert document("build-breaker/thoth-lab.pip.failed.log")["build_breaker"]["package"] == "certifi"
    assert document("build-breaker/thoth-lab.pip.failed.2.log")["build_breaker"]["package"] == "jupyter_d3"
    assert document("build-breaker/pipenv.failed.log")["build_breaker"]["package"] == "six"
    assert document("build-breaker/thoth-lab.pip.clean.log")["build_breaker"] is None


# What each of the reference's logs says, as it was read: nothing of it comes from the parser.
READ = {
    "build-breaker/pipenv.failed.log": "conflict six", "build-breaker/thoth-lab.pip.clean.log": None, "build-breaker/thoth-lab.pip.success.log": None,
    "build-breaker/thoth-lab.pip.failed.log": "cannot-uninstall certifi", "build-breaker/thoth-lab.pip.failed.2.log": "no-such-package jupyter_d3",
    "micropipenv-1.10-pip-21.3.1/sdist-metadata-failure.log": "missing-native mysqlclient", "micropipenv-1.10-pip-21.3.1/success.log": None,
    "micropipenv-1.10-pip-23.2/hash-mismatch.log": "hash-mismatch idna", "micropipenv-1.10-pip-23.2/no-matching-version.log": "no-such-version click",
    "micropipenv-1.10-pip-23.2/recovered-after-retry.log": None, "micropipenv-1.10-pip-23.2/sdist-build-success.log": None,
    "micropipenv-1.10-pip-23.2/sdist-metadata-failure.log": "missing-native mysqlclient", "micropipenv-1.10-pip-23.2/success-verbose-module.log": None,
    "micropipenv-1.10-pip-23.2/success.log": None, "micropipenv-1.10-pip-26.3/hash-mismatch.log": "hash-mismatch idna",
    "micropipenv-1.10-pip-26.3/success.log": None, "s2i-micropipenv/sample.log": None, "s2i-micropipenv/sample_error.log": "hash-mismatch sqlalchemy",
}  # fmt: skip


def test_every_log_of_the_reference_says_how_it_ended_and_why():
    assert {str(each.relative_to(DATA)) for each in DATA.rglob("*.log")} == set(READ)
    for name, wanted in READ.items():
        ours = document(name)
        breaker = ours["build_breaker"]
        assert ours["outcome"] == ("failed" if wanted else "successful"), name
        assert (f"{breaker['class']} {breaker['package']}" if breaker else None) == wanted, name

"""What the document says, of each of the wrapper's programs."""

import hashlib
import json

WIRE = {
    "exit_code", "stdout", "stderr", "script_sha256", "usage", "start_datetime", "end_datetime", "hostname",
    "os_release", "runtime_environment", "hwinfo",
}  # fmt: skip
NEW = {
    "duration", "signal", "timed_out", "timeout", "interrupted_by", "left_processes", "error", "stdout_raw",
    "stdout_base64", "stderr_base64", "stdout_truncated", "stderr_truncated", "stdout_bytes", "stderr_bytes", "cgroup",
    "pressure", "interpreter", "packages", "provenance", "notes", "wrapper", "proof",
}  # fmt: skip


def test_has_the_originals_members_and_ours(place):
    assert set(place.run("#!/bin/sh\necho hello\n").document) == WIRE | NEW


def test_a_value_on_standard_output_is_taken_as_it_is_printed(place):
    document = place.run(
        '#!/bin/sh\necho \'{"name": "x", "@result": {"elapsed": 1.50}}\'; echo warn >&2\n'
    ).document
    assert document["stdout"] == {"name": "x", "@result": {"elapsed": 1.5}}
    assert document["stdout_raw"] == '{"name": "x", "@result": {"elapsed": 1.50}}\n'
    assert (document["stderr"], document["stdout_bytes"], document["stderr_bytes"]) == ("warn\n", 44, 5)


def test_text_stays_text(place):
    document = place.run("#!/bin/sh\nprintf 'two words \"quoted\" \\\\ back\\ttab é€😀'\n").document
    assert document["stdout"] == 'two words "quoted" \\ back\ttab é€😀'
    assert document["stdout_raw"] is None


def test_b25_an_empty_or_false_value_is_an_object_and_stays_in_a_raw_copy(place):
    for printed in ("", "0", '""'):
        document = place.run(f"#!/bin/sh\nprintf '%s' '{printed}'\n").document
        assert (document["stdout"], document["stdout_raw"]) == ({}, printed)


def test_b25_bytes_that_are_no_text_are_kept(place, decoded):
    document = place.run(b"#!/bin/sh\nprintf 'a\\377b\\303'; printf '\\376' >&2\n").document
    assert document["stdout"] == "a\ufffdb\ufffd"
    assert decoded(document["stdout_base64"]) == b"a\xffb\xc3"
    assert decoded(document["stderr_base64"]) == b"\xfe"


def test_b25_a_line_before_the_value_leaves_a_text(place):
    assert place.run("#!/bin/sh\necho warning; echo '{}'\n").document["stdout"] == "warning\n{}\n"


def test_digest_is_that_of_the_script_before_it_changed_itself(place):
    script = '#!/bin/sh\necho changed >> "$0"\n'
    assert place.run(script).document["script_sha256"] == hashlib.sha256(script.encode()).hexdigest()


def test_exit_status_of_the_wrapper_is_the_scripts(place):
    outcome = place.run("#!/bin/sh\nexit 3\n")
    assert (outcome.code, outcome.document["exit_code"], outcome.document["signal"]) == (3, 3, None)


def test_hardware_is_there_before_the_script_starts_and_in_the_document(place):
    outcome = place.run(f"#!/bin/sh\ncat {place.hwinfo}\n")
    assert outcome.document["stdout"] == outcome.document["hwinfo"] == json.loads(place.hwinfo.read_bytes())
    assert {"cpu_info", "cpu_features", "cpu_type", "platform"} <= set(outcome.document["hwinfo"])


def test_hardware_that_an_init_container_left_is_taken(place):
    place.hwinfo.parent.mkdir(parents=True)
    place.hwinfo.write_text('{"cpu_info": {"family": 6, "model": 85}}')
    document = place.run("#!/bin/sh\n").document
    assert document["hwinfo"] == {"cpu_info": {"family": 6, "model": 85}}
    assert document["provenance"]["hwinfo"] == str(place.hwinfo)


def test_hardware_that_is_no_json_is_found_out_anew(place):
    place.hwinfo.parent.mkdir(parents=True)
    place.hwinfo.write_text('{"cpu_info": ')
    assert place.run("#!/bin/sh\n").document["provenance"]["hwinfo"] == "the wrapper"


def test_environment_is_the_scripts_but_for_what_is_the_wrappers(place):
    script = "#!/bin/sh\nenv\n"
    lines = place.run(
        script, MARK="a b", TRIMTAB_RUN_TOKEN="secret", name="n", result="r", LANG="C"
    ).document["stdout"]
    found = dict(line.split("=", 1) for line in lines.splitlines())
    assert (found["MARK"], found["name"], found["result"]) == ("a b", "n", "r")
    assert not {"TRIMTAB_RUN_TOKEN", "TRIMTAB_WRAPPER", "TRIMTAB_TOKEN_ON", "LC_CTYPE"} & set(found)


def test_without_a_path_the_document_is_printed(place):
    del place.environment["THOTH_OUTPUT_PATH"]
    place.script("#!/bin/sh\necho hello\n")
    said, _ = place.start(TMPDIR=str(place.path)).communicate(timeout=50)
    assert json.loads(said)["stdout"] == "hello\n"


def test_nothing_but_result_and_hwinfo_is_left(place):
    place.run("#!/bin/sh\necho hello\n")
    assert sorted(path.name for path in place.result.parent.iterdir()) == ["hwinfo", "result"]


def test_files_hold_what_is_kept_of_the_streams(place):
    place.run("#!/bin/sh\necho out; echo err >&2\n")
    assert (place.path / "script.stdout").read_text() == "out\n"
    assert (place.path / "script.stderr").read_text() == "err\n"


def test_a_result_that_cannot_be_written_is_said_before_the_script_runs(place):
    (place.path / "results").write_text("a file")
    outcome = place.run(f"#!/bin/sh\ntouch {place.path}/ran\n")
    assert (outcome.code, outcome.data) == (73, None)
    assert "the result cannot be written" in outcome.complaint
    assert not (place.path / "ran").exists()


def test_a_setting_that_is_no_number_is_ignored_and_noted(place):
    assert "TRIMTAB_RUN_TIMEOUT" in place.run("#!/bin/sh\n", TRIMTAB_RUN_TIMEOUT="soon").document["notes"][0]


def test_hardware_that_cannot_be_left_is_noted(place):
    document = place.run("#!/bin/sh\n", THOTH_AMUN_HWINFO_PATH="/proc/none/hwinfo").document
    assert document["hwinfo"]["platform"]
    assert "/proc/none/hwinfo" in document["notes"][0]
